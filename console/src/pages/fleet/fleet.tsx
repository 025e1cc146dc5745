// The whole fleet as one picture, live; searched, zoomed, and a way into each node.
import { Button, Group, Text, TextInput } from '@mantine/core'
import { useComputedColorScheme } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'

import { useFilters } from '../../parts/filters'
import { Emulated } from '../../parts/state'
import { Command, Empty, ErrorBox, Loading, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { cardKinds, kindOf, nodeKinds, type Kind } from './colours'
import { followFleet, type Fleet } from './feed'
import { Picture } from './picture'
import './fleet.css'

const most_found = 200
const count_ms = 500

type Counts = { cards: Map<string, number>; nodes: Map<string, number>; gpus: number; leased: number }

function count(fleet: Fleet): Counts {
  const cards = new Uint32Array(128)
  const nodes = new Uint32Array(128)
  for (const g of fleet.gpus) cards[g]! += 1
  for (const n of fleet.nodes) nodes[n]! += 1
  const sum = (kinds: Kind[], of: Uint32Array) =>
    new Map(kinds.map((k) => [k.text, [...k.letters].reduce((s, l) => s + of[l.charCodeAt(0)]!, 0)]))
  const free = cards['.'.charCodeAt(0)]! + cards['w'.charCodeAt(0)]! + cards['p'.charCodeAt(0)]!
  return { cards: sum(cardKinds, cards), nodes: sum(nodeKinds, nodes), gpus: fleet.gpus.length, leased: fleet.gpus.length - free }
}

export default function FleetPage() {
  const canvas = useRef<HTMLCanvasElement>(null)
  const picture = useRef<Picture | null>(null)
  const [fleet, setFleet] = useState<Fleet | null>(null)
  const [counts, setCounts] = useState<Counts | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const [{ q }, setFilters] = useFilters({ q: '' })
  const dark = useComputedColorScheme('light') === 'dark'

  useEffect(() => {
    const p = new Picture(canvas.current!)
    picture.current = p
    // For the bench: frames drawn so far.
    Object.assign(canvas.current!, { frames: () => p.frames })
    let all: Fleet | null = null
    let counting: ReturnType<typeof setTimeout> | null = null
    const recount = () => {
      counting ??= setTimeout(() => {
        counting = null
        if (all) setCounts(count(all))
      }, count_ms)
    }
    const leave = followFleet({
      whole(f) {
        setError(null)
        setFleet(f)
        setCounts(count(f))
        all = f
        p.show(f)
      },
      changed(nodes) {
        p.changed(nodes)
        recount()
      },
      failed: setError,
    })
    const resized = new ResizeObserver(() => p.resize())
    resized.observe(canvas.current!)
    return () => {
      leave()
      resized.disconnect()
      p.close()
      if (counting) clearTimeout(counting)
    }
  }, [])
  useEffect(() => picture.current?.colours(dark), [dark, fleet])

  const found = useMemo(() => {
    const part = q.trim().toLowerCase()
    if (!part || !fleet) return []
    const { nodes, racks, rack, skus, sku } = fleet.map
    const hits: number[] = []
    nodes?.forEach((name, n) => {
      if (hits.length < most_found && [name, racks![rack![n]!]!, skus![sku![n]!]!].some((x) => x.toLowerCase().includes(part))) hits.push(n)
    })
    return hits
  }, [q, fleet])
  useEffect(() => {
    if (!picture.current) return
    picture.current.found = found
    picture.current.soon()
  }, [found])

  const empty = fleet && !fleet.map.nodes?.length
  return (
    <>
      <PageHead
        title={t('fleet.title')}
        lead={
          counts ? (
            <>
              {t('fleet.lead', { gpus: counts.gpus, nodes: fleet?.map.nodes?.length ?? 0, leased: counts.leased })}{' '}
              <Emulated is={!!fleet?.map.emulated?.length} />
            </>
          ) : undefined
        }
      >
        <TextInput
          size="xs"
          w={220}
          placeholder={t('fleet.find')}
          aria-label={t('fleet.find')}
          data-filter
          value={q}
          onChange={(e) => setFilters({ q: e.currentTarget.value })}
        />
        <Group gap={4}>
          <Button size="xs" variant="default" aria-label={t('fleet.in')} onClick={() => zoomMiddle(1.6)}>
            +
          </Button>
          <Button size="xs" variant="default" aria-label={t('fleet.out')} onClick={() => zoomMiddle(1 / 1.6)}>
            −
          </Button>
          <Button size="xs" variant="default" onClick={() => picture.current?.fit()}>
            {t('fleet.all')}
          </Button>
        </Group>
      </PageHead>
      {error && <ErrorBox error={error} />}
      {!fleet && !error && <Loading />}
      {empty && <Empty title={t('fleet.empty')} hint={t('fleet.empty.hint')} action={<Command text="ampacity fleet sites add …" />} />}
      {counts && <Legend of={counts} />}
      <Map canvas={canvas} picture={picture} fleet={fleet} counts={counts} />
      {q && fleet && (
        <section className="fleet-found" aria-label={t('fleet.found')}>
          <Text c="dimmed" role="status">
            {found.length === 0 ? t('table.noMatch') : t('fleet.foundCount', { n: found.length })}
          </Text>
          <ul>
            {found.slice(0, 60).map((n) => (
              <li key={n}>
                <Link to={`/fleet/${fleet.map.nodes![n]}`}>{fleet.map.nodes![n]}</Link> <span className="dim">{describe(fleet, n)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )

  function zoomMiddle(by: number) {
    const box = canvas.current!.getBoundingClientRect()
    picture.current?.zoom(by, box.width / 2, box.height / 2)
  }
}

function Legend({ of }: { of: Counts }) {
  const entry = (k: Kind, n: number) => (
    <li key={k.text}>
      <span className="swatch" style={{ '--light': k.light, '--dark': k.dark } as React.CSSProperties} aria-hidden />
      {t(k.text)} <b>{n.toLocaleString()}</b>
    </li>
  )
  return (
    <ul className="legend" aria-label={t('fleet.legend')}>
      {cardKinds.map((k) => entry(k, of.cards.get(k.text) ?? 0))}
      {nodeKinds.filter((k) => of.nodes.get(k.text)).map((k) => entry(k, of.nodes.get(k.text) ?? 0))}
    </ul>
  )
}

interface MapProps {
  canvas: React.RefObject<HTMLCanvasElement | null>
  picture: React.RefObject<Picture | null>
  fleet: Fleet | null
  counts: Counts | null
}

// The wheel zooms, a drag moves, a click opens the node; arrows, + and − do the same.
function Map({ canvas, picture, fleet, counts }: MapProps) {
  const navigate = useNavigate()
  const [over, setOver] = useState<{ node: number; x: number; y: number } | null>(null)
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null)
  useEffect(() => {
    // React's own wheel listeners cannot keep the page from scrolling.
    const c = canvas.current!
    const wheel = (e: WheelEvent) => {
      if (!e.ctrlKey && !c.matches(':focus') && !c.matches(':active')) return
      e.preventDefault()
      picture.current?.zoom(Math.exp(-e.deltaY / 400), e.offsetX, e.offsetY)
    }
    c.addEventListener('wheel', wheel, { passive: false })
    return () => c.removeEventListener('wheel', wheel)
  }, [canvas, picture])
  const at = (e: React.PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    return { x: e.clientX - box.left, y: e.clientY - box.top }
  }
  const label = counts ? t('fleet.picture', { gpus: counts.gpus, leased: counts.leased }) : t('app.loading')
  return (
    <div className="fleet-map">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={label}
        onPointerDown={(e) => {
          drag.current = { ...at(e), moved: false }
          e.currentTarget.setPointerCapture(e.pointerId)
        }}
        onPointerMove={(e) => {
          const p = at(e)
          const d = drag.current
          if (d) {
            if (Math.abs(p.x - d.x) + Math.abs(p.y - d.y) > 3 || d.moved) {
              picture.current?.pan(p.x - d.x, p.y - d.y)
              drag.current = { ...p, moved: true }
            }
          }
          const node = picture.current?.node(p.x, p.y) ?? -1
          setOver(node < 0 || d?.moved ? null : { node, ...p })
        }}
        onPointerUp={(e) => {
          const d = drag.current
          drag.current = null
          const p = at(e)
          const node = picture.current?.node(p.x, p.y) ?? -1
          if (!d?.moved && node >= 0 && fleet) void navigate({ to: `/fleet/${fleet.map.nodes![node]}` })
        }}
        onPointerLeave={() => setOver(null)}
        onKeyDown={(e) => {
          const box = canvas.current!.getBoundingClientRect()
          const p = picture.current
          const step = 60
          const keys: Record<string, () => void> = {
            '+': () => p?.zoom(1.4, box.width / 2, box.height / 2),
            '-': () => p?.zoom(1 / 1.4, box.width / 2, box.height / 2),
            '0': () => p?.fit(),
            ArrowLeft: () => p?.pan(step, 0),
            ArrowRight: () => p?.pan(-step, 0),
            ArrowUp: () => p?.pan(0, step),
            ArrowDown: () => p?.pan(0, -step),
          }
          if (!keys[e.key]) return
          e.preventDefault()
          keys[e.key]!()
        }}
      />
      {over && fleet && (
        <div className="fleet-tip" style={{ left: over.x + 14, top: over.y + 14 }} role="presentation">
          <b>{fleet.map.nodes![over.node]}</b> {describe(fleet, over.node)}
        </div>
      )}
    </div>
  )
}

// "h100 · rack r12 · cordoned · 5 of 8 leased"
function describe(fleet: Fleet, n: number): string {
  const { sites, site, racks, rack, skus, sku } = fleet.map
  const gpus = fleet.gpus.subarray(fleet.firstGpu[n], fleet.firstGpu[n + 1])
  const leased = gpus.filter((g) => !'.wp'.includes(String.fromCharCode(g))).length
  const state = kindOf(nodeKinds, String.fromCharCode(fleet.nodes[n]!))
  return [
    skus![sku![n]!],
    sites![site![n]!],
    racks![rack![n]!] && t('fleet.rack', { name: racks![rack![n]!]! }),
    state && t(state.text),
    gpus.length > 0 && t('fleet.leasedOf', { n: leased, of: gpus.length }),
  ]
    .filter(Boolean)
    .join(' · ')
}
