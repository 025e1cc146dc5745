import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'customers',
    title: 'customers.title',
    roles: ['owner'],
    load: () => import('./list'),
    nav: { group: 'operate', order: 40, key: 'c' },
  },
  {
    path: 'customers/$org',
    title: 'customer.title',
    roles: ['owner'],
    load: () => import('./org'),
  },
]
