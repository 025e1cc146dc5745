// The real fleet: GET /v1/fleet once, then /v1/fleet/live. One stream, however many parts of a page
// look at it; it goes on for a moment after the last, so that going back is at once.
import { useEffect, useSyncExternalStore } from 'react'

import { get, Problem } from '../../api/client'
import { Fleet, type FleetEvent } from './model'

export interface Feed {
  fleet: Fleet | null
  error: Problem | null
}

const linger_ms = 30_000
const told_every_ms = 500 // React; the painter is told of each event

let shown: Feed = { fleet: null, error: null }
let source: EventSource | null = null
let users = 0
let ending: ReturnType<typeof setTimeout> | null = null
let attempt = 0
const watchers = new Set<() => void>() // of `shown`
const painters = new Set<() => void>() // of each event

function become(next: Feed) {
  shown = next
  for (const w of watchers) w()
}

async function load() {
  const mine = ++attempt
  try {
    const map = await get('/v1/fleet')
    if (mine !== attempt) return
    listen(new Fleet(map))
  } catch (e) {
    if (mine === attempt) become({ fleet: null, error: e instanceof Problem ? e : new Problem(0, {}) })
  }
}

function listen(fleet: Fleet) {
  source?.close()
  source = new EventSource('/v1/fleet/live')
  source.onmessage = (m) => {
    const first = !fleet.seen
    if (!fleet.apply(JSON.parse(m.data as string) as FleetEvent)) {
      source?.close()
      source = null
      void load() // nodes were added
      return
    }
    if (first) become({ fleet, error: null })
    for (const p of painters) p()
  }
  source.onerror = () => {
    if (source?.readyState !== EventSource.CLOSED) return // it tries again by itself, and begins with everything
    source = null
    setTimeout(() => users > 0 && !source && void load(), 1000)
  }
}

function begin() {
  users += 1
  if (ending) clearTimeout(ending)
  ending = null
  if (!source) void load()
  return () => {
    users -= 1
    if (users > 0) return
    ending = setTimeout(() => {
      attempt += 1
      source?.close()
      source = null
      shown = { fleet: null, error: null }
    }, linger_ms)
  }
}

export function useFleet(): Feed & { retry: () => void } {
  useEffect(begin, [])
  const feed = useSyncExternalStore(
    (w) => {
      watchers.add(w)
      return () => watchers.delete(w)
    },
    () => shown,
  )
  return { ...feed, retry: () => void load() }
}

// Called at each event, at once.
export function useFleetEvents(f: () => void) {
  useEffect(() => {
    painters.add(f)
    return () => {
      painters.delete(f)
    }
  }, [f])
}

// A number that grows when the fleet changed, at most twice a second: for what React draws of it.
let version = 0
let versionTimer: ReturnType<typeof setTimeout> | null = null
const versionWatchers = new Set<() => void>()
painters.add(() => {
  versionTimer ??= setTimeout(() => {
    versionTimer = null
    version += 1
    for (const w of versionWatchers) w()
  }, told_every_ms)
})
export function useFleetVersion(): number {
  return useSyncExternalStore(
    (w) => {
      versionWatchers.add(w)
      return () => versionWatchers.delete(w)
    },
    () => version,
  )
}
