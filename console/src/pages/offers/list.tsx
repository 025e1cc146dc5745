// Every SKU: what it is, what it costs, what is free now.
import { Button, TextInput } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'

import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useFilters } from '../../parts/filters'
import { Meter } from '../../parts/meter'
import { Money } from '../../parts/money'
import { Rows, type Column } from '../../parts/rows'
import { Emulated } from '../../parts/state'
import { Answered, Empty, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { descriptionOf, generationOf, inOrder, termPrices, type Offer, type PriceBook } from './hardware'
import './offers.css'

export default function Offers() {
  const [filters, setFilters] = useFilters({ q: '' })
  const offers = useGet('/v1/offers')
  const books = useGet('/v1/prices')
  const navigate = useNavigate()
  usePalette([{ label: t('launch.title'), run: () => void navigate({ to: '/launch' }) }])
  const columns = useMemo(
    () => columnsFor(books.data?.items ?? [], offers.data?.currency ?? 'USD'),
    [books.data, offers.data?.currency],
  )
  return (
    <>
      <PageHead title={t('offers.title')} lead={t('offers.lead')}>
        <TextInput
          size="xs"
          w={220}
          placeholder={t('offers.filter')}
          aria-label={t('offers.filter')}
          data-filter
          value={filters.q}
          onChange={(e) => setFilters({ q: e.currentTarget.value })}
        />
        <Button size="xs" component={Link} to="/launch">
          {t('launch.do')}
        </Button>
      </PageHead>
      <Answered of={offers}>
        {(list) => {
          const q = filters.q.toLowerCase()
          const rows = inOrder(list.items ?? []).filter((o) => `${o.sku} ${o.description} ${generationOf(o.sku)}`.toLowerCase().includes(q))
          if (rows.length === 0)
            return <Empty title={q ? t('table.noMatch') : t('offers.empty')} hint={q ? undefined : t('offers.empty.hint')} />
          return (
            <>
              <Rows label={t('offers.title')} rows={rows} columns={columns} id={(o) => o.sku} open={(o) => `/offers/${o.sku}`} />
              {(list.notes ?? []).map((n) => (
                <p key={n} className="note">
                  {n}
                </p>
              ))}
            </>
          )
        }}
      </Answered>
    </>
  )
}

// Cents are too coarse for a vCPU-hour.
export function Rate({ amount, currency }: { amount: string; currency: string }) {
  return <Money amount={amount} currency={currency} places={Number(amount) < 0.1 ? 4 : 2} />
}

export function Free({ of: o }: { of: Offer }) {
  if (o.gpus_per_node === 0)
    return <span>{t('offers.vcpuFree', { n: Math.floor(o.cpu_milli_free / 1000) })}</span>
  const percent = o.gpus_total ? (100 * o.gpus_free) / o.gpus_total : 0
  const text = t('offers.freeOf', { free: o.gpus_free, total: o.gpus_total })
  return (
    <span className="free">
      <Meter parts={[{ percent, tone: 'good' }]} label={text} />
      <span>{t('offers.free.short', { free: o.gpus_free, total: o.gpus_total })}</span>
    </span>
  )
}

function columnsFor(books: PriceBook[], currency: string): Column<Offer>[] {
  return [
    {
      id: 'sku',
      head: t('offers.sku'),
      cell: (o) => (
        <>
          <Link to={`/offers/${o.sku}`}>{o.sku}</Link> <Emulated is={o.emulated} />
        </>
      ),
      sort: (o) => o.sku,
    },
    { id: 'description', head: t('offers.what'), cell: descriptionOf, sort: (o) => o.description, wide: true },
    { id: 'generation', head: t('offers.generation'), cell: (o) => generationOf(o.sku), sort: (o) => generationOf(o.sku), wide: true },
    {
      id: 'memory',
      head: t('offers.memory'),
      cell: (o) => (o.gpu_memory_gib ? `${o.gpu_memory_gib} GiB` : ''),
      sort: (o) => o.gpu_memory_gib,
      figures: true,
      wide: true,
    },
    { id: 'free', head: t('offers.free'), cell: (o) => <Free of={o} />, sort: (o) => o.gpus_free },
    {
      id: 'on_demand',
      head: t('offers.onDemand'),
      cell: (o) => <Rate amount={o.on_demand_usd_per_gpu_hour || o.usd_per_vcpu_hour} currency={currency} />,
      sort: (o) => Number(o.on_demand_usd_per_gpu_hour || o.usd_per_vcpu_hour),
      figures: true,
    },
    {
      id: 'spot',
      head: t('offers.spot'),
      cell: (o) => o.spot_usd_per_gpu_hour && <Rate amount={o.spot_usd_per_gpu_hour} currency={currency} />,
      sort: (o) => Number(o.spot_usd_per_gpu_hour || 0),
      figures: true,
      wide: true,
    },
    {
      id: 'term',
      head: t('offers.term'),
      cell: (o) => {
        const lowest = termPrices(books, o.sku, currency).at(-1)
        return (
          lowest && (
            <span title={t('offers.term.of', { n: lowest.months })}>
              <Rate amount={lowest.amount} currency={currency} />
            </span>
          )
        )
      },
      figures: true,
      wide: true,
    },
    {
      id: 'rent',
      head: '',
      wide: true,
      cell: (o) => (
        <Link to="/launch" search={{ gpu: o.sku } as never} aria-label={t('offers.rent.sku', { sku: o.sku })}>
          {t('offers.rent')}
        </Link>
      ),
      figures: true,
    },
  ]
}
