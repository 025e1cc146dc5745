import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'workloads',
    title: 'workloads.title',
    roles: ['customer', 'owner'],
    load: () => import('./list'),
    nav: { group: 'rent', order: 20, key: 'w' },
  },
  {
    path: 'workloads/$job',
    title: 'workloads.title',
    roles: ['customer', 'owner'],
    load: () => import('./detail'),
  },
]
