// What a person has typed, kept for this tab: through an error, a crashed page, a sign-in again.
// Never for secrets.
import { useCallback, useState } from 'react'

export function useDraft<T extends object>(name: string, empty: T) {
  const place = `draft:${name}`
  const [draft, set] = useState<T>(() => {
    try {
      return { ...empty, ...JSON.parse(sessionStorage.getItem(place) ?? '{}') }
    } catch {
      return empty
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
    set(empty)
  }, [place])
  return { draft, change, forget }
}
