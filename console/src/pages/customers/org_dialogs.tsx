// What is changed of a customer in a few fields: projects, their credit and weight, how it is billed.
import { notifications } from '@mantine/notifications'

import type { Schemas } from '../../api/client'
import { useSend } from '../../api/queries'
import { FormDialog } from '../../parts/form_dialog'
import { t } from '../../text/text'

type Project = Schemas['ProjectView']
type Billing = Schemas['BillingView']

export function AddProject({ org, close }: { org: string; close: () => void }) {
  const add = useSend('post', '/v1/projects', { refresh: ['/v1/projects'] })
  return (
    <FormDialog
      draft={`project:${org}`}
      title={t('customer.addProject')}
      fields={[{ name: 'name', label: t('customers.name'), required: true, hint: t('customers.name.hint') }]}
      close={close}
      action={t('customer.addProject')}
      of={add}
      submit={(v, done) => add.mutate({ body: { org, name: v.name!.trim() } }, { onSuccess: done })}
    />
  )
}

export function AddCredit({ project, close }: { project: Project; close: () => void }) {
  const credit = useSend('post', '/v1/credits', { refresh: ['/v1/projects'] })
  return (
    <FormDialog
      draft={`credit:${project.name}`}
      title={t('credit.title', { name: project.name })}
      what={t('credit.what')}
      fields={[
        { name: 'amount', label: t('invoices.amount', { currency: project.currency ?? 'USD' }), required: true },
        { name: 'note', label: t('invoices.note') },
      ]}
      close={close}
      action={t('credit.add')}
      of={credit}
      submit={(v, done) =>
        credit.mutate(
          { body: { project: project.name, amount: v.amount!.trim(), note: v.note || undefined } },
          {
            onSuccess: () => {
              done()
              notifications.show({ message: t('credit.added', { name: project.name }) })
            },
          },
        )
      }
    />
  )
}

// In the queue's fair share, too.
export function SetWeight({ project, weight, close }: { project: string; weight: number; close: () => void }) {
  const set = useSend('put', '/v1/projects/{project}/weight', { refresh: ['/v1/projects', '/v1/queue'] })
  return (
    <FormDialog
      draft={`weight:${project}`}
      title={t('weight.title', { name: project })}
      what={t('weight.what')}
      fields={[{ name: 'weight', label: t('queue.weight'), required: true, initial: String(weight) }]}
      close={close}
      action={t('do.save')}
      of={set}
      submit={(v, done) => set.mutate({ path: { project }, body: { weight: Number(v.weight) } }, { onSuccess: done })}
    />
  )
}

export function SetBilling({ org, billing: b, close }: { org: string; billing: Billing; close: () => void }) {
  const set = useSend('patch', '/v1/orgs/{org}/billing', { refresh: ['/v1/orgs/{org}/billing'] })
  const party = (name: 'name' | 'street' | 'postal_code' | 'city' | 'country' | 'tax_id' | 'email', label: string) => ({ name, label, initial: b.party[name] ?? '', wrong: `party.${name}` })
  return (
    <FormDialog
      draft={`billing:${org}`}
      title={t('billing.title', { name: org })}
      fields={[
        party('name', t('customer.party')),
        party('street', t('issuer.street')),
        party('postal_code', t('issuer.postal')),
        party('city', t('issuer.city')),
        party('country', t('issuer.country')),
        party('tax_id', t('customer.taxId')),
        party('email', t('issuer.email')),
        { name: 'tax_category', label: t('billing.taxCategory'), hint: t('billing.taxCategory.hint'), initial: b.tax_category },
        { name: 'tax_percent', label: t('billing.taxPercent'), initial: b.tax_percent },
        { name: 'tax_note', label: t('billing.taxNote'), hint: t('billing.taxNote.hint'), initial: b.tax_note ?? '' },
        { name: 'net_days', label: t('billing.netDays'), initial: String(b.net_days) },
      ]}
      close={close}
      action={t('do.save')}
      of={set}
      submit={(v, done) =>
        set.mutate(
          {
            path: { org },
            body: {
              party: { name: v.name, street: v.street, postal_code: v.postal_code, city: v.city, country: v.country, tax_id: v.tax_id, email: v.email },
              tax_category: v.tax_category,
              tax_percent: v.tax_percent,
              tax_note: v.tax_note,
              net_days: Number(v.net_days),
            },
          },
          { onSuccess: done },
        )
      }
    />
  )
}
