import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'money',
    title: 'money.title',
    roles: ['owner'],
    load: () => import('./overview'),
    nav: { group: 'operate', order: 30, key: 'm' },
  },
  {
    path: 'money/close',
    title: 'close.title',
    roles: ['owner'],
    load: () => import('./close'),
  },
]
