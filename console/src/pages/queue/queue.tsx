// What waits: how much of each class, in which order, when it starts, and how projects stand.
import './queue.css'

import { Button, Select, Stack } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { useNow } from '../../parts/clock'
import { useFilters } from '../../parts/filters'
import { Listed, Section } from '../../parts/listed'
import { percent } from '../../parts/percent'
import { Emulated } from '../../parts/state'
import { Answered, Empty, PageHead } from '../../parts/states'
import { Ago, Time, timeText, utcText } from '../../parts/time'
import { language, t, word } from '../../text/text'
import { SetWeight } from '../customers/org_dialogs'
import { Policy } from './policy'
import { at, axisOf, type Lane } from './timeline'

type Queue = Schemas['QueueView']

const classes = ['reserved', 'on_demand', 'spot', 'house'] as const
const most_lanes = 40

export default function QueuePage() {
  const queue = useGet('/v1/queue', { query: { limit: '1000' } })
  return <Answered of={queue}>{(q) => <Shown queue={q} />}</Answered>
}

function Shown({ queue }: { queue: Queue }) {
  const [filters, setFilters] = useFilters({ class: '', project: '' })
  const [weighing, weigh] = useState<{ project: string; weight: number } | null>(null)
  const reservations = useGet('/v1/reservations')
  const maintenance = useGet('/v1/maintenance')
  const offers = useGet('/v1/offers')
  // "h100:8x4", "a100-80|h100:8": any of the kinds.
  const emulates = (gpus: string) => (offers.data?.items ?? []).some((o) => o.emulated && gpus.split('|').some((g) => g.split(':')[0] === o.sku))
  const items = (queue.items ?? []).filter(
    (j) => (!filters.class || j.job_class === filters.class) && (!filters.project || j.project === filters.project),
  )
  const projects = queue.projects ?? []
  const lanes = useMemo((): Lane[] => {
    const kept = (reservations.data?.items ?? [])
      .filter((r) => !filters.project || r.project === filters.project)
      .map((r): Lane => ({ id: r.id, name: `${r.name} · ${r.sku}:${r.gpus}`, kind: 'reservation', from: Date.parse(r.from), until: Date.parse(r.until) }))
    const closed = (maintenance.data?.items ?? []).map(
      (m): Lane => ({ id: m.id, name: m.name, kind: 'maintenance', from: Date.parse(m.from), until: m.until ? Date.parse(m.until) : null }),
    )
    const promised = items
      .filter((j) => j.promise || j.expected)
      .map((j): Lane => {
        const by = Date.parse(j.promise?.start_by ?? j.expected!)
        return { id: j.job, name: j.name, kind: 'promise', from: by, until: by, expected: j.expected ? Date.parse(j.expected) : undefined, certain: j.promise?.certain }
      })
    return [...kept, ...closed, ...promised]
  }, [reservations.data, maintenance.data, items, filters.project])
  return (
    <Stack gap="xl">
      <div>
        <PageHead title={t('queue.title')} lead={t('queue.lead')}>
          <Select
            size="xs"
            w={150}
            clearable
            placeholder={t('workloads.class')}
            aria-label={t('workloads.class')}
            value={filters.class || null}
            onChange={(c) => setFilters({ class: c ?? '' }, { push: true })}
            data={classes.map((c) => ({ value: c, label: word(c) }))}
          />
          <Select
            size="xs"
            w={170}
            clearable
            searchable
            placeholder={t('workloads.project')}
            aria-label={t('workloads.project')}
            value={filters.project || null}
            onChange={(project) => setFilters({ project: project ?? '' }, { push: true })}
            data={projects.map((p) => p.project)}
          />
        </PageHead>
        <dl className="tiles">
          <div className="tile">
            <dt>{t('queue.waiting')}</dt>
            <dd>{queue.waiting.toLocaleString()}</dd>
          </div>
          {classes.map((c) => {
            const of = (queue.classes ?? []).find((x) => x.job_class === c)
            return (
              <div className="tile" key={c}>
                <dt>{word(c)}</dt>
                <dd>
                  {(of?.jobs ?? 0).toLocaleString()}
                  <small>{t('queue.promised', { n: of?.promised ?? 0 })}</small>
                </dd>
              </div>
            )
          })}
        </dl>
      </div>
      <Section title={t('queue.timeline')}>
        {lanes.length === 0 ? <Empty title={t('queue.timeline.empty')} hint={t('queue.timeline.hint')} /> : <Timeline lanes={lanes} />}
      </Section>
      <div>
        <Listed
          title
          label={t('queue.order')}
          empty={queue.waiting ? { title: t('table.noMatch') } : { title: t('queue.empty'), hint: t('queue.empty.hint') }}
          rows={items}
          id={(j) => j.job}
          open={(j) => `/workloads/${j.job}`}
          columns={[
            { id: 'place', head: '#', figures: true, sort: (j) => j.place, cell: (j) => j.place },
            { id: 'name', head: t('workloads.name'), sort: (j) => j.name, cell: (j) => <Link to={`/workloads/${j.job}`}>{j.name}</Link> },
            { id: 'project', head: t('workloads.project'), sort: (j) => j.project, cell: (j) => j.project, wide: true },
            { id: 'class', head: t('workloads.class'), sort: (j) => j.job_class, cell: (j) => word(j.job_class) },
            { id: 'gpus', head: t('workloads.hardware'), sort: (j) => j.gpus, cell: (j) => <>{j.gpus} <Emulated is={emulates(j.gpus)} /></> },
            { id: 'since', head: t('queue.since'), sort: (j) => Date.parse(j.waiting_since), cell: (j) => <Ago at={j.waiting_since} />, wide: true },
            { id: 'promise', head: t('queue.by'), sort: (j) => (j.promise ? Date.parse(j.promise.start_by) : Infinity), cell: (j) => (j.promise ? <Time at={j.promise.start_by} /> : '–') },
            { id: 'expected', head: t('queue.expected'), sort: (j) => (j.expected ? Date.parse(j.expected) : Infinity), cell: (j) => (j.expected ? <Ago at={j.expected} /> : '–'), wide: true },
            { id: 'why', head: t('queue.why'), cell: (j) => <span title={j.why}>{j.why}</span>, wide: true, text: true },
          ]}
        />
        {queue.waiting > (queue.items ?? []).length && <p>{t('queue.more', { n: queue.waiting - (queue.items ?? []).length })}</p>}
      </div>
      <Listed
        title
        label={t('queue.standing')}
        empty={{ title: t('queue.standing.empty') }}
        rows={projects}
        id={(p) => p.project}
        columns={[
          { id: 'project', head: t('workloads.project'), sort: (p) => p.project, cell: (p) => <Link to="/queue" search={{ project: p.project } as never}>{p.project}</Link> },
          { id: 'weight', head: t('queue.weight'), figures: true, sort: (p) => p.weight, cell: (p) => p.weight },
          {
            id: 'share',
            head: t('queue.share'),
            sort: (p) => p.used_permille,
            cell: (p) => (
              <>
                <span className="share" aria-hidden>
                  <span style={{ width: `${Math.min(100, p.used_permille / 10)}%` }} />
                  <i style={{ left: `${Math.min(100, p.due_permille / 10)}%` }} />
                </span>{' '}
                {percent(p.used_permille / 1000)}
              </>
            ),
          },
          { id: 'due', head: t('queue.due'), figures: true, sort: (p) => p.due_permille, cell: (p) => percent(p.due_permille / 1000), wide: true },
          { id: 'waiting', head: t('queue.waiting'), figures: true, sort: (p) => p.waiting, cell: (p) => p.waiting, wide: true },
          { id: 'gpus', head: t('queue.gpus'), figures: true, sort: (p) => Number(p.gpus), cell: (p) => p.gpus },
          {
            id: 'do',
            head: '',
            figures: true,
            cell: (p) => (
              <Button size="compact-xs" variant="default" aria-label={`${t('customer.do.weight')}: ${p.project}`} onClick={() => weigh(p)}>
                {t('customer.do.weight')}
              </Button>
            ),
          },
        ]}
      />
      <Policy />
      {weighing && <SetWeight project={weighing.project} weight={weighing.weight} close={() => weigh(null)} />}
    </Stack>
  )
}

// The minute is enough for a picture.
function useMinute(): number {
  return Math.floor(useNow() / 60_000) * 60_000
}

function Timeline({ lanes }: { lanes: Lane[] }) {
  const now = useMinute()
  const axis = useMemo(() => axisOf(lanes, now), [lanes, now])
  const long = axis.until - axis.from > 26 * 3_600_000
  const tick = (ms: number) =>
    new Date(ms).toLocaleString(language(), long ? { month: 'short', day: 'numeric', hour: '2-digit', hourCycle: 'h23' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const left = (ms: number) => `${at(axis, ms) * 100}%`
  const width = (from: number, until: number) => `${(at(axis, until) - at(axis, from)) * 100}%`
  return (
    <>
      <div className="lane-axis" aria-hidden>
        {axis.ticks.map((ms, i) => (
          <span key={i} style={{ left: `${i * 25}%` }}>
            {i === 0 ? t('time.now') : tick(ms)}
          </span>
        ))}
      </div>
      <ol className="lanes" aria-label={t('queue.timeline')}>
        {lanes.slice(0, most_lanes).map((l) => {
          const until = l.until ?? Infinity
          const utc = utcText(new Date(l.from).toISOString()) + (l.kind !== 'promise' && l.until ? ` – ${utcText(new Date(l.until).toISOString())}` : '')
          const said =
            l.kind === 'promise'
              ? t(l.certain ? 'queue.lane.certain' : 'queue.lane.likely', { at: timeText(new Date(l.from).toISOString()) })
              : t('queue.lane.window', {
                  from: timeText(new Date(l.from).toISOString()),
                  until: l.until ? timeText(new Date(l.until).toISOString()) : t('node.furtherNotice'),
                })
          return (
            <li key={l.id}>
              <span className="lane-name" title={l.name}>
                {l.kind === 'promise' ? <Link to={`/workloads/${l.id}`}>{l.name}</Link> : l.name}
              </span>
              <div className="lane" title={`${said}\n${utc}`}>
                <span className="unseen">{said}</span>
                {l.kind === 'promise' ? (
                  <>
                    {l.expected !== undefined && l.expected < l.from && (
                      <span className="bar promise" style={{ left: left(l.expected), width: width(l.expected, l.from) }} aria-hidden />
                    )}
                    <span className={`mark${l.certain ? ' certain' : ''}`} style={{ left: left(l.from) }} aria-hidden />
                  </>
                ) : (
                  <span className={`bar ${l.kind}`} style={{ left: left(l.from), width: width(l.from, until) }} aria-hidden>
                    {t(l.kind === 'maintenance' ? 'queue.lane.maintenance' : 'queue.lane.reservation')}
                  </span>
                )}
              </div>
            </li>
          )
        })}
      </ol>
      {lanes.length > most_lanes && <p>{t('queue.lanes.more', { n: lanes.length - most_lanes })}</p>}
      <p className="lane-key" aria-hidden>
        <span>
          <span className="dot good" /> {t('queue.key.certain')}
        </span>
        <span>
          <span className="dot warn" /> {t('queue.key.likely')}
        </span>
      </p>
    </>
  )
}
