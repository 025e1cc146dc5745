import type { Page } from '../../app/page'

const both: Page['roles'] = ['customer', 'owner']

export const pages: Page[] = [
  { path: 'cost', title: 'cost.title', roles: both, load: () => import('./cost'), nav: { group: 'rent', order: 40, key: 'b' } },
  { path: 'cost/budgets', title: 'budgets.title', roles: both, load: () => import('./budgets') },
]
