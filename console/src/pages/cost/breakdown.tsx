// The same money, by what it went to.
import { Group, SegmentedControl, Select, Title } from '@mantine/core'

import type { Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { Meter } from '../../parts/meter'
import { Money } from '../../parts/money'
import { Rows, type Column } from '../../parts/rows'
import { Emulated } from '../../parts/state'
import { Answered, Empty } from '../../parts/states'
import { language, t } from '../../text/text'
import type { UsageRow } from './days'

interface Props {
  of: { data: Schemas['Usage'] | undefined; error: Error | null; refetch: () => unknown }
  by: string
  day: string
  days: string[]
  setFilters: (some: { by?: string; day?: string }, options?: { push?: boolean }) => void
}

const bys = ['sku', 'user', 'project', 'day'] as const

export function Breakdown({ of, by, day, days, setFilters }: Props) {
  const offers = useGet('/v1/offers')
  const emulated = new Set(by === 'sku' ? (offers.data?.items ?? []).filter((o) => o.emulated).map((o) => o.sku) : [])
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{t('cost.by')}</Title>
        <Group gap="xs">
          <Select
            size="xs"
            w={150}
            clearable
            aria-label={t('cost.day')}
            placeholder={t('cost.allDays')}
            value={day || null}
            onChange={(d) => setFilters({ day: d ?? '' }, { push: true })}
            data={[...days].reverse()}
          />
          <SegmentedControl
            size="xs"
            aria-label={t('cost.by')}
            value={by}
            onChange={(b) => setFilters({ by: b }, { push: true })}
            data={bys.map((b) => ({ value: b, label: t(`cost.by.${b}`) }))}
          />
        </Group>
      </Group>
      <Answered of={of}>
        {(usage) => {
          const rows = usage.rows ?? []
          if (rows.length === 0) return <Empty title={t('cost.nothing')} />
          return <Rows label={t(`cost.by.${by as (typeof bys)[number]}`)} rows={rows} columns={columnsFor(rows, by as (typeof bys)[number], emulated)} id={(r) => `${r.key} ${r.currency ?? ''}`} />
        }}
      </Answered>
    </section>
  )
}

function hours(seconds: number): string {
  return (seconds / 3600).toLocaleString(language(), { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

function columnsFor(rows: UsageRow[], by: (typeof bys)[number], emulated: Set<string>): Column<UsageRow>[] {
  const most = Math.max(...rows.map((r) => r.amount_ticks), 1)
  const total = rows.reduce((sum, r) => sum + r.amount_ticks, 0)
  return [
    { id: 'key', head: t(`cost.by.${by}`), cell: (r) => (emulated.has(r.key) ? <>{r.key} <Emulated is /></> : r.key), sort: (r) => r.key },
    {
      id: 'share',
      head: t('cost.share'),
      cell: (r) => {
        const percent = total ? Math.round((100 * r.amount_ticks) / total) : 0
        return (
          <span className="cost-share">
            <Meter parts={[{ percent: (100 * r.amount_ticks) / most, tone: 'busy' }]} label={t('cost.percent', { n: percent })} />
            <span>{percent}%</span>
          </span>
        )
      },
      wide: true,
    },
    { id: 'jobs', head: t('workloads.title'), cell: (r) => r.jobs, sort: (r) => r.jobs, figures: true, wide: true },
    { id: 'hours', head: t('cost.gpuHours'), cell: (r) => hours(r.gpu_milli_seconds / 1000), sort: (r) => r.gpu_milli_seconds, figures: true },
    { id: 'amount', head: t('cost.amount'), cell: (r) => <Money amount={r.amount_usd} currency={r.currency} />, sort: (r) => r.amount_ticks, figures: true },
  ]
}
