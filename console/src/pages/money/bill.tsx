// One invoice: its lines, taxes, what is paid; as a file; payment and taking it back.
import { Button, Group, Modal, Paper, Stack, Text, TextInput, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useDraft } from '../../parts/draft'
import { Money } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { Answered, Empty, ErrorBox, Facts, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { PayDialog, type Bill } from './bills'

export default function BillPage() {
  const { invoice } = useParams({ strict: false }) as { invoice: string }
  const found = useGet('/v1/invoices/{invoice}', { path: { invoice } })
  return <Answered of={found}>{(b) => <Shown bill={b} />}</Answered>
}

function Shown({ bill }: { bill: Bill }) {
  const [asking, ask] = useState<'' | 'pay' | 'void'>('')
  const payable = bill.state === 'issued' || bill.state === 'overdue'
  const document = (format: string) => `/v1/invoices/${encodeURIComponent(bill.number)}/document?format=${format}`
  const actions = [
    ...(payable ? [{ label: t('bills.pay'), run: () => ask('pay') }] : []),
    ...(payable ? [{ label: t('bills.void'), run: () => ask('void') }] : []),
  ]
  usePalette(actions)
  const money = (amount: string) => <Money amount={amount} currency={bill.currency} />
  const lines = bill.lines ?? []
  return (
    <Stack gap="lg">
      <PageHead
        title={bill.number}
        lead={
          <Group gap="md" component="span">
            <State of={bill.state} />
            <Link to="/customers/$org" params={{ org: bill.org }}>
              {bill.org}
            </Link>
            <span>{word(bill.kind)}</span>
            <Emulated is={bill.emulated} />
          </Group>
        }
      >
        {(['pdf', 'ubl', 'csv'] as const).map((f) => (
          <Button key={f} size="xs" variant="default" component="a" href={document(f)} download>
            {f.toUpperCase()}
          </Button>
        ))}
        {actions.map((a) => (
          <Button key={a.label} size="xs" variant="default" onClick={a.run}>
            {a.label}
          </Button>
        ))}
      </PageHead>
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('bills.total'), money(bill.total)],
            [t('bills.covered'), money(bill.covered)],
            [t('bills.tax'), money(bill.tax)],
            [t('bills.prepaid'), money(bill.prepaid)],
            [t('bills.payableLabel'), money(bill.payable)],
            [t('bills.paidLabel'), money(bill.paid)],
            [t('bills.open'), money(bill.open)],
            [t('bills.issuedAt'), bill.issued_at && <Time at={bill.issued_at} />],
            [t('bills.due'), bill.due_at && <Time at={bill.due_at} />],
            [t('bills.period'), <><Time at={bill.from} /> – <Time at={bill.until} /></>],
            [t('bills.corrects'), bill.corrects && <Link to={`/invoices/${bill.corrects}`}>{bill.corrects}</Link>],
            [t('bills.note'), bill.note],
          ]}
        />
      </Paper>
      <section>
        <Title order={2} mb="xs">
          {t('bills.lines')}
        </Title>
        {lines.length === 0 ? (
          <Empty title={t('bills.noLines')} />
        ) : (
          <Rows
            label={t('bills.lines')}
            rows={lines.map((l, i) => ({ ...l, i }))}
            id={(l) => String(l.i)}
            columns={[
              { id: 'what', head: t('events.text'), text: true, sort: (l) => l.description, cell: (l) => <span title={l.description}>{l.description}{l.correction ? ` (${t('bills.correction')})` : ''}</span> },
              { id: 'project', head: t('workloads.project'), sort: (l) => l.project ?? '', cell: (l) => l.project, wide: true },
              { id: 'quantity', head: t('bills.quantity'), figures: true, cell: (l) => `${l.quantity} ${l.unit}`, wide: true },
              { id: 'price', head: t('bills.unitPrice'), figures: true, cell: (l) => l.unit_price && <Money amount={l.unit_price} currency={bill.currency} places={4} />, wide: true },
              { id: 'covered', head: t('bills.covered'), figures: true, sort: (l) => Number(l.covered), cell: (l) => money(l.covered), wide: true },
              { id: 'amount', head: t('bills.amountHead'), figures: true, sort: (l) => Number(l.amount), cell: (l) => money(l.amount) },
            ]}
          />
        )}
      </section>
      <PayDialog bill={bill} opened={asking === 'pay'} close={() => ask('')} />
      <VoidDialog bill={bill} opened={asking === 'void'} close={() => ask('')} />
    </Stack>
  )
}

function VoidDialog({ bill, opened, close }: { bill: Bill; opened: boolean; close: () => void }) {
  const { draft, change, forget } = useDraft(`void:${bill.number}`, { why: '' })
  const take = useSend('post', '/v1/invoices/{invoice}/void', {
    refresh: ['/v1/invoices', '/v1/invoices/{invoice}'],
    done: (note) => {
      forget()
      close()
      notifications.show({ message: t('bills.voided', { number: bill.number, note: note.number }) })
    },
  })
  return (
    <Modal opened={opened} onClose={close} title={t('bills.void.sure', { number: bill.number })} closeButtonProps={{ 'aria-label': t('do.close') }}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          take.mutate({ path: { invoice: bill.number }, body: { why: draft.why } })
        }}
      >
        <Stack>
          <Text>{t('bills.void.what')}</Text>
          <TextInput label={t('bills.why')} required value={draft.why} onChange={(e) => change({ why: e.currentTarget.value })} error={take.error?.wrong('why')} data-autofocus />
          {take.error && <ErrorBox error={take.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('do.cancel')}
            </Button>
            <Button type="submit" color="red.9" loading={take.isPending}>
              {t('bills.void')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
