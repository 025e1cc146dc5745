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
    path: 'invoices',
    title: 'bills.title',
    roles: ['owner'],
    load: () => import('./bills'),
    nav: { group: 'operate', order: 32, key: 'i' },
  },
  {
    path: 'invoices/$invoice',
    title: 'bills.one',
    roles: ['owner'],
    load: () => import('./bill'),
  },
  {
    path: 'money/close',
    title: 'close.title',
    roles: ['owner'],
    load: () => import('./close'),
  },
]
