// All workloads, live; filters in the address.
import { Button, SegmentedControl, Select, Text, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import { useGet } from '../../api/queries'
import { useSession } from '../../app/session'
import { useFilters } from '../../parts/filters'
import { Money } from '../../parts/money'
import { Grid, RowLink, type Column } from '../../parts/grid'
import { State } from '../../parts/state'
import { Empty, ErrorBox, Loading, PageHead } from '../../parts/states'
import { Duration } from '../../parts/time'
import { t, word } from '../../text/text'
import { useJobPages } from './pages'
import { Hardware, PerHour, type Job } from './parts'

const states = ['', 'all', 'queued', 'running', 'ended']

export default function Workloads() {
  const { me } = useSession()
  const [filters, setFilters] = useFilters({ state: '', q: '', project: '' })
  const list = useJobPages({
    project: filters.project,
    q: filters.q,
    ...(filters.state === 'all' ? { all: '1' } : { state: filters.state }),
  })
  const columns = useMemo(() => columnsFor(me.role === 'owner'), [me.role])
  const filtered = filters.q !== '' || filters.state !== '' || filters.project !== ''
  const launch = (
    <Button size="xs" component={Link} to="/launch">
      {t('launch.do')}
    </Button>
  )
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
            label: s === '' ? t('workloads.state.live') : s === 'all' ? t('workloads.state.all') : <span className="head">{word(s)}</span>,
          }))}
        />
        {launch}
      </PageHead>
      {list.error && <ErrorBox error={list.error} retry={list.again} />}
      {list.total === undefined && !list.error && <Loading />}
      {list.total === 0 && (
        <Empty
          title={filtered ? t('table.noMatch') : t('workloads.empty')}
          hint={filtered ? undefined : t('workloads.empty.hint')}
          command={filtered ? undefined : 'ampacity run --image localhost/ampacity-train --cpus 1'}
          action={!filtered && launch}
        />
      )}
      {!!list.total && (
        <>
          <Grid
            label={t('workloads.title')}
            count={list.total}
            row={list.row}
            seen={list.seen}
            columns={columns}
            id={(j) => j.id}
            open={(j) => `/workloads/${j.id}`}
          />
          <Text c="dimmed" mt="sm">
            {t('workloads.count', { n: list.total })}
          </Text>
        </>
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
      cell: (j) => <RowLink to={`/workloads/${j.id}`}>{j.name}</RowLink>,
    },
    { id: 'state', head: t('workloads.state'), cell: (j) => <State of={j.outcome ?? j.state} /> },
    { id: 'hardware', head: t('workloads.hardware'), cell: (j) => <Hardware of={j} /> },
    { id: 'class', head: t('workloads.class'), cell: (j) => word(j.job_class), wide: true },
    { id: 'user', head: t('workloads.user'), cell: (j) => j.user, wide: true },
    {
      id: 'age',
      head: t('workloads.age'),
      cell: (j) => <Duration from={j.started_at ?? j.submitted_at} until={j.ended_at} />,
      figures: true,
      wide: true,
    },
    { id: 'rate', head: t('workloads.perHour'), cell: (j) => <PerHour of={j} />, figures: true, wide: true },
    { id: 'cost', head: t('workloads.cost'), cell: (j) => <Money amount={j.cost_usd} currency={j.currency} places={4} />, figures: true },
  ]
  if (owner) columns.splice(3, 0, { id: 'project', head: t('workloads.project'), cell: (j) => j.project, wide: true })
  return columns
}
