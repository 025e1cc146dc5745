// An org's contracts: how far this month's commitment is used up; signing and ending them.
import { Button, Group, Modal, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { Money, moneyText } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { State } from '../../parts/state'
import { Answered, Empty, ErrorBox } from '../../parts/states'
import { t, word } from '../../text/text'
import { monthText } from '../money/sums'
import { FormDialog } from './form'

type Contract = Schemas['ContractView']

export function Contracts({ org, currency }: { org: string; currency?: string }) {
  const contracts = useGet('/v1/contracts', { query: { org } })
  const [signing, setSigning] = useState(false)
  const [ending, setEnding] = useState<Contract | null>(null)
  const sign = useSend('post', '/v1/contracts', { refresh: ['/v1/contracts'] })
  const button = (
    <Button size="xs" variant="default" onClick={() => setSigning(true)}>
      {t('contracts.sign')}
    </Button>
  )
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{t('contracts.title')}</Title>
        {(contracts.data?.items ?? []).length > 0 && button}
      </Group>
      <Answered of={contracts}>
        {(list) => {
          const rows = list.items ?? []
          if (rows.length === 0) return <Empty title={t('contracts.empty')} hint={t('contracts.empty.hint')} action={button} />
          return (
            <Rows
              label={t('contracts.title')}
              rows={rows}
              id={(c) => c.id}
              columns={[
                { id: 'name', head: t('workloads.name'), sort: (c) => c.name, cell: (c) => c.name },
                { id: 'state', head: t('workloads.state'), sort: (c) => c.state, cell: (c) => <State of={c.state} /> },
                { id: 'term', head: t('contracts.term'), sort: (c) => c.from, cell: (c) => `${c.from.slice(0, 7)} – ${c.until.slice(0, 7)}${c.renews ? ` ${t('contracts.renews')}` : ''}` },
                { id: 'commitment', head: t('contracts.commitment'), cell: (c) => `${word(c.commitment)}${c.ramp?.[0] ? ` ${c.commitment === 'spend' ? moneyText(c.ramp[0].amount, currency) : c.ramp[0].amount}` : ''}${c.sku ? ` · ${c.sku}` : ''}${c.price ? ` · ${moneyText(c.price, currency)}` : ''}` },
                { id: 'used', head: t('contracts.thisMonth'), cell: (c) => c.burn_down && <BurnDown of={c.burn_down} />, wide: true },
                { id: 'prepaid', head: t('contracts.prepaidLeft'), figures: true, cell: (c) => <Money amount={c.prepaid_left_now ?? c.prepaid_left} currency={currency} />, wide: true },
                {
                  id: 'do',
                  head: t('customer.actions'),
                  cell: (c) =>
                    c.state !== 'ended' && (
                      <Button size="compact-xs" variant="default" aria-label={`${t('contracts.end')}: ${c.name}`} onClick={() => setEnding(c)}>
                        {t('contracts.end')}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }}
      </Answered>
      <FormDialog
        draft={`contract:${org}`}
        title={t('contracts.sign')}
        fields={[
          { name: 'name', label: t('customers.name'), required: true },
          { name: 'from', label: t('contracts.from'), required: true, initial: monthText(new Date(), -1), hint: '2026-12' },
          { name: 'months', label: t('contracts.months'), required: true, initial: '12' },
          { name: 'spend', label: t('contracts.spend', { currency: currency ?? 'USD' }), hint: t('contracts.oneOf') },
          { name: 'gpu_hours', label: t('contracts.gpuHours'), hint: t('contracts.oneOf') },
          { name: 'sku', label: t('money.sku'), hint: 'h100' },
          { name: 'price', label: t('contracts.price') },
          { name: 'overage_price', label: t('contracts.overage'), hint: t('contracts.overage.hint') },
          { name: 'prepaid', label: t('contracts.prepaid') },
          { name: 'renews', label: t('contracts.renews.label'), is: 'switch' },
          { name: 'at_term', label: t('contracts.atTerm'), is: 'switch' },
        ]}
        opened={signing}
        close={() => setSigning(false)}
        action={t('contracts.sign')}
        error={sign.error}
        busy={sign.isPending}
        submit={(v, done) =>
          sign.mutate(
            {
              body: {
                org,
                name: v.name!.trim(),
                from: v.from!.trim(),
                months: Number(v.months),
                spend: v.spend || undefined,
                gpu_hours: v.gpu_hours || undefined,
                sku: v.sku || undefined,
                price: v.price || undefined,
                overage_price: v.overage_price || undefined,
                prepaid: v.prepaid || undefined,
                renews: v.renews === 'yes',
                take_or_pay: v.at_term !== 'yes',
              },
            },
            {
              onSuccess: (made) => {
                done()
                notifications.show({ message: t('contracts.signed', { name: made.name }) })
              },
            },
          )
        }
      />
      {ending && <EndDialog contract={ending} close={() => setEnding(null)} />}
    </section>
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
    <Modal opened onClose={close} title={t('contracts.end.sure', { name: contract.name })} closeButtonProps={{ 'aria-label': t('do.close') }}>
      <Stack>
        <Text>{t('contracts.end.what')}</Text>
        {end.error && <ErrorBox error={end.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('do.cancel')}
          </Button>
          <Button color="red.9" loading={end.isPending} onClick={() => end.mutate({ path: { contract: contract.id } })} data-autofocus>
            {t('contracts.end')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
