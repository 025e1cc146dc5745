// What is left: prepaid credit of each project, and what contracts commit to this month.
import { Alert, Paper, Stack, Text, Title } from '@mantine/core'

import type { Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { useNow } from '../../parts/clock'
import { Meter } from '../../parts/meter'
import { Money } from '../../parts/money'
import { State } from '../../parts/state'
import { Answered, Empty, Facts } from '../../parts/states'
import { durationText, Time } from '../../parts/time'
import { t } from '../../text/text'
import { BurnDownChart } from './burn_down'

type Project = Schemas['ProjectView']

export function Credit() {
  const projects = useGet('/v1/projects')
  return (
    <Paper withBorder p="md" component="section">
      <Title order={2} mb="sm">
        {t('cost.credit')}
      </Title>
      <Answered of={projects}>
        {(list) =>
          list.items?.length ? (
            <Stack>
              {list.items.map((p) => (
                <Wallet key={p.id} of={p} />
              ))}
            </Stack>
          ) : (
            <Empty title={t('cost.noProject')} />
          )
        }
      </Answered>
    </Paper>
  )
}

// At what runs now: an hour's price of all live work of the project.
function useRate(project: string): number | null {
  const jobs = useGet('/v1/jobs', { query: { state: 'running', project, limit: '500' } })
  if (!jobs.data) return null
  return (jobs.data.items ?? []).reduce((sum, j) => sum + Number(j.price_usd_per_hour), 0)
}

function Wallet({ of: p }: { of: Project }) {
  const rate = useRate(p.name)
  const now = useNow()
  const wallet = Number(p.wallet_usd)
  const held = Number(p.held_usd)
  const spent = Number(p.spent_usd)
  const all = Math.max(wallet + held + spent, 0.000001)
  const left = Math.max(0, wallet + held)
  const lasts = rate && rate > 0 ? (left / rate) * 3600 : null
  return (
    <div>
      <Text fw={600}>{p.name}</Text>
      {p.warning && (
        <Alert color="yellow" variant="outline" my="xs">
          <Text c="var(--mantine-color-text)">{p.warning}</Text>
        </Alert>
      )}
      <div style={{ margin: '8px 0' }}>
        <Meter
          label={t('cost.wallet.label', { left: Math.round((100 * wallet) / all), held: Math.round((100 * held) / all), spent: Math.round((100 * spent) / all) })}
          parts={[
            { percent: (100 * wallet) / all, tone: 'good' },
            { percent: (100 * held) / all, tone: 'warn' },
          ]}
        />
      </div>
      <Facts
        of={[
          [t('cost.wallet'), <Money amount={p.wallet_usd} currency={p.currency} />],
          [t('cost.held'), <Money amount={p.held_usd} currency={p.currency} />],
          [t('cost.spent'), <Money amount={p.spent_usd} currency={p.currency} />],
          [t('cost.rate'), rate !== null && <Money amount={rate.toFixed(6)} currency={p.currency} />],
          [
            t('cost.lasts'),
            rate !== null &&
              (lasts === null ? (
                t('cost.lasts.ever')
              ) : (
                <>
                  {durationText(lasts)} · <Time at={new Date(Math.round((now + lasts * 1000) / 60_000) * 60_000).toISOString()} />
                </>
              )),
          ],
        ]}
      />
      {rate !== null && rate > 0 && lasts !== null && <BurnDownChart left={left} perHour={rate} currency={p.currency ?? 'USD'} />}
    </div>
  )
}

export function Commitments() {
  const contracts = useGet('/v1/contracts')
  return (
    <Paper withBorder p="md" component="section">
      <Title order={2} mb="sm">
        {t('cost.commitments')}
      </Title>
      <Answered of={contracts}>
        {(list) =>
          list.items?.length ? (
            <Stack gap="lg">
              {list.items.map((c) => (
                <Commitment key={c.id} of={c} />
              ))}
            </Stack>
          ) : (
            <Empty title={t('cost.noContract')} hint={t('cost.noContract.hint')} />
          )
        }
      </Answered>
    </Paper>
  )
}

function Commitment({ of: c }: { of: Schemas['ContractView'] }) {
  const b = c.burn_down
  const percent = b && Number(b.committed) > 0 ? Math.round((100 * Number(b.used)) / Number(b.committed)) : 0
  const short = b && Number(b.forecast) < Number(b.committed)
  return (
    <div>
      <Text fw={600} component="div">
        {c.name} <State of={c.state} />
      </Text>
      {b && (
        <>
          <div style={{ margin: '8px 0 4px' }}>
            <Meter
              label={t('cost.burn.label', { used: percent, time: b.time_percent })}
              parts={[{ percent, tone: short ? 'warn' : 'good' }]}
              mark={b.time_percent}
            />
          </div>
          <p className="note">
            {t('cost.burn', { used: b.used, committed: b.committed, unit: b.unit, time: b.time_percent })} {t('cost.forecast', { forecast: b.forecast, unit: b.unit })}
            {short && c.take_or_pay && <> {t('cost.shortfall')}</>}
          </p>
        </>
      )}
      <Facts
        of={[
          [t('reservations.from'), <Time at={c.from} />],
          [t('reservations.until'), <Time at={c.until} />],
          ['SKU', c.sku],
          [t('cost.contract.price'), c.price],
          [t('cost.contract.prepaid'), Number(c.prepaid) > 0 ? t('cost.contract.left', { left: c.prepaid_left_now ?? c.prepaid_left, of: c.prepaid }) : undefined],
          [t('cost.contract.renews'), c.renews ? t('do.yes') : t('do.no')],
        ]}
      />
    </div>
  )
}
