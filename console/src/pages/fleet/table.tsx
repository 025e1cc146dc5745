// The same as the picture, in words and figures: by site, rack or node.
import { SegmentedControl } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import { Listed } from '../../parts/listed'
import { type Column } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { t } from '../../text/text'
import { useFleetVersion } from './feed'
import { active, kindOf, kinds, kindText, leased, type Kind } from './letters'
import { countOf, leasedOf, type Fleet, type Tally } from './model'

interface Line {
  id: string
  name: string
  nodes: Uint32Array | number[]
  node?: number
  rack?: number
}

export function FleetTable(props: {
  fleet: Fleet
  found: number[] | null
  only: ReadonlySet<Kind> | null
  by: string
  setBy: (by: string) => void
}) {
  const { fleet, found, only, by } = props
  const version = useFleetVersion()
  const lines = useMemo(() => linesOf(fleet, found, by), [fleet, found, by])
  const rows = useMemo(() => {
    if (!only) return lines
    return lines.filter((l) => [...only].some((k) => countOf(fleet.tallyOf(l.nodes), k) > 0))
    // What is shown changes with the fleet.
    // eslint-disable-next-line
  }, [lines, only, fleet, only ? version : 0])
  const columns = useMemo(() => columnsOf(fleet, by), [fleet, by, version])
  return (
    <>
      <SegmentedControl
        size="xs"
        mb="xs"
        aria-label={t('fleet.rows')}
        value={by}
        onChange={props.setBy}
        data={(['site', 'rack', 'node'] as const).map((v) => ({ value: v, label: t(`fleet.rows.${v}`) }))}
      />
      <Listed
        label={t('fleet.title')}
        empty={{ title: t('table.noMatch') }}
        rows={rows}
        columns={columns}
        id={(l) => l.id}
        open={by === 'node' ? (l) => `/fleet/nodes/${encodeURIComponent(l.name)}` : undefined}
      />
    </>
  )
}

function linesOf(fleet: Fleet, found: number[] | null, by: string): Line[] {
  if (by === 'node') return (found ?? fleet.nodes.map((_, n) => n)).map((n) => ({ id: fleet.nodes[n]!, name: fleet.nodes[n]!, nodes: [n], node: n }))
  const wanted = found ? new Set(found) : null
  const of = (nodes: Uint32Array | number[]) => (wanted ? [...nodes].filter((n) => wanted.has(n)) : nodes)
  const lines: Line[] =
    by === 'rack'
      ? fleet.racks.map((r, i) => ({ id: `${i}`, name: r.name || '–', nodes: of(r.nodes), rack: i }))
      : fleet.sites.map((name, s) => ({ id: name, name, nodes: of(fleet.racks.flatMap((r) => (r.site === s ? [...r.nodes] : []))) }))
  return lines.filter((l) => l.nodes.length > 0)
}

function columnsOf(fleet: Fleet, by: string): Column<Line>[] {
  const of = (l: Line): Tally => fleet.tallyOf(l.nodes)
  const number = (id: string, head: string, value: (l: Line) => number, wide = false): Column<Line> => ({
    id,
    head,
    figures: true,
    wide,
    sort: value,
    cell: (l) => value(l).toLocaleString(),
  })
  const site = (l: Line) => fleet.sites[fleet.site[l.nodes[0]!]!] ?? ''
  const columns: Column<Line>[] = [
    {
      id: 'name',
      head: t(`fleet.rows.${by as 'site' | 'rack' | 'node'}`),
      sort: (l) => l.name,
      cell: (l) =>
        by === 'node' ? (
          <Link to="/fleet/nodes/$node" params={{ node: l.name }}>
            {l.name}
          </Link>
        ) : (
          <Link to="/fleet" search={{ view: 'table', rows: 'node', q: by === 'rack' ? `${l.name} ${site(l)}` : l.name } as never}>
            {l.name}
          </Link>
        ),
    },
  ]
  if (by !== 'site') columns.push({ id: 'site', head: t('fleet.rows.site'), sort: site, cell: site, wide: true })
  if (by === 'node') {
    columns.push(
      { id: 'rack', head: t('fleet.rows.rack'), sort: (l) => fleet.racks[fleet.rack[l.node!]!]!.name, cell: (l) => fleet.racks[fleet.rack[l.node!]!]!.name, wide: true },
      {
        id: 'sku',
        head: t('workloads.hardware'),
        sort: (l) => fleet.skus[fleet.sku[l.node!]!]!,
        cell: (l) => (
          <>
            {fleet.skus[fleet.sku[l.node!]!]} <Emulated is={fleet.emulated[fleet.sku[l.node!]!] === 1} />
          </>
        ),
      },
      {
        id: 'state',
        head: t('workloads.state'),
        sort: (l) => fleet.nodeState[l.node!]!,
        cell: (l) => (fleet.nodeState[l.node!] === active ? <State of="active" /> : <State of={kindOf(fleet.nodeState[l.node!]!)} />),
      },
    )
  } else {
    columns.push(number('nodes', t('fleet.nodes'), (l) => l.nodes.length))
  }
  columns.push(
    number('gpus', 'GPU', (l) => of(l).gpus),
    number('free', t(kindText('free')), (l) => countOf(of(l), 'free')),
    number('leased', t('fleet.leased'), (l) => leasedOf(of(l))),
    ...leased.map((k) => number(k, t(kindText(k)), (l) => countOf(of(l), k), true)),
    number('out', t('fleet.out'), (l) => kinds.slice(kinds.indexOf('cordoned')).reduce((sum, k) => sum + countOf(of(l), k), 0), true),
  )
  return columns
}
