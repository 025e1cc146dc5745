// The command palette (Ctrl K): what a page adds to it, and how it is opened. Its box is fetched when
// somebody first opens it (palette_box.tsx).
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react'

import { speak, type Language } from '../text/text'

export interface Action {
  label: string
  run: () => void
}

let here: Action[] = []
const watchers = new Set<() => void>()
function publish(actions: Action[]) {
  here = actions
  for (const w of watchers) w()
}
function watch(w: () => void) {
  watchers.add(w)
  return () => watchers.delete(w)
}

// What can be done on this page; offered while the component is there.
export function usePalette(actions: Action[]) {
  const labels = actions.map((a) => a.label).join('\n')
  const latest = useRef(actions)
  latest.current = actions
  useEffect(() => {
    publish(latest.current.map((a, i) => ({ label: a.label, run: () => latest.current[i]?.run() })))
    return () => publish([])
  }, [labels])
}

export function useActionsHere(): Action[] {
  return useSyncExternalStore(watch, () => here)
}

export async function chooseLanguage(l: Language) {
  localStorage.setItem('language', l)
  await speak(l)
  window.dispatchEvent(new Event('language'))
}

const Box = lazy(() => import('./palette_box'))
let open = () => {}
export function openPalette() {
  open()
}

export function Palette() {
  const [opened, set] = useState(0)
  open = () => set((n) => n + 1)
  useEffect(() => {
    function key(e: KeyboardEvent) {
      if (e.key.toLowerCase() !== 'k' || !(e.ctrlKey || e.metaKey)) return
      e.preventDefault()
      openPalette()
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [])
  if (!opened) return null
  return (
    <Suspense>
      <Box opened={opened} />
    </Suspense>
  )
}
