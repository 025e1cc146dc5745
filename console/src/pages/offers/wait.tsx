// How long each size of a SKU would wait, if it were asked for now.
import { Table } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { useGet } from '../../api/queries'
import { useSession } from '../../app/session'
import { Money } from '../../parts/money'
import { Ago, Time } from '../../parts/time'
import { t } from '../../text/text'
import type { Offer } from './hardware'
import { useQuotes, type Quote } from './quote'

// One GPU, half a node, a node, and 2, 4, 8 … nodes up to all.
export function sizesOf(o: Offer): { n: number; nodes: number }[] {
  if (o.gpus_per_node === 0) return [{ n: 0, nodes: 1 }]
  const within = [1, Math.floor(o.gpus_per_node / 2), o.gpus_per_node].filter((n) => n > 0)
  const beyond: number[] = []
  for (let nodes = 2; nodes <= o.nodes && beyond.length < 5; nodes *= 2) beyond.push(nodes)
  if (o.nodes > 1 && !beyond.includes(o.nodes)) beyond.push(o.nodes)
  return [...[...new Set(within)].map((n) => ({ n, nodes: 1 })), ...beyond.map((nodes) => ({ n: o.gpus_per_node, nodes }))]
}

export function gpusText(n: number): string {
  return n === 1 ? t('offers.gpu') : t('offers.gpus', { n })
}

export function WaitBySize({ offer }: { offer: Offer }) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const projects = useGet('/v1/projects', undefined, { enabled: owner })
  const project = owner ? projects.data?.items?.[0]?.name : undefined
  const sizes = sizesOf(offer)
  const ready = !owner || project
  const quotes = useQuotes(
    ready
      ? sizes.map(({ n, nodes }) => ({
          image: 'quote',
          ...(n ? { resources: { gpus: `${offer.sku}:${n}${nodes > 1 ? `x${nodes}` : ''}` } } : {}),
          ...(project ? { project } : {}),
        }))
      : [],
  )
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('offers.size')}</Table.Th>
          <Table.Th ta="right" className="figures">{t('workloads.perHour')}</Table.Th>
          <Table.Th>{t('offers.starts')}</Table.Th>
          <Table.Th className="wide">{t('offers.likely')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {sizes.map(({ n, nodes }, i) => {
          const quote = quotes[i]?.data
          const option = quote?.options?.[0]
          return (
            <Table.Tr key={`${n}x${nodes}`}>
              <Table.Td>
                <Link className="nowrap" to="/launch" search={{ gpu: offer.sku, n: String(n || 1), nodes: String(nodes) } as never}>
                  {n === 0 ? t('offers.oneVcpu') : nodes > 1 ? t('offers.nodesOf', { n: nodes, gpus: n }) : gpusText(n)}
                </Link>
              </Table.Td>
              <Table.Td ta="right" className="figures">{quote && <Money amount={quote.usd_per_hour} currency={quote.currency} />}</Table.Td>
              <Table.Td>
                {quote && <Starts of={quote} />}
                {quotes[i]?.error && quotes[i].error.message}
              </Table.Td>
              <Table.Td className="wide">{option?.likely_by && !quote?.starts_now && <Time at={option.likely_by} />}</Table.Td>
            </Table.Tr>
          )
        })}
      </Table.Tbody>
    </Table>
  )
}

export function Starts({ of }: { of: Pick<Quote, 'starts_now' | 'options'> }) {
  if (of.starts_now) return <>{t('offers.now')}</>
  const expected = of.options?.[0]?.expected
  return expected ? <Ago at={expected} /> : <>{t('offers.unknown')}</>
}
