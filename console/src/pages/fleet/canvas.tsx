// The picture: two canvases on each other, the GPUs' pixels (painter.ts) and names, frames and what
// is chosen above them. Draws only when something changed. The mouse: wheel zooms, drag moves, a
// click opens. The keyboard: arrows, + − 0, Enter. Who cannot see it hears what is chosen.
import { useComputedColorScheme } from '@mantine/core'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

import { t } from '../../text/text'
import { useFleetEvents } from './feed'
import { around, fit, held, hit, layout, neighbour, nodeBox, zoom, type Layout, type View } from './layout'
import { coloursFor, kindOf, kindText, moving, type Kind } from './letters'
import type { Fleet } from './model'
import { detailAt, Painter } from './painter'

interface Props {
  fleet: Fleet
  only: ReadonlySet<Kind> | null
  found: number[] // framed
  at: number // the chosen node, or -1
  choose: (node: number) => void
  open: (node: number) => void
  height: number
}

// Where one was looking, for coming back from a node's page.
let remembered: { fleet: Fleet; view: View } | null = null

class Picture {
  readonly layout: { now: Layout }
  view: View
  readonly painter: Painter
  frame = 0
  over = true // names and frames are to be drawn again
  constructor(
    readonly fleet: Fleet,
    readonly below: HTMLCanvasElement,
    readonly above: HTMLCanvasElement,
    public width: number,
    public height: number,
    public ratio: number,
    colours: ReturnType<typeof coloursFor>,
  ) {
    this.layout = { now: layout(fleet, width, height) }
    this.view = remembered?.fleet === fleet ? remembered.view : fit(this.layout.now, width, height)
    this.painter = new Painter(fleet, this.layout.now, colours)
  }
}

export function FleetCanvas({ fleet, only, found, at, choose, open, height }: Props) {
  const scheme = useComputedColorScheme('light')
  const box = useRef<HTMLDivElement>(null)
  const below = useRef<HTMLCanvasElement>(null)
  const above = useRef<HTMLCanvasElement>(null)
  const picture = useRef<Picture | null>(null)
  const [hover, setHover] = useState<{ x: number; y: number; node: number; gpu: number } | null>(null)
  const props = useRef({ found, at, scheme })
  props.current = { found, at, scheme }

  const draw = useCallback(() => {
    const p = picture.current
    if (!p || p.frame) return
    p.frame = requestAnimationFrame(() => {
      p.frame = 0
      const pixels = p.below.getContext('2d', { alpha: false })
      if (pixels) p.painter.paint(pixels)
      if (p.over) {
        p.over = false
        drawOver(p, props.current)
      }
    })
  }, [])

  const look = useCallback(
    (view: View) => {
      const p = picture.current
      if (!p) return
      p.view = held(view, p.layout.now, p.width, p.height)
      remembered = { fleet: p.fleet, view: p.view }
      p.painter.look({ x: p.view.x, y: p.view.y, scale: p.view.scale * p.ratio })
      p.over = true
      draw()
    },
    [draw],
  )

  useLayoutEffect(() => {
    const div = box.current!
    const start = () => {
      const width = Math.max(100, div.clientWidth)
      const tall = Math.max(100, div.clientHeight)
      const ratio = Math.min(2, window.devicePixelRatio || 1)
      for (const c of [below.current!, above.current!]) {
        c.width = Math.round(width * ratio)
        c.height = Math.round(tall * ratio)
      }
      const before = picture.current
      if (before?.fleet === fleet) {
        const whole = fit(before.layout.now, before.width, before.height).scale >= before.view.scale * 0.999
        Object.assign(before, { width, height: tall, ratio })
        before.layout.now = layout(fleet, width, tall)
        before.painter.resize(Math.round(width * ratio), Math.round(tall * ratio), before.layout.now)
        look(whole ? fit(before.layout.now, width, tall) : before.view)
        return
      }
      picture.current = new Picture(fleet, below.current!, above.current!, width, tall, ratio, coloursFor(scheme, only))
      picture.current.painter.resize(Math.round(width * ratio), Math.round(tall * ratio), picture.current.layout.now)
      look(picture.current.view)
    }
    start()
    const observer = new ResizeObserver(start)
    observer.observe(div)
    return () => {
      observer.disconnect()
      if (picture.current?.frame) cancelAnimationFrame(picture.current.frame)
      if (picture.current) picture.current.frame = 0
    }
    // The colours have an effect of their own.
    // eslint-disable-next-line
  }, [fleet, look])

  useEffect(() => {
    const p = picture.current
    if (!p) return
    p.painter.colour(coloursFor(scheme, only))
    p.over = true
    draw()
  }, [scheme, only, draw])

  useEffect(() => {
    if (picture.current) picture.current.over = true
    draw()
  }, [found, at, draw])

  useFleetEvents(draw)

  // What is chosen stays in sight.
  const show = useCallback(
    (node: number, scale?: number) => {
      const p = picture.current
      if (!p || node < 0) return
      const b = nodeBox(p.fleet, p.layout.now, node)
      const { view } = p
      const inside = b.x > view.x && b.y > view.y && b.x + b.w < view.x + p.width / view.scale && b.y + 1 < view.y + p.height / view.scale
      if (!inside || scale) look(around(b, p.width, p.height, scale ?? view.scale))
    },
    [look],
  )

  useEffect(() => {
    const div = box.current!
    function wheel(e: WheelEvent) {
      const p = picture.current
      if (!p) return
      e.preventDefault()
      const r = div.getBoundingClientRect()
      look(zoom(p.view, p.layout.now, p.width, p.height, Math.exp(-e.deltaY * (e.deltaMode === 1 ? 0.05 : 0.0016)), e.clientX - r.left, e.clientY - r.top))
    }
    div.addEventListener('wheel', wheel, { passive: false })
    return () => div.removeEventListener('wheel', wheel)
  }, [look])

  const drag = useRef<{ x: number; y: number; view: View; moved: boolean } | null>(null)
  function under(e: React.PointerEvent) {
    const p = picture.current!
    const r = box.current!.getBoundingClientRect()
    return { x: e.clientX - r.left, y: e.clientY - r.top, hit: hit(p.fleet, p.layout.now, p.view.x + (e.clientX - r.left) / p.view.scale, p.view.y + (e.clientY - r.top) / p.view.scale) }
  }
  function down(e: React.PointerEvent) {
    const p = picture.current
    if (!p || e.button !== 0) return
    drag.current = { x: e.clientX, y: e.clientY, view: p.view, moved: false }
    e.currentTarget.setPointerCapture(e.pointerId)
  }
  function move(e: React.PointerEvent) {
    const p = picture.current
    if (!p) return
    const d = drag.current
    if (d) {
      const dx = e.clientX - d.x
      const dy = e.clientY - d.y
      if (!d.moved && Math.hypot(dx, dy) < 4) return
      d.moved = true
      setHover(null)
      look({ ...d.view, x: d.view.x - dx / d.view.scale, y: d.view.y - dy / d.view.scale })
      return
    }
    const u = under(e)
    setHover(u.hit && u.hit.node >= 0 ? { x: u.x, y: u.y, node: u.hit.node, gpu: u.hit.gpu } : null)
  }
  function up(e: React.PointerEvent) {
    const d = drag.current
    drag.current = null
    const p = picture.current
    if (!d || d.moved || !p) return
    const u = under(e)
    if (!u.hit) return
    if (u.hit.node < 0) return
    // Too small to be meant: nearer first.
    if (detailAt(p.view.scale * p.ratio) !== 'gpu') look(zoom(p.view, p.layout.now, p.width, p.height, 4 / p.view.scale, u.x, u.y))
    else open(u.hit.node)
  }

  function key(e: React.KeyboardEvent) {
    const p = picture.current
    if (!p || e.ctrlKey || e.metaKey || e.altKey) return
    const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    const way = arrows[e.key]
    const nearer = (by: number) => {
      const b = at >= 0 ? nodeBox(p.fleet, p.layout.now, at) : null
      const px = b ? (b.x + b.w / 2 - p.view.x) * p.view.scale : p.width / 2
      const py = b ? (b.y + 0.5 - p.view.y) * p.view.scale : p.height / 2
      look(zoom(p.view, p.layout.now, p.width, p.height, by, px, py))
    }
    if (way) {
      if (e.shiftKey) look({ ...p.view, x: p.view.x + (way[0] * p.width) / 6 / p.view.scale, y: p.view.y + (way[1] * p.height) / 6 / p.view.scale })
      else if (p.fleet.nodes.length) {
        const next = at < 0 ? (p.fleet.racks.find((r) => r.nodes.length)?.nodes[0] ?? 0) : neighbour(p.fleet, p.layout.now, at, ...way)
        choose(next)
        show(next)
      }
    } else if (e.key === '+' || e.key === '=') nearer(1.5)
    else if (e.key === '-') nearer(1 / 1.5)
    else if (e.key === '0') look(fit(p.layout.now, p.width, p.height))
    else if (e.key === 'Enter' && at >= 0) open(at)
    else if (e.key === 'Escape') choose(-1)
    else return
    e.preventDefault()
  }

  // An address that names a node, and the first one found, are shown.
  useEffect(() => {
    if (at >= 0) show(at)
  }, [at, show])
  useEffect(() => {
    const first = found[0]
    if (first !== undefined && picture.current && found.length < 200) show(first, Math.max(picture.current.view.scale, found.length === 1 ? 12 : 0) || undefined)
  }, [found, show])

  return (
    <div
      ref={box}
      className="fleet-map"
      style={{ height }}
      tabIndex={0}
      role="application"
      aria-label={t('fleet.map')}
      aria-describedby="fleet-keys"
      onKeyDown={key}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={() => (drag.current = null)}
      onPointerLeave={() => setHover(null)}
    >
      <canvas ref={below} aria-hidden />
      <canvas ref={above} aria-hidden />
      <div className="fleet-zoom">
        {(
          [
            ['+', 'fleet.zoom.in', 1.6],
            ['−', 'fleet.zoom.out', 1 / 1.6],
            ['⤢', 'fleet.zoom.all', 0],
          ] as const
        ).map(([sign, label, by]) => (
          <button
            key={sign}
            type="button"
            aria-label={t(label)}
            title={t(label)}
            onPointerDown={(e) => e.stopPropagation()}
            onPointerUp={(e) => e.stopPropagation()}
            onKeyDown={(e) => e.stopPropagation()}
            onClick={() => {
              const p = picture.current
              if (p) look(by ? zoom(p.view, p.layout.now, p.width, p.height, by, p.width / 2, p.height / 2) : fit(p.layout.now, p.width, p.height))
            }}
          >
            {sign}
          </button>
        ))}
      </div>
      {hover && (
        <div className="fleet-tip" style={{ left: Math.min(hover.x + 14, (picture.current?.width ?? 0) - 230), top: hover.y + 16 }} aria-hidden>
          <b>{fleet.nodes[hover.node]}</b>
          <span>{placeText(fleet, hover.node)}</span>
          {hover.gpu >= 0 && <span>{gpuText(fleet, hover.node, hover.gpu)}</span>}
        </div>
      )}
      <p className="unseen" role="status">
        {at >= 0 && at < fleet.nodes.length ? nodeText(fleet, at) : ''}
      </p>
    </div>
  )
}

export function placeText(fleet: Fleet, node: number): string {
  const rack = fleet.racks[fleet.rack[node]!]?.name
  return [fleet.sites[fleet.site[node]!], rack, fleet.skus[fleet.sku[node]!]].filter(Boolean).join(' · ')
}

export function gpuText(fleet: Fleet, node: number, gpu: number): string {
  const code = fleet.cell(node, fleet.first[node]! + gpu)
  const what = t(kindText(kindOf(code)))
  return t(code & moving ? 'fleet.gpu.moving' : 'fleet.gpu', { n: String(gpu), what })
}

// What is said of a chosen node.
export function nodeText(fleet: Fleet, node: number): string {
  const by = fleet.tallyOf([node]).by
  const parts = [...by].map((n, i) => (n ? `${n} ${t(kindText(kindOf(i)))}` : '')).filter(Boolean)
  return `${fleet.nodes[node]}, ${placeText(fleet, node)}: ${parts.join(', ') || t('fleet.noGpus')}`
}

function drawOver(p: Picture, now: { found: number[]; at: number; scheme: string }) {
  const c = p.above.getContext('2d')
  if (!c) return
  const { view, fleet } = p
  const l = p.layout.now
  const ink = now.scheme === 'dark' ? '#d5dae0' : '#2a2f36'
  const soft = now.scheme === 'dark' ? '#9aa3ad' : '#5c646d'
  c.setTransform(p.ratio, 0, 0, p.ratio, 0, 0)
  c.clearRect(0, 0, p.width, p.height)
  const px = (x: number) => (x - view.x) * view.scale
  const py = (y: number) => (y - view.y) * view.scale
  const seen = (b: { x: number; y: number; w: number; h: number }) =>
    px(b.x) < p.width && py(b.y) < p.height && px(b.x + b.w) > 0 && py(b.y + b.h) > 0
  c.textBaseline = 'alphabetic'
  c.font = `600 ${Math.min(15, Math.max(11, l.head * view.scale * 0.6))}px system-ui, "Liberation Sans", sans-serif`
  c.fillStyle = ink
  l.site.forEach((b, s) => {
    if (b.h === 0 || !seen(b)) return
    c.fillText(fleet.sites[s]!, Math.max(4, px(b.x)), Math.max(14, py(b.y + l.head * 0.72)), Math.max(20, b.w * view.scale))
  })
  if (view.scale >= 10) {
    c.font = '11px system-ui, "Liberation Sans", sans-serif'
    c.fillStyle = soft
    l.rack.forEach((b, r) => {
      if (seen(b)) c.fillText(fleet.racks[r]!.name, px(b.x), py(b.y) - 3, b.w * view.scale)
    })
  }
  if (view.scale >= 34) {
    c.font = '11px ui-monospace, "DejaVu Sans Mono", monospace'
    l.rack.forEach((b, r) => {
      if (!seen(b)) return
      for (const n of fleet.racks[r]!.nodes) {
        const at = nodeBox(fleet, l, n)
        c.fillText(fleet.nodes[n]!, px(at.x), py(at.y + 1) + 11, at.w * view.scale)
      }
    })
  }
  const frame = (n: number, colour: string, width: number) => {
    const b = nodeBox(fleet, l, n)
    if (!seen(b)) return
    c.strokeStyle = colour
    c.lineWidth = width
    const w = Math.max(b.w * view.scale, 4)
    const h = Math.max(view.scale, 4)
    c.strokeRect(px(b.x) - 1.5, py(b.y) - 1.5, w + 2, h + 2)
  }
  for (const n of now.found) frame(n, ink, 1.5)
  if (now.at >= 0 && now.at < fleet.nodes.length) frame(now.at, now.scheme === 'dark' ? '#ffffff' : '#000000', 3)
}
