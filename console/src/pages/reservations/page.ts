import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'reservations',
    title: 'reservations.title',
    roles: ['customer', 'owner'],
    load: () => import('./reservations'),
    nav: { group: 'rent', order: 30, key: 'r' },
  },
]
