// A list of any length, read where somebody looks: /v1/job-pages says where each page begins, and
// the pages in sight are fetched, and their neighbours once the eye rests. While its ends move (work
// comes and goes) they are asked for again, never for more than a twentieth of the time; until then
// rows stay where they are.
import { useQueries } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'

import { useLiveEvents } from '../../api/live'
import { getOptions, queries, useGet } from '../../api/queries'
import type { Job } from './parts'

export const page_rows = 100
const rest_ms = 150

export function useJobPages(filter: { state?: string; all?: string; project?: string; q?: string }) {
  const asked = { ...filter, every: String(page_rows) }
  const pages = useGet('/v1/job-pages', { query: asked }, { keep: true })
  useMovingEnds(pages.isFetching)
  const [sight, setSight] = useState({ first: 0, last: 0 })
  const seen = useCallback((first: number, last: number) => {
    const next = { first: Math.floor(first / page_rows), last: Math.floor(last / page_rows) }
    setSight((s) => (s.first === next.first && s.last === next.last ? s : next))
  }, [])
  const cursors = pages.data?.cursors ?? ['']
  const wanted = cursors.slice(sight.first, sight.last + 1)
  // What was read stays where it was until it is read again: nothing goes blank for a moved end.
  const filtered = JSON.stringify(filter)
  const known = useRef({ of: filtered, pages: new Map<number, Job[]>() })
  if (known.current.of !== filtered) known.current = { of: filtered, pages: new Map() }
  const page = (cursor: string) => getOptions('/v1/jobs', { query: { ...filter, limit: String(page_rows), cursor } })
  const answers = useQueries({ queries: wanted.map(page) })
  useNeighbours(sight, [cursors[sight.first - 1], cursors[sight.last + 1]].filter((c) => c !== undefined).map(page))
  answers.forEach((a, i) => {
    if (a.data) known.current.pages.set(sight.first + i, (a.data as { items?: Job[] }).items ?? [])
  })
  // A list of one page says itself how long it is.
  const only = sight.first === 0 ? (answers[0]?.data as { items?: Job[]; next_cursor?: string | null } | undefined) : undefined
  return {
    total: only && !only.next_cursor ? (only.items?.length ?? 0) : pages.data?.total,
    error: pages.error,
    again: () => void pages.refetch(),
    seen,
    row: (index: number): Job | undefined => known.current.pages.get(Math.floor(index / page_rows))?.[index % page_rows],
  }
}

function useNeighbours(sight: object, pages: Parameters<typeof queries.prefetchQuery>[0][]) {
  const latest = useRef(pages)
  latest.current = pages
  useEffect(() => {
    const timer = setTimeout(() => latest.current.forEach((p) => void queries.prefetchQuery(p)), rest_ms)
    return () => clearTimeout(timer)
  }, [sight])
}

function useMovingEnds(fetching: boolean) {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const began = useRef(0)
  const took = useRef(0) // the shorter of the last two: the machine may have been busy
  const before = useRef(Infinity)
  useEffect(() => {
    if (fetching) began.current = performance.now()
    else if (began.current) {
      const last = performance.now() - began.current
      took.current = Math.min(last, before.current)
      before.current = last
    }
  }, [fetching])
  useEffect(() => () => {
    if (timer.current) clearTimeout(timer.current)
  }, [])
  useLiveEvents((e) => {
    if (e.kind !== 'job_submitted' && e.kind !== 'job_ended' && e.kind !== 'lease_closed') return
    timer.current ??= setTimeout(
      () => {
        timer.current = null
        void queries.invalidateQueries({ queryKey: ['/v1/job-pages'] }, { cancelRefetch: false })
      },
      // The first of a quiet time at once.
      Math.max(0, Math.max(150, 20 * took.current) - (performance.now() - began.current)),
    )
  })
}
