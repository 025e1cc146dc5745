// All workloads, live; filters in the address.
import { SegmentedControl, Select, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'

import { get, type Problem } from '../../api/client'
import { useGet } from '../../api/queries'
import { useSession } from '../../app/session'
import { useFilters } from '../../parts/filters'
import { Money } from '../../parts/money'
import { Rows, type Column } from '../../parts/rows'
import { State } from '../../parts/state'
import { Empty, ErrorBox, Loading, PageHead } from '../../parts/states'
import { Duration } from '../../parts/time'
import { t, word } from '../../text/text'
import { Hardware, hardwareText, PerHour, type Job } from './parts'

const states = ['', 'all', 'queued', 'running', 'ended']
const page_rows = '200'

export default function Workloads() {
  const { me } = useSession()
  const [filters, setFilters] = useFilters({ state: '', q: '', project: '' })
  const query = {
    limit: page_rows,
    project: filters.project,
    ...(filters.state === 'all' ? { all: '1' } : { state: filters.state }),
  }
  const jobs = useInfiniteQuery({
    queryKey: ['/v1/jobs', { query }, 'pages'],
    queryFn: ({ pageParam, signal }) => get('/v1/jobs', { query: { ...query, cursor: pageParam } }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  })
  const rows = useMemo(() => {
    const q = filters.q.toLowerCase()
    const all = jobs.data?.pages.flatMap((p) => p.items ?? []) ?? []
    return q ? all.filter((j) => [j.name, j.id, j.image, j.sku, j.user].some((x) => x.toLowerCase().includes(q))) : all
  }, [jobs.data, filters.q])
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = jobs
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  const columns = useMemo(() => columnsFor(me.role === 'owner'), [me.role])
  const filtered = filters.q !== '' || filters.state !== '' || filters.project !== ''
  return (
    <>
      <PageHead title={t('workloads.title')} lead={t('workloads.lead')}>
        <TextInput
          size="xs"
          w={240}
          placeholder={t('workloads.filter')}
          aria-label={t('workloads.filter')}
          data-filter
          value={filters.q}
          onChange={(e) => setFilters({ q: e.currentTarget.value })}
        />
        {me.role === 'owner' && <ProjectFilter value={filters.project} change={(project) => setFilters({ project })} />}
        <SegmentedControl
          size="xs"
          aria-label={t('workloads.state')}
          value={filters.state}
          onChange={(state) => setFilters({ state }, { push: true })}
          data={states.map((s) => ({
            value: s,
            label: s === '' ? t('workloads.state.live') : s === 'all' ? t('workloads.state.all') : word(s),
          }))}
        />
      </PageHead>
      {jobs.error && <ErrorBox error={jobs.error as Problem} retry={() => void jobs.refetch()} />}
      {jobs.isPending && <Loading />}
      {jobs.data && rows.length === 0 && (
        <Empty
          title={filtered ? t('table.noMatch') : t('workloads.empty')}
          hint={filtered ? undefined : t('workloads.empty.hint')}
          command={filtered ? undefined : 'ampacity run --image localhost/ampacity-train --cpus 1'}
        />
      )}
      {rows.length > 0 && (
        <Rows
          label={t('workloads.title')}
          rows={rows}
          columns={columns}
          id={(j) => j.id}
          open={(j) => `/workloads/${j.id}`}
          end={more}
        />
      )}
    </>
  )
}

function ProjectFilter({ value, change }: { value: string; change: (project: string) => void }) {
  const projects = useGet('/v1/projects')
  return (
    <Select
      size="xs"
      w={160}
      clearable
      searchable
      placeholder={t('workloads.project')}
      aria-label={t('workloads.project')}
      value={value || null}
      onChange={(p) => change(p ?? '')}
      data={projects.data?.items?.map((p) => p.name) ?? []}
    />
  )
}

function columnsFor(owner: boolean): Column<Job>[] {
  const columns: Column<Job>[] = [
    {
      id: 'name',
      head: t('workloads.name'),
      cell: (j) => <Link to={`/workloads/${j.id}`}>{j.name}</Link>,
      sort: (j) => j.name,
    },
    { id: 'state', head: t('workloads.state'), cell: (j) => <State of={j.outcome ?? j.state} />, sort: (j) => j.outcome ?? j.state },
    { id: 'hardware', head: t('workloads.hardware'), cell: (j) => <Hardware of={j} />, sort: hardwareText },
    { id: 'class', head: t('workloads.class'), cell: (j) => word(j.job_class), sort: (j) => j.job_class, wide: true },
    { id: 'user', head: t('workloads.user'), cell: (j) => j.user, sort: (j) => j.user, wide: true },
    {
      id: 'age',
      head: t('workloads.age'),
      cell: (j) => <Duration from={j.started_at ?? j.submitted_at} until={j.ended_at} />,
      sort: (j) => Date.parse(j.submitted_at),
      figures: true,
    },
    { id: 'rate', head: t('workloads.perHour'), cell: (j) => <PerHour of={j} />, sort: (j) => Number(j.price_usd_per_hour), figures: true, wide: true },
    { id: 'cost', head: t('workloads.cost'), cell: (j) => <Money amount={j.cost_usd} currency={j.currency} places={4} />, sort: (j) => j.cost_ticks, figures: true },
  ]
  if (owner) columns.splice(3, 0, { id: 'project', head: t('workloads.project'), cell: (j) => j.project, sort: (j) => j.project, wide: true })
  return columns
}
