// Who did what: the log of events, newest first; filters in the address, all that matches as CSV.
import { Button, Select, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'

import { address, get, type Problem, type Schemas } from '../../api/client'
import { useLiveEvents } from '../../api/live'
import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useFilters } from '../../parts/filters'
import { Rows, type Column } from '../../parts/rows'
import { Empty, ErrorBox, Loading, PageHead } from '../../parts/states'
import { Time, utcText } from '../../parts/time'
import { t, word } from '../../text/text'
import { save } from './save'

type Logged = Schemas['LoggedEvent']

// First words of kinds: src/core/facts.h.
const kinds = ['job', 'lease', 'rank', 'stop', 'claim', 'promise', 'window', 'node', 'site', 'prices', 'spot', 'credit', 'quota', 'weight', 'policy', 'key', 'org', 'project', 'user', 'contract', 'invoice', 'payment', 'period', 'budget', 'webhook', 'transfers']
const actors = ['key-', 'engine', 'clock']
const page_rows = '200'

export default function Events() {
  const [filters, setFilters] = useFilters({ q: '', kind: '', actor: '', project: '', job: '' })
  const query = { limit: page_rows, ...filters }
  const log = useInfiniteQuery({
    queryKey: ['/v1/event-log', { query }, 'pages'],
    queryFn: ({ pageParam, signal }) => get('/v1/event-log', { query: { ...query, cursor: pageParam } }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  })
  const rows = useMemo(() => log.data?.pages.flatMap((p) => p.items ?? []) ?? [], [log.data])
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = log
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])

  // New ones do not push away what is read: they are counted, and come when asked for.
  const [fresh, setFresh] = useState(0)
  useLiveEvents((e) => {
    if (e.kind.startsWith(filters.kind) && (!filters.project || e.project === filters.project) && (!filters.job || e.job === filters.job)) setFresh((n) => n + 1)
  })
  const refresh = () => {
    setFresh(0)
    window.scrollTo({ top: 0 })
    void log.refetch()
  }

  const file = address('/v1/exports/events', { query: filters })
  usePalette([{ label: t('events.export'), run: () => save(file, 'events.csv') }])
  const projects = useGet('/v1/projects')
  const filtered = Object.values(filters).some(Boolean)
  return (
    <>
      <PageHead title={t('events.title')} lead={t('events.lead')}>
        <TextInput size="xs" w={200} placeholder={t('events.filter')} aria-label={t('events.filter')} data-filter value={filters.q} onChange={(e) => setFilters({ q: e.currentTarget.value })} />
        <Select
          size="xs"
          w={150}
          clearable
          searchable
          placeholder={t('events.kind')}
          aria-label={t('events.kind')}
          value={filters.kind || null}
          onChange={(kind) => setFilters({ kind: kind ?? '' }, { push: true })}
          data={[...new Set([...kinds, ...(filters.kind ? [filters.kind] : [])])]}
        />
        <Select
          size="xs"
          w={150}
          clearable
          placeholder={t('events.actor')}
          aria-label={t('events.actor')}
          value={filters.actor || null}
          onChange={(actor) => setFilters({ actor: actor ?? '' }, { push: true })}
          data={[...new Set([...actors, ...(filters.actor ? [filters.actor] : [])])].map((a) => ({ value: a, label: a === 'key-' ? t('events.actor.people') : a === 'engine' ? t('events.actor.engine') : a === 'clock' ? t('events.actor.clock') : a }))}
        />
        <Select
          size="xs"
          w={150}
          clearable
          searchable
          placeholder={t('workloads.project')}
          aria-label={t('workloads.project')}
          value={filters.project || null}
          onChange={(project) => setFilters({ project: project ?? '' }, { push: true })}
          data={projects.data?.items?.map((p) => p.name) ?? []}
        />
        <Button component="a" size="xs" variant="default" href={file} download="events.csv" title={t('events.export.hint')}>
          {t('events.export')}
        </Button>
      </PageHead>
      {fresh > 0 && (
        <Button size="compact-sm" variant="light" mb="xs" onClick={refresh}>
          {t('events.fresh', { n: fresh })}
        </Button>
      )}
      {log.error && <ErrorBox error={log.error as Problem} retry={() => void log.refetch()} />}
      {log.isPending && <Loading />}
      {log.data && rows.length === 0 && !hasNextPage && (
        <Empty
          title={filtered ? t('table.noMatch') : t('events.empty')}
          hint={filtered ? undefined : t('events.empty.hint')}
          action={
            filtered ? (
              <Button size="xs" variant="default" onClick={() => setFilters({ q: '', kind: '', actor: '', project: '', job: '' })}>
                {t('do.clear')}
              </Button>
            ) : undefined
          }
        />
      )}
      {rows.length > 0 && <Rows label={t('events.title')} rows={rows} columns={columns(setFilters)} id={(e) => String(e.sequence)} end={more} />}
      {log.data && hasNextPage && rows.length < 20 && (
        <Button mt="sm" size="xs" variant="default" loading={isFetchingNextPage} onClick={more}>
          {t('events.older')}
        </Button>
      )}
    </>
  )
}

function columns(setFilters: (some: Record<string, string>, options?: { push?: boolean }) => void): Column<Logged>[] {
  const narrow = (some: Record<string, string>, text: string, shown = text) => (
    <button type="button" className="narrow" title={t('events.narrow', { what: text })} onClick={() => setFilters(some, { push: true })}>
      {shown}
    </button>
  )
  return [
    { id: 'at', head: t('events.at'), cell: (e) => <Time at={e.at} /> },
    { id: 'actor', head: t('events.actor'), cell: (e) => narrow({ actor: e.actor }, e.actor, e.actor.length > 18 ? `${e.actor.slice(0, 16)}…` : e.actor) },
    { id: 'kind', head: t('events.kind'), cell: (e) => narrow({ kind: e.kind }, e.kind, word(e.kind)) },
    { id: 'text', head: t('events.text'), text: true, cell: (e) => <span title={e.text}>{e.text}</span> },
    { id: 'project', head: t('workloads.project'), cell: (e) => e.project && narrow({ project: e.project }, e.project), wide: true },
    { id: 'job', head: t('events.job'), cell: (e) => e.job && <Link to={`/workloads/${e.job}`}>{e.job.slice(0, 14)}…</Link>, wide: true },
    { id: 'sequence', head: '#', cell: (e) => <span title={utcText(e.at)}>{e.sequence}</span>, figures: true, wide: true },
  ]
}
