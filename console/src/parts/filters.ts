// A view's filters live in its address, so that every view has a link: useFilters({ state: '', q: '' }).
// A filter that has its default is left out of the address.
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

export function useFilters<F extends Record<string, string>>(defaults: F) {
  const search = useSearch({ strict: false }) as Record<string, string>
  const navigate = useNavigate()
  const filters = { ...defaults }
  for (const k of Object.keys(defaults)) if (search[k] !== undefined) filters[k as keyof F] = search[k] as F[keyof F]
  const setFilters = useCallback(
    (some: Partial<F>, options: { push?: boolean } = {}) =>
      void navigate({
        to: '.',
        replace: !options.push,
        search: (before: Record<string, string>) => {
          const next: Record<string, string> = { ...before }
          for (const [k, v] of Object.entries(some)) {
            if (v === undefined || v === defaults[k]) delete next[k]
            else next[k] = v
          }
          return next
        },
      } as never),
    [navigate, JSON.stringify(defaults)],
  )
  return [filters, setFilters] as const
}
