// One SKU: what it is, every price of it by class and term, where it is, and how long each size waits.
import { Button, Group, Paper, Stack, Table } from '@mantine/core'
import { Link, useParams } from '@tanstack/react-router'

import { useGet } from '../../api/queries'
import { Section } from '../../parts/listed'
import { Emulated } from '../../parts/state'
import { Answered, Empty, Facts, PageHead } from '../../parts/states'
import { t, word } from '../../text/text'
import { descriptionOf, generationOf, termPrices, type Offer } from './hardware'
import { Free, Rate } from './list'
import { gpusText, WaitBySize } from './wait'

export default function Sku() {
  const { sku } = useParams({ strict: false }) as { sku: string }
  const offers = useGet('/v1/offers')
  return (
    <Answered of={offers}>
      {(list) => {
        const offer = list.items?.find((o) => o.sku === sku)
        if (!offer) return <Empty title={t('error.notFound')} action={<Link to="/offers">{t('offers.title')}</Link>} />
        return <Shown offer={offer} currency={list.currency ?? 'USD'} />
      }}
    </Answered>
  )
}

function Shown({ offer, currency }: { offer: Offer; currency: string }) {
  const cpu = offer.gpus_per_node === 0
  return (
    <Stack gap="lg">
      <PageHead
        title={
          <>
            {offer.sku} <Emulated is={offer.emulated} />
          </>
        }
        lead={descriptionOf(offer)}
      >
        <Button size="xs" component={Link} to="/launch" search={{ gpu: offer.sku } as never}>
          {t('offers.rent')}
        </Button>
        {!cpu && (
          <Button size="xs" variant="default" component={Link} to="/reservations" search={{ new: '1', gpu: offer.sku } as never}>
            {t('reservations.new')}
          </Button>
        )}
      </PageHead>
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('offers.free'), <Free of={offer} />],
            [t('offers.largest'), cpu ? undefined : t('offers.nodesOf', { n: offer.largest_gang_free, gpus: offer.gpus_per_node })],
            [t('offers.memory'), cpu ? undefined : `${offer.gpu_memory_gib} GiB`],
            [t('offers.generation'), generationOf(offer.sku)],
            [t('offers.perNode'), cpu ? undefined : gpusText(offer.gpus_per_node)],
            [t('offers.availability'), offer.availability === 'now' ? t('offers.now') : offer.availability],
          ]}
        />
      </Paper>
      <div className="columns">
        <Section title={t('offers.prices')}>
          <Prices offer={offer} currency={currency} />
        </Section>
        <Section title={t('offers.wait')}>
          <WaitBySize offer={offer} currency={currency} />
        </Section>
      </div>
      <Section title={t('offers.sites')}>
        <Group gap="xs">
          {(offer.sites ?? []).map((s) => (
            <Paper key={s.site} withBorder px="md" py="xs">
              <b>{s.site}</b> · {s.region}
              {!cpu && <> · {t('offers.freeOf', { free: s.gpus_free, total: s.gpus_total })}</>}
              {s.reachable === false && <> · {t('offers.unreachable')}</>}
            </Paper>
          ))}
        </Group>
      </Section>
    </Stack>
  )
}

function Prices({ offer, currency }: { offer: Offer; currency: string }) {
  const books = useGet('/v1/prices')
  const cpu = offer.gpus_per_node === 0
  const base = Number(offer.on_demand_usd_per_gpu_hour || offer.usd_per_vcpu_hour)
  const less = (amount: string) => (base > 0 ? Math.round(100 * (1 - Number(amount) / base)) : 0)
  const rows: [string, string, string][] = []
  if (offer.on_demand_usd_per_gpu_hour) rows.push([word('on_demand'), '', offer.on_demand_usd_per_gpu_hour])
  if (offer.spot_usd_per_gpu_hour) rows.push([word('spot'), t('offers.spot.hint'), offer.spot_usd_per_gpu_hour])
  if (cpu) rows.push([word('on_demand'), '', offer.usd_per_vcpu_hour])
  for (const p of termPrices(books.data?.items ?? [], offer.sku, currency))
    rows.push([t('offers.contract', { n: p.months }), '', p.amount])
  return (
    <>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('offers.class')}</Table.Th>
            <Table.Th ta="right">{cpu ? t('offers.perVcpu') : t('offers.perGpu')}</Table.Th>
            <Table.Th ta="right">{t('offers.less')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, hint, amount]) => (
            <Table.Tr key={name}>
              <Table.Td>
                {name} {hint && <span className="note">{hint}</span>}
              </Table.Td>
              <Table.Td ta="right">
                <Rate amount={amount} currency={currency} />
              </Table.Td>
              <Table.Td ta="right" className="nowrap">{less(amount) > 0 ? `−${less(amount)}%` : ''}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <p className="note">
        {cpu
          ? t('offers.memoryPrice', { gib: offer.usd_per_gib_hour })
          : t('offers.beside', { vcpu: offer.usd_per_vcpu_hour, gib: offer.usd_per_gib_hour })}
      </p>
    </>
  )
}
