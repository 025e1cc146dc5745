// What a person has typed, kept for this tab: through an error, a crashed page, a sign-in again.
// Never for secrets.
import { useCallback, useRef, useState } from 'react'

// `over`: wins over what was kept: what a link has just asked for.
export function useDraft<T extends object>(name: string, empty: T, over: Partial<T> = {}) {
  const place = `draft:${name}`
  const fresh = useRef(empty)
  fresh.current = empty
  const [draft, set] = useState<T>(() => {
    try {
      return { ...empty, ...JSON.parse(sessionStorage.getItem(place) ?? '{}'), ...over }
    } catch {
      return { ...empty, ...over }
    }
  })
  const change = useCallback(
    (some: Partial<T>) =>
      set((d) => {
        const next = { ...d, ...some }
        sessionStorage.setItem(place, JSON.stringify(next))
        return next
      }),
    [place],
  )
  const forget = useCallback(() => {
    sessionStorage.removeItem(place)
    set(fresh.current)
  }, [place])
  return { draft, change, forget }
}
