import type { Page } from '../../app/page'

const both: Page['roles'] = ['customer', 'owner']

export const pages: Page[] = [
  { path: 'settings', title: 'settings.title', roles: both, load: () => import('./people'), nav: { group: 'rent', order: 50, key: 's' } },
  { path: 'settings/keys', title: 'keys_page.title', roles: both, load: () => import('./keys') },
  { path: 'settings/webhooks', title: 'webhooks.title', roles: both, load: () => import('./webhooks') },
  { path: 'settings/webhooks/$webhook', title: 'webhooks.title', roles: both, load: () => import('./deliveries') },
]
