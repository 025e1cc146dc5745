import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'prices',
    title: 'prices.title',
    roles: ['owner'],
    load: () => import('./books'),
    nav: { group: 'operate', order: 35, key: 'p' },
  },
  {
    path: 'prices/new',
    title: 'prices.new',
    roles: ['owner'],
    load: () => import('./editor'),
  },
]
