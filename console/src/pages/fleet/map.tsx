// The fleet: all of it as one picture, or as a table; filters, search and what is chosen in the address.
import './fleet.css'

import { Group, SegmentedControl, TextInput, useComputedColorScheme } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'

import { usePalette } from '../../app/palette'
import { useFilters } from '../../parts/filters'
import { Emulated } from '../../parts/state'
import { Empty, ErrorBox, Loading, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { FleetCanvas } from './canvas'
import { useFleet, useFleetVersion } from './feed'
import { cssColour, kinds, kindText, leased, type Kind } from './letters'
import type { Fleet } from './model'
import { FleetTable } from './table'

export default function FleetPage() {
  const { fleet, error, retry } = useFleet()
  if (error) return <ErrorBox error={error} retry={retry} />
  if (!fleet) return <Loading />
  if (fleet.nodes.length === 0)
    return (
      <>
        <PageHead title={t('fleet.title')} />
        <Empty title={t('fleet.empty')} hint={t('fleet.empty.hint')} command="ampacity fleet sites add --help" />
      </>
    )
  return <Shown fleet={fleet} />
}

const nothing: number[] = []

function Shown({ fleet }: { fleet: Fleet }) {
  const navigate = useNavigate()
  const [filters, setFilters] = useFilters({ q: '', only: '', view: 'map', rows: 'rack', at: '' })
  const asked = useDeferredValue(filters.q)
  const found = useMemo(() => (asked ? fleet.search(asked) : nothing), [fleet, asked])
  const only = useMemo(() => {
    const wanted = filters.only.split(' ').filter((k): k is Kind => (kinds as readonly string[]).includes(k))
    return wanted.length ? new Set(wanted) : null
  }, [filters.only])
  const [at, choose] = useChosen(fleet, filters.at, setFilters)
  const open = useCallback((n: number) => void navigate({ to: '/fleet/nodes/$node', params: { node: fleet.nodes[n]! } }), [fleet, navigate])
  const height = useRoom()
  const toggle = (kind: Kind) => {
    const next = new Set(only)
    if (!next.delete(kind)) next.add(kind)
    setFilters({ only: [...next].join(' ') }, { push: true })
  }
  usePalette([
    { label: t('fleet.view.map'), run: () => setFilters({ view: 'map' }) },
    { label: t('fleet.view.table'), run: () => setFilters({ view: 'table' }) },
    ...(only ? [{ label: t('fleet.only.none'), run: () => setFilters({ only: '' }) }] : []),
  ])
  return (
    <>
      <PageHead title={t('fleet.title')} lead={<Lead fleet={fleet} />}>
        <TextInput
          size="xs"
          w={250}
          placeholder={t('fleet.search')}
          aria-label={t('fleet.search')}
          data-filter
          value={filters.q}
          onChange={(e) => setFilters({ q: e.currentTarget.value })}
          onKeyDown={(e) => {
            if (e.key === 'Enter' && found[0] !== undefined) choose(found[0])
          }}
          rightSectionWidth={64}
          rightSection={filters.q && <span className="figures">{t('fleet.found', { n: found.length })}</span>}
        />
        <SegmentedControl
          size="xs"
          aria-label={t('fleet.view')}
          value={filters.view}
          onChange={(view) => setFilters({ view }, { push: true })}
          data={['map', 'table'].map((v) => ({ value: v, label: t(v === 'map' ? 'fleet.view.map' : 'fleet.view.table') }))}
        />
      </PageHead>
      <Legend fleet={fleet} only={only} toggle={toggle} />
      {filters.view === 'table' ? (
        <FleetTable fleet={fleet} found={asked ? found : null} only={only} by={filters.rows} setBy={(rows) => setFilters({ rows }, { push: true })} />
      ) : (
        <>
          <FleetCanvas fleet={fleet} only={only} found={found} at={at} choose={choose} open={open} height={height} />
          <p id="fleet-keys" className="fleet-keys">
            {t('fleet.keys')}
          </p>
        </>
      )}
    </>
  )
}

// The chosen node: at once here, in the address a moment later, since an arrow key may be held down.
function useChosen(fleet: Fleet, named: string, setFilters: (some: { at: string }) => void) {
  const [at, set] = useState(() => (named ? fleet.nodes.indexOf(named) : -1))
  const waiting = useRef<ReturnType<typeof setTimeout> | null>(null)
  const latest = useRef(setFilters)
  latest.current = setFilters
  const choose = useCallback(
    (n: number) => {
      set(n)
      if (waiting.current) clearTimeout(waiting.current)
      waiting.current = setTimeout(() => latest.current({ at: fleet.nodes[n] ?? '' }), 300)
    },
    [fleet],
  )
  useEffect(
    () => () => {
      if (waiting.current) clearTimeout(waiting.current)
    },
    [],
  )
  return [at, choose] as const
}

// What the window leaves for the picture.
function useRoom(): number {
  const room = () => Math.max(360, window.innerHeight - 250)
  const [height, set] = useState(room)
  useEffect(() => {
    const resized = () => set(room())
    window.addEventListener('resize', resized)
    return () => window.removeEventListener('resize', resized)
  }, [])
  return height
}

function Lead({ fleet }: { fleet: Fleet }) {
  useFleetVersion()
  const inUse = leased.reduce((sum, k) => sum + fleet.counts[kinds.indexOf(k)]!, 0)
  const percent = fleet.gpus ? Math.round((inUse / fleet.gpus) * 1000) / 10 : 0
  const emulated = fleet.emulated.some((e) => e === 1)
  return (
    <Group gap="sm" component="span">
      <span className="figures">{t('fleet.lead', { gpus: fleet.gpus, nodes: fleet.nodes.length, sites: fleet.sites.length, percent })}</span>
      <Emulated is={emulated} />
    </Group>
  )
}

function Legend({ fleet, only, toggle }: { fleet: Fleet; only: ReadonlySet<Kind> | null; toggle: (k: Kind) => void }) {
  useFleetVersion()
  const scheme = useComputedColorScheme('light')
  return (
    <ul className="fleet-legend" aria-label={t('fleet.legend')}>
      {kinds.map((kind, i) => {
        const n = fleet.counts[i]!
        // What there is, and what one expects to see at all times.
        if (n === 0 && !only?.has(kind) && kind !== 'free' && !leased.includes(kind)) return null
        return (
          <li key={kind}>
            <button type="button" aria-pressed={only?.has(kind) ?? false} onClick={() => toggle(kind)} title={t('fleet.only')}>
              <span className="swatch" style={{ background: cssColour(scheme, kind) }} aria-hidden />
              {t(kindText(kind))} <b>{n.toLocaleString()}</b>
            </button>
          </li>
        )
      })}
    </ul>
  )
}
