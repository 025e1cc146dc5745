// An org's contracts: how far this month's commitment is used up, what each says; signing and ending.
import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { Dialog, Frame } from '../../parts/dialog'
import { useFilters } from '../../parts/filters'
import { Listed } from '../../parts/listed'
import { Money, moneyText } from '../../parts/money'
import { State } from '../../parts/state'
import { Answered, Facts } from '../../parts/states'
import { t, word } from '../../text/text'
import { SignContract } from './contract_form'
import './customers.css'

type Contract = Schemas['ContractView']

export function Contracts({ org, currency }: { org: string; currency?: string }) {
  const contracts = useGet('/v1/contracts', { query: { org } })
  const [filters, setFilters] = useFilters({ contract: '' })
  const [signing, setSigning] = useState(false)
  const [ending, setEnding] = useState<Contract | null>(null)
  const button = (
    <Button size="xs" variant="default" onClick={() => setSigning(true)}>
      {t('contracts.sign')}
    </Button>
  )
  const shown = contracts.data?.items?.find((c) => c.id === filters.contract)
  return (
    <>
      <Answered of={contracts}>
        {(list) => (
          <Listed
            title
            label={t('contracts.title')}
            action={list.items?.length ? button : undefined}
            empty={{ title: t('contracts.empty'), hint: t('contracts.empty.hint'), action: button }}
            rows={list.items ?? []}
            id={(c) => c.id}
            columns={[
              { id: 'name', head: t('workloads.name'), sort: (c) => c.name, cell: (c) => <Link to="." search={(before: object) => ({ ...before, contract: c.id }) as never}>{c.name}</Link> },
              { id: 'state', head: t('workloads.state'), sort: (c) => c.state, cell: (c) => <State of={c.state} /> },
              { id: 'term', head: t('contracts.term'), sort: (c) => c.from, cell: (c) => termOf(c) },
              { id: 'commitment', head: t('contracts.commitment'), cell: (c) => commitmentOf(c, currency), wide: true },
              { id: 'used', head: t('contracts.thisMonth'), cell: (c) => c.burn_down && <BurnDown of={c.burn_down} />, wide: true },
              { id: 'prepaid', head: t('contracts.prepaidLeft'), figures: true, cell: (c) => <Money amount={c.prepaid_left_now ?? c.prepaid_left} currency={currency} />, wide: true },
              {
                id: 'do',
                head: '',
                figures: true,
                cell: (c) =>
                  c.state !== 'ended' && (
                    <Button size="compact-xs" variant="default" aria-label={`${t('contracts.end')}: ${c.name}`} onClick={() => setEnding(c)}>
                      {t('contracts.end')}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Answered>
      {signing && <SignContract org={org} currency={currency} close={() => setSigning(false)} />}
      {shown && <Details of={shown} currency={currency} close={() => setFilters({ contract: '' })} />}
      {ending && <EndDialog contract={ending} close={() => setEnding(null)} />}
    </>
  )
}

function termOf(c: Contract): string {
  return `${c.from.slice(0, 7)} – ${c.until.slice(0, 7)}${c.renews ? ` ${t('contracts.renews')}` : ''}`
}

function amountOf(c: Contract, amount: string, currency?: string): string {
  return c.commitment === 'spend' ? moneyText(amount, currency) : t('budgets.gpuHours', { n: amount })
}

function commitmentOf(c: Contract, currency?: string): string {
  const steps = (c.ramp ?? []).map((s) => amountOf(c, s.amount, currency))
  return [steps.join(' → ') || word(c.commitment), c.sku, c.price && moneyText(c.price, currency)].filter(Boolean).join(' · ')
}

function Details({ of: c, currency, close }: { of: Contract; currency?: string; close: () => void }) {
  return (
    <Frame title={c.name} close={close} size="lg">
      <Facts
        of={[
          [t('workloads.state'), <State of={c.state} />],
          [t('contracts.term'), termOf(c)],
          [
            t('contracts.commitment'),
            (c.ramp ?? []).length > 0 &&
              c.ramp!.map((s) => (
                <div key={s.month}>
                  {t('contracts.ramp.from', { n: s.month + 1 })} {amountOf(c, s.amount, currency)}
                </div>
              )),
          ],
          [t('money.sku'), c.sku],
          [t('contracts.price'), c.price && <Money amount={c.price} currency={currency} />],
          [t('contracts.overage'), c.overage_price && <Money amount={c.overage_price} currency={currency} />],
          [t('contracts.shortfall'), t(c.take_or_pay ? 'contracts.shortfall.month' : 'contracts.shortfall.term')],
          [t('contracts.prepaid'), <Money amount={c.prepaid} currency={currency} />],
          [t('contracts.prepaidLeft'), <Money amount={c.prepaid_left_now ?? c.prepaid_left} currency={currency} />],
          [
            t('contracts.sla'),
            (c.sla ?? []).length > 0 && c.sla!.map((s) => <div key={s.below_percent}>{t('contracts.sla.step', { below: s.below_percent, credit: s.credit_percent })}</div>),
          ],
          [t('contracts.reservations'), (c.reservations ?? []).join(', ')],
          ['Id', c.id],
        ]}
      />
    </Frame>
  )
}

function BurnDown({ of }: { of: NonNullable<Contract['burn_down']> }) {
  const share = Number(of.committed) > 0 ? Number(of.used) / Number(of.committed) : 0
  return (
    <span title={t('contracts.burn', { forecast: of.forecast, unit: of.unit, percent: of.time_percent })}>
      <span className="share" aria-hidden>
        <span style={{ width: `${Math.min(100, share * 100)}%` }} />
        <i style={{ left: `${of.time_percent}%` }} />
      </span>{' '}
      {of.used} / {of.committed} {of.unit}
    </span>
  )
}

function EndDialog({ contract, close }: { contract: Contract; close: () => void }) {
  const end = useSend('delete', '/v1/contracts/{contract}', {
    refresh: ['/v1/contracts'],
    done: () => {
      close()
      notifications.show({ message: t('contracts.ended', { name: contract.name }) })
    },
  })
  return (
    <Dialog
      title={t('contracts.end.sure', { name: contract.name })}
      what={t('contracts.end.what')}
      close={close}
      action={t('contracts.end')}
      of={end}
      danger
      submit={() => end.mutate({ path: { contract: contract.id } })}
    />
  )
}
