// One clock for everything on the page that shows how long ago something was: it ticks once a second.
import { useSyncExternalStore } from 'react'

const watchers = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | null = null

function subscribe(w: () => void) {
  watchers.add(w)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const f of watchers) f()
  }, 1000)
  return () => {
    watchers.delete(w)
    if (watchers.size === 0 && timer) {
      clearInterval(timer)
      timer = null
    }
  }
}

// Milliseconds; the component draws itself again each second.
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}
