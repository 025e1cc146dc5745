// Budgets and their alerts: how far each is, setting and removing one.
import { Button, Group, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { Dialog } from '../../parts/dialog'
import { useFilters } from '../../parts/filters'
import { Meter } from '../../parts/meter'
import { Money } from '../../parts/money'
import { Answered, Empty, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t } from '../../text/text'
import { SetBudget } from './budget_form'
import { CostTabs } from './tabs'
import './cost.css'

export type Budget = Schemas['BudgetView']

export default function Budgets() {
  const { me } = useSession()
  const [filters, setFilters] = useFilters({ set: '' })
  const [removing, remove] = useState<Budget | null>(null)
  const budgets = useGet('/v1/budgets')
  const set = (name: string) => setFilters({ set: name }, { push: true })
  usePalette([{ label: t('budgets.new'), run: () => set('new') }])
  return (
    <>
      <PageHead title={t('budgets.title')} lead={t('budgets.lead')}>
        <Button size="xs" onClick={() => set('new')}>
          {t('budgets.new')}
        </Button>
      </PageHead>
      <CostTabs />
      <Answered of={budgets}>
        {(list) => (
          <>
            {(list.items ?? []).length === 0 && (
              <Empty
                title={t('budgets.empty')}
                hint={t('budgets.empty.hint')}
                command="ampacity budgets set --limit 500usd --per month --alert 50,80,100 --stop"
                action={<Button onClick={() => set('new')}>{t('budgets.new')}</Button>}
              />
            )}
            <ul className="budgets">
              {(list.items ?? []).map((b) => (
                <li key={b.id}>
                  <Standing of={b} />
                  {(me.role === 'owner' || !b.by_operator) && (
                    <Group gap="xs" mt="xs">
                      <Button size="compact-xs" variant="default" onClick={() => set(b.name)} aria-label={`${t('budgets.change')}: ${b.name}`}>
                        {t('budgets.change')}
                      </Button>
                      <Button size="compact-xs" variant="default" onClick={() => remove(b)} aria-label={`${t('do.remove')}: ${b.name}`}>
                        {t('do.remove')}
                      </Button>
                    </Group>
                  )}
                </li>
              ))}
            </ul>
            {filters.set && <SetBudget key={filters.set} of={list.items?.find((b) => b.name === filters.set)} close={() => setFilters({ set: '' })} />}
          </>
        )}
      </Answered>
      {removing && <RemoveDialog of={removing} close={() => remove(null)} />}
    </>
  )
}

function amount(of: Budget, value: string) {
  if (of.unit === 'gpu_hours') return t('budgets.gpuHours', { n: value })
  return <Money amount={value} currency={of.unit.toUpperCase()} />
}

function Standing({ of: b }: { of: Budget }) {
  const limit = Number(b.limit) || 1
  const used = (100 * Number(b.used)) / limit
  const held = (100 * Number(b.held)) / limit
  const over = b.percent >= 100
  return (
    <>
      <Group justify="space-between" align="baseline">
        <Text fw={600} size="md">
          {b.name}
        </Text>
        <span className="figures">
          {amount(b, b.used)} <span className="note">{t('budgets.of')}</span> {amount(b, b.limit)} <span className="note">{t(`budgets.per.${b.per}`)}</span>
        </span>
      </Group>
      <div className="budget-bar">
        <Meter
          label={t('budgets.label', { percent: b.percent })}
          parts={[
            { percent: used, tone: over ? 'bad' : b.percent >= 80 ? 'warn' : 'good' },
            { percent: held, tone: 'idle' },
          ]}
        />
        {(b.alerts ?? []).map((a) => (
          <i key={a} style={{ insetInlineStart: `${Math.min(100, a)}%` }} aria-hidden />
        ))}
      </div>
      <p className="note">
        {t('budgets.left')} {amount(b, b.left)}
        {Number(b.held) > 0 && (
          <>
            {' · '}
            {t('budgets.held')} {amount(b, b.held)}
          </>
        )}
        {' · '}
        {b.key ? t('budgets.ofKey', { key: b.key }) : b.project ? t('budgets.ofProject', { project: b.project }) : t('budgets.ofOrg', { org: b.org })}
        {b.until && (
          <>
            {' · '}
            {t('budgets.until')} <Time at={b.until} />
          </>
        )}
        {b.by_operator && <> · {t('budgets.byOperator')}</>}
      </p>
      <p className="note">
        {b.alerts?.length ? t('budgets.alertsAt', { at: b.alerts.map((a) => `${a}%${b.fired?.includes(a) ? ' ✓' : ''}`).join(', ') }) : t('budgets.noAlerts')}
        {' · '}
        {b.stop ? t('budgets.stops') : b.block ? t('budgets.blocks') : t('budgets.onlyTells')}
      </p>
      {b.reached_at && (
        <p className="budget-warn" role="status">
          {t('budgets.reached')} <Time at={b.reached_at} />
        </p>
      )}
    </>
  )
}

function RemoveDialog({ of, close }: { of: Budget; close: () => void }) {
  const remove = useSend('delete', '/v1/budgets/{budget}', {
    refresh: ['/v1/budgets'],
    done: () => {
      close()
      notifications.show({ message: t('budgets.removed', { name: of.name }) })
    },
  })
  return (
    <Dialog
      title={t('budgets.remove.sure', { name: of.name })}
      what={t('budgets.remove.what')}
      close={close}
      action={t('do.remove')}
      of={remove}
      danger
      submit={() => remove.mutate({ path: { budget: of.id } })}
    />
  )
}
