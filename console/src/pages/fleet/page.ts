import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'fleet',
    title: 'fleet.title',
    roles: ['owner'],
    load: () => import('./map'),
    nav: { group: 'operate', order: 10, key: 'f' },
  },
  {
    path: 'fleet/nodes/$node',
    title: 'node.title',
    roles: ['owner'],
    load: () => import('./node'),
  },
]
