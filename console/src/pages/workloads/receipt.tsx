// What a workload cost, and the transfers behind it.
import { Stack, Text } from '@mantine/core'

import type { Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { Section } from '../../parts/listed'
import { Money } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { Emulated } from '../../parts/state'
import { Answered, Empty, Facts } from '../../parts/states'
import { durationText, Time } from '../../parts/time'
import { t } from '../../text/text'
import type { Job } from './parts'

export default function Receipt({ job }: { job: Job }) {
  const receipt = useGet('/v1/jobs/{job}/receipt', { path: { job: job.id } })
  return (
    <Answered of={receipt}>
      {(r) =>
        r.intervals?.length ? (
          <Stack gap="lg">
            <Facts
              of={[
                [t('receipt.total'), <Money amount={r.total_usd} currency={r.currency} places={6} />],
                [t('receipt.hardware'), r.emulated ? <Emulated is /> : undefined],
              ]}
            />
            {r.intervals.map((i) => (
              <Interval key={`${i.generation} ${i.started_at}`} of={i} currency={r.currency} />
            ))}
            <Section title={t('receipt.transfers')}>
              <Rows
                label={t('receipt.transfers')}
                rows={r.transfers ?? []}
                id={(x) => x.id}
                columns={[
                  { id: 'at', head: t('receipt.at'), cell: (x) => <Time at={x.at} />, sort: (x) => x.at },
                  { id: 'kind', head: t('receipt.kind'), cell: (x) => x.kind },
                  { id: 'reason', head: t('receipt.reason'), cell: (x) => x.reason },
                  { id: 'debit', head: t('receipt.debit'), cell: (x) => x.debit, wide: true },
                  { id: 'credit', head: t('receipt.credit'), cell: (x) => x.credit, wide: true },
                  {
                    id: 'amount',
                    head: t('receipt.amount'),
                    cell: (x) => <Money amount={x.amount_usd} currency={r.currency} places={6} />,
                    sort: (x) => x.amount_ticks,
                    figures: true,
                  },
                ]}
              />
            </Section>
          </Stack>
        ) : (
          <Empty title={t('receipt.none')} hint={t('receipt.none.hint')} />
        )
      }
    </Answered>
  )
}

function Interval({ of, currency }: { of: Schemas['ReceiptInterval']; currency?: string | null }) {
  return (
    <Section title={t('receipt.run', { n: of.generation })}>
      <Text c="dimmed" mb="xs">
        <Time at={of.started_at} /> – {of.ended_at ? <Time at={of.ended_at} /> : t('time.now')} ·{' '}
        {t('receipt.billed', { d: durationText(of.billed_s) })}
        {of.waived_s > 0 && ` · ${t('receipt.waived', { d: durationText(of.waived_s) })}`} ·{' '}
        {t('receipt.prices', { n: of.price_version })}
      </Text>
      <Rows
        label={t('receipt.run', { n: of.generation })}
        rows={of.lines ?? []}
        id={(l) => l.component}
        columns={[
          { id: 'component', head: t('receipt.component'), cell: (l) => l.component },
          { id: 'quantity', head: t('receipt.quantity'), cell: (l) => `${l.quantity} ${l.unit}`, figures: true },
          { id: 'price', head: t('receipt.price'), cell: (l) => <Money amount={l.unit_usd_per_hour} currency={currency} places={4} />, figures: true },
          { id: 'seconds', head: t('receipt.seconds'), cell: (l) => l.seconds.toLocaleString(), figures: true, wide: true },
          { id: 'amount', head: t('receipt.amount'), cell: (l) => <Money amount={l.amount_usd} currency={currency} places={6} />, figures: true },
        ]}
      />
    </Section>
  )
}
