import type { Page } from '../../app/page'

export const pages: Page[] = [
  { path: 'sites', title: 'sites.title', roles: ['owner'], load: () => import('./list'), nav: { group: 'operate', order: 15, key: 't' } },
  { path: 'sites/$site', title: 'sites.one', roles: ['owner'], load: () => import('./site') },
]
