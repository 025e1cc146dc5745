// What a page says of itself: pages/<name>/page.ts exports `pages`, a list of these, and is found
// by itself. The component is loaded when somebody goes there.
import type { ComponentType } from 'react'

import type { Schemas } from '../api/client'
import type { TextKey } from '../text/text'

export type Role = Schemas['Role']

export interface Page {
  path: string // 'workloads/$job': the router's, below /console/
  title: TextKey
  roles: Role[] // others are told that it is not theirs; the API refuses them by itself
  load: () => Promise<{ default: ComponentType }>
  // In the navigation, under `group`, by `order`; `g` and then `key` goes there.
  nav?: { group: 'rent' | 'operate'; order: number; key: string }
}

const found = import.meta.glob<Page[]>('../pages/*/page.ts', { eager: true, import: 'pages' })

export const pages: Page[] = Object.values(found).flat()

export function navFor(role: Role) {
  return pages
    .filter((p) => p.nav && p.roles.includes(role))
    .sort((a, b) => a.nav!.order - b.nav!.order)
}
