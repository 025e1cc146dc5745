import type { Page } from '../../app/page'

export const pages: Page[] = [
  {
    path: 'queue',
    title: 'queue.title',
    roles: ['owner'],
    load: () => import('./queue'),
    nav: { group: 'operate', order: 20, key: 'q' },
  },
]
