// How long each size of a SKU would wait, if it were asked for now.
import { Table } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { useGet } from '../../api/queries'
import { useSession } from '../../app/session'
import { Money } from '../../parts/money'
import { Answered } from '../../parts/states'
import { Ago } from '../../parts/time'
import { t } from '../../text/text'
import { sizeOf, type Offer } from './hardware'

export function gpusText(n: number): string {
  return n === 1 ? t('offers.gpu') : t('offers.gpus', { n })
}

export function WaitBySize({ offer, currency }: { offer: Offer; currency: string }) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const projects = useGet('/v1/projects', undefined, { enabled: owner })
  const project = projects.data?.items?.[0]?.name
  const waits = useGet(
    '/v1/offers/{sku}/waits',
    { path: { sku: offer.sku }, query: owner ? { project } : {} },
    { enabled: !owner || !!project, keep: true },
  )
  return (
    <Answered of={waits}>
      {(w) => (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('offers.size')}</Table.Th>
              <Table.Th ta="right" className="figures">
                {t('workloads.perHour')}
              </Table.Th>
              <Table.Th>{t('offers.starts')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {(w.items ?? []).map((one) => {
              const { n, nodes } = sizeOf(one.gpus)
              return (
                <Table.Tr key={one.gpus}>
                  <Table.Td>
                    <Link className="nowrap" to="/launch" search={{ gpu: offer.sku, n: n ? String(n) : undefined, nodes: String(nodes) } as never}>
                      {n === 0 ? t('offers.oneVcpu') : nodes > 1 ? t('offers.nodesOf', { n: nodes, gpus: n }) : gpusText(n)}
                    </Link>
                  </Table.Td>
                  <Table.Td ta="right" className="figures">
                    <Money amount={one.usd_per_hour} currency={currency} />
                  </Table.Td>
                  <Table.Td>
                    <Starts now={one.starts_now} expected={one.expected} />
                    {one.makes_room && <span className="note"> · {t('launch.makesRoom')}</span>}
                  </Table.Td>
                </Table.Tr>
              )
            })}
          </Table.Tbody>
        </Table>
      )}
    </Answered>
  )
}

export function Starts({ now, expected }: { now: boolean; expected?: string | null }) {
  if (now) return <>{t('offers.now')}</>
  return expected ? <Ago at={expected} /> : <>{t('offers.unknown')}</>
}
