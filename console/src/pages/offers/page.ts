import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'offers',
    title: 'offers.title',
    roles: ['customer', 'owner'],
    load: () => import('./list'),
    nav: { group: 'rent', order: 10, key: 'o' },
  },
  { path: 'offers/$sku', title: 'offers.title', roles: ['customer', 'owner'], load: () => import('./sku') },
  { path: 'launch', title: 'launch.title', roles: ['customer', 'owner'], load: () => import('./launch') },
]
