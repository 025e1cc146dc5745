// What the cloud earns now: per hour, by SKU and class; how much of it is in use; who owes what.
import { Button, Group, Stack, Title } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'

import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Listed, Section } from '../../parts/listed'
import { Money } from '../../parts/money'
import { percent } from '../../parts/percent'
import { Emulated } from '../../parts/state'
import { Answered, Empty, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { sum } from '../../parts/sums'
import { InvoiceRows } from '../invoices/rows'

export default function MoneyPage() {
  const navigate = useNavigate()
  const revenue = useGet('/v1/revenue')
  const invoices = useGet('/v1/invoices', { query: { limit: '1000' } })
  usePalette([{ label: t('close.title'), run: () => void navigate({ to: '/money/close' }) }])
  const unpaid = (invoices.data?.items ?? []).filter((i) => i.state === 'issued' || i.state === 'overdue')
  const owed = new Map<string, string[]>()
  for (const i of unpaid) owed.set(i.currency, [...(owed.get(i.currency) ?? []), i.open])
  return (
    <Stack gap="xl">
      <Answered of={revenue}>
        {(r) => {
          const rows = r.rows ?? []
          const skus = r.skus ?? []
          const all = skus.reduce((n, s) => n + s.gpus, 0)
          const leased = skus.reduce((n, s) => n + s.leased, 0)
          return (
            <>
              <div>
                <PageHead title={t('money.title')} lead={<>{t('money.at')} <Time at={r.at} /></>}>
                  <Button size="xs" variant="default" renderRoot={(props) => <Link to="/money/close" {...props} />}>
                    {t('close.title')}
                  </Button>
                </PageHead>
                <dl className="tiles">
                  <div className="tile">
                    <dt>{t('money.perHourNow')}</dt>
                    <dd>
                      {(r.totals ?? []).length === 0 && <Money amount="0" />}
                      {(r.totals ?? []).map((x) => (
                        <div key={x.currency ?? 'USD'}>
                          <Money amount={x.usd_per_hour} currency={x.currency} />
                        </div>
                      ))}
                      <small>
                        <Emulated is={rows.some((x) => x.emulated)} />
                      </small>
                    </dd>
                  </div>
                  <div className="tile">
                    <dt>{t('money.utilisation')}</dt>
                    <dd>
                      {percent(all ? leased / all : 0)}
                      <small>{t('money.leased', { n: leased, of: all })}</small>
                    </dd>
                  </div>
                  <div className="tile">
                    <dt>{t('money.owed')}</dt>
                    <dd>
                      {owed.size === 0 && <Money amount="0" />}
                      {[...owed].map(([currency, amounts]) => (
                        <div key={currency}>
                          <Money amount={sum(amounts)} currency={currency} />
                        </div>
                      ))}
                      <small>{t('money.owed.count', { n: unpaid.length, late: unpaid.filter((i) => i.state === 'overdue').length })}</small>
                    </dd>
                  </div>
                </dl>
              </div>
              <Section title={t('money.bySku')}>
                <Listed
                  label={t('money.bySku')}
                  empty={{ title: t('money.nothing'), hint: t('money.nothing.hint') }}
                  rows={rows}
                  id={(x) => `${x.sku} ${x.job_class} ${x.currency ?? ''}`}
                  columns={[
                    { id: 'sku', head: t('money.sku'), sort: (x) => x.sku, cell: (x) => <>{x.sku} <Emulated is={x.emulated} /></> },
                    { id: 'class', head: t('workloads.class'), sort: (x) => x.job_class, cell: (x) => word(x.job_class) },
                    { id: 'jobs', head: t('money.jobs'), figures: true, sort: (x) => x.jobs, cell: (x) => x.jobs.toLocaleString() },
                    { id: 'gpus', head: 'GPU', figures: true, sort: (x) => Number(x.gpus), cell: (x) => x.gpus },
                    { id: 'rate', head: t('workloads.perHour'), figures: true, sort: (x) => Number(x.usd_per_hour), cell: (x) => <Money amount={x.usd_per_hour} currency={x.currency} /> },
                  ]}
                />
              </Section>
              <Section title={t('money.utilisation')}>
                <Listed
                  label={t('money.utilisation')}
                  empty={{ title: t('money.noGpus') }}
                  rows={skus}
                  id={(s) => s.sku}
                  columns={[
                    { id: 'sku', head: t('money.sku'), sort: (s) => s.sku, cell: (s) => <>{s.sku} <Emulated is={s.emulated} /></> },
                    { id: 'gpus', head: 'GPU', figures: true, sort: (s) => s.gpus, cell: (s) => s.gpus.toLocaleString() },
                    { id: 'leased', head: t('fleet.leased'), figures: true, sort: (s) => s.leased, cell: (s) => s.leased.toLocaleString() },
                    {
                      id: 'share',
                      head: t('money.utilisation'),
                      sort: (s) => (s.gpus ? s.leased / s.gpus : 0),
                      cell: (s) => (
                        <>
                          <span className="share" aria-hidden>
                            <span style={{ width: `${s.gpus ? (100 * s.leased) / s.gpus : 0}%` }} />
                          </span>{' '}
                          {percent(s.gpus ? s.leased / s.gpus : 0)}
                        </>
                      ),
                    },
                  ]}
                />
              </Section>
            </>
          )
        }}
      </Answered>
      <section>
        <Group justify="space-between" mb="xs">
          <Title order={2}>{t('money.unpaid')}</Title>
          <Link to="/invoices">{t('money.allInvoices')}</Link>
        </Group>
        <Answered of={invoices}>{() => (unpaid.length === 0 ? <Empty title={t('money.unpaid.none')} /> : <InvoiceRows label={t('money.unpaid')} items={unpaid} whose />)}</Answered>
      </section>
    </Stack>
  )
}
