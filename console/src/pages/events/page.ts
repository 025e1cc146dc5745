import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'events',
    title: 'events.title',
    roles: ['owner'],
    load: () => import('./list'),
    nav: { group: 'operate', order: 60, key: 'e' },
  },
]
