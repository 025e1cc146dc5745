// Price books: what was, is and will be in force; each with its rules.
import { Button, Group, Select, Stack, Title } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'

import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useFilters } from '../../parts/filters'
import { Rows } from '../../parts/rows'
import { State } from '../../parts/state'
import { Answered, Empty, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'

export default function Books() {
  const navigate = useNavigate()
  const [filters, setFilters] = useFilters({ org: '', version: '' })
  const orgs = useGet('/v1/orgs')
  const books = useGet('/v1/prices', { query: { history: '1', org: filters.org } }, { keep: true })
  usePalette([{ label: t('prices.new'), run: () => void navigate({ to: '/prices/new' }) }])
  const make = (
    <Button size="xs" renderRoot={(props) => <Link to="/prices/new" {...props} />}>
      {t('prices.new')}
    </Button>
  )
  return (
    <Stack gap="xl">
      <div>
        <PageHead title={t('prices.title')} lead={t('prices.lead')}>
          <Select size="xs" w={160} clearable searchable placeholder={t('invoices.org')} aria-label={t('invoices.org')} value={filters.org || null} onChange={(org) => setFilters({ org: org ?? '' }, { push: true })} data={orgs.data?.items?.map((o) => o.name) ?? []} />
          {make}
        </PageHead>
        <Answered of={books}>
          {(list) => {
            const rows = [...(list.items ?? [])].sort((a, b) => Date.parse(b.effective_from) - Date.parse(a.effective_from))
            if (rows.length === 0) return <Empty title={t('prices.empty')} hint={t('prices.empty.hint')} action={make} />
            return (
              <Rows
                label={t('prices.title')}
                rows={rows}
                id={(b) => String(b.version)}
                columns={[
                  { id: 'version', head: t('prices.version'), sort: (b) => b.version, cell: (b) => <Link to="/prices" search={{ ...(filters.org ? { org: filters.org } : {}), version: String(b.version) } as never}>{b.version}</Link> },
                  { id: 'name', head: t('workloads.name'), sort: (b) => b.name, cell: (b) => b.name },
                  { id: 'state', head: t('workloads.state'), sort: (b) => b.state, cell: (b) => <State of={b.state} /> },
                  { id: 'for', head: t('prices.for'), sort: (b) => b.org ?? '', cell: (b) => b.org ?? t('prices.public') },
                  { id: 'from', head: t('prices.from'), sort: (b) => Date.parse(b.effective_from), cell: (b) => <Time at={b.effective_from} /> },
                  { id: 'currency', head: t('customer.currency'), cell: (b) => b.currency, wide: true },
                  { id: 'rules', head: t('prices.rules'), figures: true, sort: (b) => b.rule_count, cell: (b) => b.rule_count },
                ]}
              />
            )
          }}
        </Answered>
      </div>
      <One version={filters.version} org={filters.org} />
    </Stack>
  )
}

// GPUs first.
const meters = ['gpu', 'vcpu', 'memory', 'cpu_vcpu', 'cpu_memory']
function rank(meter: string): number {
  const at = meters.indexOf(meter)
  return at < 0 ? meters.length : at
}

// The one asked for, else what is in force.
function One({ version, org }: { version: string; org: string }) {
  const found = useGet('/v1/prices', { query: version ? { version } : { org } }, { keep: true })
  return (
    <Answered of={found}>
      {(list) => (
        <>
          {(list.items ?? []).map((book) => (
            <section key={book.version}>
              <Group justify="space-between" mb="xs">
                <Title order={2}>
                  {book.name}, {t('prices.version')} {book.version} · {word(book.state)}
                </Title>
                <Link to="/prices/new" search={{ from: String(book.version) } as never}>
                  {t('prices.edit')}
                </Link>
              </Group>
              <Rows
                label={`${book.name} ${book.version}`}
                rows={(book.rules ?? []).map((r, i) => ({ ...r, i })).sort((a, b) => rank(a.meter) - rank(b.meter) || a.i - b.i)}
                id={(r) => String(r.i)}
                columns={[
                  { id: 'meter', head: t('prices.meter'), sort: (r) => r.meter, cell: (r) => word(r.meter) },
                  { id: 'sku', head: t('money.sku'), sort: (r) => r.sku ?? '', cell: (r) => r.sku ?? t('prices.any') },
                  { id: 'class', head: t('workloads.class'), sort: (r) => r.job_class ?? '', cell: (r) => (r.job_class ? word(r.job_class) : t('prices.any')) },
                  { id: 'site', head: t('fleet.rows.site'), sort: (r) => r.site ?? '', cell: (r) => r.site ?? t('prices.any'), wide: true },
                  { id: 'term', head: t('prices.term'), figures: true, sort: (r) => r.term_months ?? 0, cell: (r) => r.term_months ?? '–', wide: true },
                  { id: 'price', head: t('prices.price'), figures: true, cell: (r) => r.text.replace(/^\S+/, `$& ${book.currency}`) },
                ]}
              />
            </section>
          ))}
        </>
      )}
    </Answered>
  )
}
