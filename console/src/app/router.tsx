// Every page's address, made from what pages say of themselves (page.ts).
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type ErrorComponentProps,
} from '@tanstack/react-router'
import { useEffect, type ComponentType } from 'react'

import { Empty, ErrorBox, Loading } from '../parts/states'
import { t } from '../text/text'
import { pages, type Page } from './page'
import { useSession } from './session'
import { Shell } from './shell'

const root = createRootRoute({ component: Shell, notFoundComponent: () => <Empty title={t('error.notFound')} /> })

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/workloads' })
  },
})

function frame(page: Page, Component: ComponentType) {
  return function Framed() {
    const { me } = useSession()
    useEffect(() => {
      document.title = `${t(page.title)} · ${me.cloud || t('app.name')}`
    }, [me.cloud])
    if (!page.roles.includes(me.role)) return <Empty title={t('error.forbidden')} />
    return <Component />
  }
}

// A page that threw; drafts are in sessionStorage (parts/draft.ts), so nothing typed is lost.
function Broken({ error, reset }: ErrorComponentProps) {
  return <ErrorBox error={error as Error} retry={reset} />
}

const routes = pages.map((page) =>
  createRoute({
    getParentRoute: () => root,
    path: page.path,
    component: frame(page, lazyRouteComponent(page.load)),
    errorComponent: Broken,
    pendingComponent: Loading,
  }),
)

// Filters are plain words in the address: ?state=running&q=train
export const router = createRouter({
  routeTree: root.addChildren([home, ...routes]),
  basepath: '/console',
  defaultPreload: 'intent',
  scrollRestoration: true,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(search as Record<string, string>).toString()
    return text ? `?${text}` : ''
  },
})
