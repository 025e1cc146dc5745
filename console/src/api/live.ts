// The live feed: one EventSource for the whole page. What an event says of a job is shown at once;
// the answers that it makes old are fetched again, together, a moment later.
// 1. Nothing is polled. 2. However many events come, they are worked on together, every `gather_ms` at
// most, and one round of fetches follows every `round_ms` at most. 3. After a gap (the stream was away for longer than it can resume) everything shown is fetched again.
import { useEffect, useRef, useSyncExternalStore } from 'react'

import type { PathOf } from './client'
import type { Schemas } from './client'
import { queries } from './queries'

export type LiveEvent = Schemas['Event']
export type LiveState = 'connecting' | 'live' | 'lost'

const round_ms = 120
const gather_ms = 30
// Of all that runs or waits: the server works longer for these, and who reads them is in no hurry.
const leisure_ms = 1000
const at_leisure = new Set<string>(['/v1/queue', '/v1/revenue', '/v1/event-log', '/v1/jobs/{job}/why', '/v1/reservations/free'])

// What an event of a kind makes old, by the first word of its kind; all kinds: src/core/facts.h.
const made_old: Record<string, PathOf<'get'>[]> = {
  job: ['/v1/jobs', '/v1/jobs/{job}', '/v1/jobs/{job}/why', '/v1/jobs/{job}/events', '/v1/offers', '/v1/queue', '/v1/offers/{sku}/waits', '/v1/reservations/free'],
  lease: ['/v1/jobs', '/v1/jobs/{job}', '/v1/jobs/{job}/receipt', '/v1/jobs/{job}/events', '/v1/offers', '/v1/projects', '/v1/budgets', '/v1/queue', '/v1/revenue', '/v1/nodes/{node}', '/v1/offers/{sku}/waits', '/v1/reservations/free'],
  leases: ['/v1/jobs/{job}/receipt', '/v1/projects', '/v1/budgets', '/v1/usage', '/v1/contracts'],
  rank: ['/v1/jobs', '/v1/jobs/{job}', '/v1/jobs/{job}/events', '/v1/revenue'],
  stop: ['/v1/jobs', '/v1/jobs/{job}', '/v1/jobs/{job}/events'],
  claim: ['/v1/jobs/{job}', '/v1/jobs/{job}/why', '/v1/jobs/{job}/events', '/v1/queue', '/v1/reservations/free'],
  promise: ['/v1/jobs/{job}', '/v1/jobs/{job}/why', '/v1/jobs/{job}/events', '/v1/jobs', '/v1/queue', '/v1/reservations/free'],
  checkpoint: ['/v1/jobs/{job}'],
  window: ['/v1/reservations', '/v1/maintenance', '/v1/offers', '/v1/offers/{sku}/waits', '/v1/nodes', '/v1/nodes/{node}', '/v1/queue', '/v1/reservations/free'],
  node: ['/v1/nodes', '/v1/nodes/{node}', '/v1/offers', '/v1/offers/{sku}/waits', '/v1/sites', '/v1/reservations/free'],
  site: ['/v1/sites', '/v1/sites/{site}', '/v1/nodes', '/v1/offers', '/v1/offers/{sku}/waits', '/v1/reservations/free'],
  sku: ['/v1/offers', '/v1/offers/{sku}/waits'],
  org: ['/v1/orgs'],
  project: ['/v1/projects'],
  user: ['/v1/users'],
  key: ['/v1/keys'],
  prices: ['/v1/prices', '/v1/offers', '/v1/revenue', '/v1/offers/{sku}/waits'],
  spot: ['/v1/prices', '/v1/offers', '/v1/revenue', '/v1/offers/{sku}/waits'],
  credit: ['/v1/projects'],
  transfers: ['/v1/projects'],
  quota: ['/v1/orgs/{org}/quota', '/v1/projects/{project}/quota'],
  weight: ['/v1/projects', '/v1/queue'],
  policy: ['/v1/policy', '/v1/queue'],
  issuer: ['/v1/issuer'],
  billing: ['/v1/orgs/{org}/billing'],
  contract: ['/v1/contracts'],
  line: ['/v1/draft'],
  invoice: ['/v1/invoices', '/v1/invoices/{invoice}', '/v1/draft', '/v1/projects'],
  payment: ['/v1/invoices', '/v1/invoices/{invoice}', '/v1/projects'],
  period: ['/v1/invoices', '/v1/audit'],
  budget: ['/v1/budgets'],
  budgets: ['/v1/budgets'],
  webhook: ['/v1/webhooks', '/v1/webhooks/{webhook}/deliveries'],
}

type Listener = (e: LiveEvent) => void
const listeners = new Set<Listener>()
const watchers = new Set<() => void>()
let state: LiveState = 'connecting'
let source: EventSource | null = null
let old = new Set<string>()
let round: ReturnType<typeof setTimeout> | null = null
let roundBegan = 0

function become(next: LiveState) {
  if (state === next) return
  state = next
  for (const w of watchers) w()
}

// The first event of a quiet time is acted on at once, those that follow together.
function soon() {
  if (round) return
  round = setTimeout(fetchAgain, Math.max(0, roundBegan + round_ms - performance.now()))
}

function fetchAgain() {
  round = null
  roundBegan = performance.now()
  const paths = old
  const stale = (q: { queryKey: readonly unknown[] }) => paths.has(q.queryKey[0] as string)
  // What is on its way may have been made before the event: it is asked for once more.
  old = new Set(queries.getQueryCache().findAll({ fetchStatus: 'fetching', predicate: stale }).map((q) => q.queryKey[0] as string))
  if (old.size) soon()
  void queries.invalidateQueries({ predicate: stale }, { cancelRefetch: false })
}

// The first of a quiet time is worked on at once, those that follow together.
let fresh: LiveEvent[] = []
let gathered = 0
function seen(e: LiveEvent) {
  if (fresh.push(e) === 1) setTimeout(work, Math.max(0, gathered + gather_ms - performance.now()))
}

function work() {
  gathered = performance.now()
  const events = fresh
  fresh = []
  const states = new Map<string, NonNullable<LiveEvent['state']>>()
  const subjects = new Set<string>()
  for (const e of events) {
    if (e.job && e.state) states.set(e.job, e.state)
    subjects.add(e.kind.split('_')[0] ?? '')
  }
  if (states.size) showStates(states)
  for (const subject of subjects)
    for (const path of made_old[subject] ?? []) {
      if (at_leisure.has(path)) later(path)
      else old.add(path)
    }
  if (old.size) soon()
  for (const l of listeners) for (const e of events) l(e)
}

let oldLater = new Set<string>()
function later(path: string) {
  if (oldLater.size === 0)
    setTimeout(() => {
      for (const p of oldLater) old.add(p)
      oldLater = new Set()
      soon()
    }, leisure_ms)
  oldLater.add(path)
}

// The state is in the event: the page need not wait for the fetch. What has none of these jobs is left
// as it is (undefined), else each of its readers would be told.
function showStates(states: Map<string, NonNullable<LiveEvent['state']>>) {
  type Job = Schemas['JobView']
  const change = (j: Job): Job => {
    const state = states.get(j.id)
    return state && state !== j.state ? { ...j, state } : j
  }
  queries.setQueriesData<Job>({ queryKey: ['/v1/jobs/{job}'] }, (j) => (j && states.has(j.id) ? change(j) : undefined))
  queries.setQueriesData<Schemas['JobList']>({ queryKey: ['/v1/jobs'] }, (l) =>
    l?.items?.some((j) => states.has(j.id)) ? { ...l, items: l.items.map(change) } : undefined,
  )
}

export function startLive() {
  if (source) return
  let lastOpen = false
  source = new EventSource('/v1/events?unnamed=1')
  source.onopen = () => {
    become('live')
    // What changed between the first answers and now, or while it was away.
    if (!lastOpen) void queries.invalidateQueries({}, { cancelRefetch: false })
    lastOpen = true
  }
  source.onmessage = (m) => seen(JSON.parse(m.data as string) as LiveEvent)
  source.onerror = () => {
    become('lost')
    lastOpen = false
    if (source?.readyState === EventSource.CLOSED) {
      stopLive()
      setTimeout(startLive, 1000)
    }
  }
}

export function stopLive() {
  source?.close()
  source = null
  become('connecting')
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w)
      return () => watchers.delete(w)
    },
    () => state,
  )
}

// Called for each event while the component is there.
export function useLiveEvents(f: Listener) {
  const latest = useRef(f)
  latest.current = f
  useEffect(() => {
    const l: Listener = (e) => latest.current(e)
    listeners.add(l)
    return () => {
      listeners.delete(l)
    }
  }, [])
}
