import type { Page } from '../../app/page'

const both: Page['roles'] = ['customer', 'owner']

export const pages: Page[] = [
  { path: 'invoices', title: 'invoices.title', roles: both, load: () => import('./list'), nav: { group: 'operate', order: 45, key: 'i' } },
  { path: 'invoices/$invoice', title: 'invoices.one', roles: both, load: () => import('./invoice') },
]
