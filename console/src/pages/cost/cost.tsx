// What was spent: by day, project, user, SKU; what is left of credit and of commitments; files to take.
import { Paper, Select, SegmentedControl, SimpleGrid, Stack } from '@mantine/core'
import { useEffect, useState } from 'react'

import { useLiveEvents } from '../../api/live'
import { queries, useGet } from '../../api/queries'
import { useNow } from '../../parts/clock'
import { useFilters } from '../../parts/filters'
import { Money } from '../../parts/money'
import { Answered, Empty, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { Breakdown } from './breakdown'
import { SpendChart } from './chart'
import { Commitments, Credit } from './credit'
import { currenciesOf, dailyAmounts, dayText, daysOf, ranges, spanOf } from './days'
import { CostTabs } from './tabs'
import { Takeaway } from './takeaway'
import './cost.css'

export default function Cost() {
  const [filters, setFilters] = useFilters({ range: '30d', day: '', by: 'sku', currency: '' })
  const now = useNow()
  const today = dayText(new Date(now))
  const span = filters.day
    ? { from: filters.day, to: dayText(new Date(Date.parse(filters.day + 'T00:00:00Z') + 86_400_000)) }
    : spanOf(filters.range, new Date(today + 'T12:00:00Z'))
  const whole = spanOf(filters.range, new Date(today + 'T12:00:00Z'))
  const byDay = useGet('/v1/usage', { query: { by: 'day', ...whole } }, { keep: true })
  const broken = useGet('/v1/usage', { query: { by: filters.by, ...span } }, { keep: true })
  useFreshUsage()
  const days = daysOf(whole.from, whole.to)
  return (
    <>
      <PageHead title={t('cost.title')} lead={t('cost.lead')}>
        <SegmentedControl
          size="xs"
          aria-label={t('cost.range')}
          value={filters.range}
          onChange={(range) => setFilters({ range, day: '' }, { push: true })}
          data={ranges.map((r) => ({ value: r, label: t(`cost.range.${r}`) }))}
        />
      </PageHead>
      <CostTabs />
      <Stack gap="lg">
        <Answered of={byDay}>
          {(usage) => {
            const currencies = currenciesOf(usage.rows ?? [])
            const currency = filters.currency || currencies[0] || 'USD'
            const total = usage.totals?.find((r) => (r.currency ?? 'USD') === currency)
            if ((usage.rows ?? []).length === 0)
              return <Empty title={t('cost.empty')} hint={t('cost.empty.hint')} command="ampacity run --gpus h100:1 --image …" />
            return (
              <Paper withBorder p="md">
                <div className="chart-head">
                  <div>
                    <p className="big">
                      <Money amount={total?.amount_usd ?? '0'} currency={currency} />
                    </p>
                    <p className="note">
                      {t('cost.total', { from: whole.from, to: days.at(-1) ?? '' })} · {t('cost.utc')}
                    </p>
                  </div>
                  {currencies.length > 1 && (
                    <Select size="xs" w={100} aria-label={t('cost.currency')} value={currency} allowDeselect={false} data={currencies} onChange={(c) => setFilters({ currency: c ?? '' })} />
                  )}
                </div>
                <SpendChart
                  days={days}
                  amounts={dailyAmounts(usage.rows ?? [], days, currency)}
                  currency={currency}
                  pick={(day) => setFilters({ day: filters.day === day ? '' : day }, { push: true })}
                />
              </Paper>
            )
          }}
        </Answered>
        <Breakdown of={broken} by={filters.by} day={filters.day} days={days} setFilters={setFilters} />
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Credit />
          <Commitments />
        </SimpleGrid>
        <Takeaway />
      </Stack>
    </>
  )
}

const fresh_ms = 5000

// Sums of a month are not made anew for each lease that begins or ends: at most every five seconds.
function useFreshUsage() {
  const [due, setDue] = useState(false)
  useLiveEvents((e) => {
    if (e.kind.startsWith('lease')) setDue(true)
  })
  useEffect(() => {
    if (!due) return
    const timer = setTimeout(() => {
      setDue(false)
      void queries.invalidateQueries({ queryKey: ['/v1/usage'] })
    }, fresh_ms)
    return () => clearTimeout(timer)
  }, [due])
}
