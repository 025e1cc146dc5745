// A quote that follows what is picked, and what happens in the cloud; the one before stays meanwhile.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

import { send, type Problem, type Schemas } from '../../api/client'
import { useLiveEvents } from '../../api/live'
import type { JobRequest } from './request'

export type Quote = Schemas['Quote']
export type QuoteOption = Schemas['QuoteOption']

const typing_ms = 250
const live_ms = 2000
const moving = /^(job|lease|node|site|window|promise|prices|spot|credit)/

// A number that grows, at most every two seconds, when something happened that a quote depends on.
function useRound(): number {
  const [round, set] = useState(0)
  const [due, setDue] = useState(false)
  useLiveEvents((e) => {
    if (moving.test(e.kind)) setDue(true)
  })
  useEffect(() => {
    if (!due) return
    const timer = setTimeout(() => {
      setDue(false)
      set((n) => n + 1)
    }, live_ms)
    return () => clearTimeout(timer)
  }, [due])
  return round
}

// While it is not enabled, what is picked is not yet a request, and none of it is asked for later.
export function useQuote(request: JobRequest, enabled: boolean) {
  const [settled, settle] = useState(enabled ? request : undefined)
  const text = JSON.stringify(request)
  useEffect(() => {
    if (!enabled) return
    const timer = setTimeout(() => settle(request), typing_ms)
    return () => clearTimeout(timer)
  }, [text, enabled])
  const round = useRound()
  const quote = useQuery<Quote, Problem>({
    queryKey: ['quote', settled, round],
    queryFn: () => send('post', '/v1/quotes', { body: settled }) as Promise<Quote>,
    retry: false,
    gcTime: 60_000,
    placeholderData: keepPreviousData as never,
    enabled: enabled && settled !== undefined,
  })
  return { ...quote, behind: JSON.stringify(settled) !== text || quote.isPlaceholderData }
}
