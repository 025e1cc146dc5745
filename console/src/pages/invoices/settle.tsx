// What operators do with an invoice: record that it was paid; take it back.
import { TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'

import { useSend } from '../../api/queries'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { t } from '../../text/text'
import type { Invoice } from './rows'

export function PayDialog({ invoice, close }: { invoice: Invoice; close: () => void }) {
  const { draft, change, forget } = useDraft(`pay:${invoice.number}`, { amount: invoice.open, reference: '' })
  const pay = useSend('post', '/v1/invoices/{invoice}/payments', {
    refresh: ['/v1/invoices', '/v1/invoices/{invoice}'],
    done: () => {
      forget()
      close()
      notifications.show({ message: t('invoices.pay.done', { number: invoice.number }) })
    },
  })
  return (
    <Dialog
      title={t('invoices.pay.title', { number: invoice.number })}
      close={close}
      action={t('invoices.pay')}
      of={pay}
      fields={['amount', 'reference']}
      submit={() => pay.mutate({ path: { invoice: invoice.number }, body: { amount: draft.amount, reference: draft.reference || undefined } })}
    >
      <TextInput
        label={t('invoices.amount', { currency: invoice.currency })}
        value={draft.amount}
        onChange={(e) => change({ amount: e.currentTarget.value })}
        error={pay.error?.wrong('amount')}
        data-autofocus
        required
      />
      <TextInput label={t('invoices.reference')} value={draft.reference} onChange={(e) => change({ reference: e.currentTarget.value })} error={pay.error?.wrong('reference')} />
    </Dialog>
  )
}

export function VoidDialog({ invoice, close }: { invoice: Invoice; close: () => void }) {
  const { draft, change, forget } = useDraft(`void:${invoice.number}`, { why: '' })
  const take = useSend('post', '/v1/invoices/{invoice}/void', {
    refresh: ['/v1/invoices', '/v1/invoices/{invoice}'],
    done: (note) => {
      forget()
      close()
      notifications.show({ message: t('invoices.voided', { number: invoice.number, note: note.number }) })
    },
  })
  return (
    <Dialog
      title={t('invoices.void.sure', { number: invoice.number })}
      what={t('invoices.void.what')}
      close={close}
      action={t('invoices.void')}
      of={take}
      fields={['why']}
      danger
      submit={() => take.mutate({ path: { invoice: invoice.number }, body: { why: draft.why } })}
    >
      <TextInput label={t('invoices.why')} required value={draft.why} onChange={(e) => change({ why: e.currentTarget.value })} error={take.error?.wrong('why')} />
    </Dialog>
  )
}
