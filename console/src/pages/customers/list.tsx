// Customers: each org with its projects' money.
import { Button, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useFilters } from '../../parts/filters'
import { FormDialog } from '../../parts/form_dialog'
import { Money } from '../../parts/money'
import { Listed } from '../../parts/listed'
import { Answered, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t } from '../../text/text'
import { sum } from '../../parts/sums'

export default function Customers() {
  const navigate = useNavigate()
  const [filters, setFilters] = useFilters({ q: '' })
  const [adding, setAdding] = useState(false)
  const orgs = useGet('/v1/orgs')
  const projects = useGet('/v1/projects')
  const add = useSend('post', '/v1/orgs', { refresh: ['/v1/orgs'] })
  usePalette([{ label: t('customers.add'), run: () => setAdding(true) }])
  const of = (org: string) => (projects.data?.items ?? []).filter((p) => p.org === org)
  const button = (
    <Button size="xs" onClick={() => setAdding(true)}>
      {t('customers.add')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('customers.title')} lead={t('customers.lead')}>
        <TextInput size="xs" w={220} placeholder={t('customers.filter')} aria-label={t('customers.filter')} data-filter value={filters.q} onChange={(e) => setFilters({ q: e.currentTarget.value })} />
        {button}
      </PageHead>
      <Answered of={orgs}>
        {(list) => {
          const all = list.items ?? []
          const q = filters.q.toLowerCase()
          const rows = all.filter((o) => !q || o.name.toLowerCase().includes(q) || of(o.name).some((p) => p.name.toLowerCase().includes(q)))
          return (
            <Listed
              label={t('customers.title')}
              empty={all.length ? { title: t('table.noMatch') } : { title: t('customers.empty'), hint: t('customers.empty.hint'), action: button }}
              rows={rows}
              id={(o) => o.id}
              open={(o) => `/customers/${encodeURIComponent(o.name)}`}
              columns={[
                { id: 'name', head: t('customers.org'), sort: (o) => o.name, cell: (o) => <Link to="/customers/$org" params={{ org: o.name }}>{o.name}</Link> },
                { id: 'projects', head: t('customers.projects'), cell: (o) => of(o.name).map((p) => p.name).join(', '), wide: true },
                { id: 'wallet', head: t('customers.wallet'), figures: true, sort: (o) => Number(sum(of(o.name).map((p) => p.wallet_usd))), cell: (o) => <Money amount={sum(of(o.name).map((p) => p.wallet_usd))} currency={of(o.name)[0]?.currency} /> },
                { id: 'held', head: t('customers.held'), figures: true, cell: (o) => <Money amount={sum(of(o.name).map((p) => p.held_usd))} currency={of(o.name)[0]?.currency} />, wide: true },
                { id: 'spent', head: t('customers.spent'), figures: true, sort: (o) => Number(sum(of(o.name).map((p) => p.spent_usd))), cell: (o) => <Money amount={sum(of(o.name).map((p) => p.spent_usd))} currency={of(o.name)[0]?.currency} /> },
                { id: 'since', head: t('customers.since'), sort: (o) => Date.parse(o.created_at), cell: (o) => <Time at={o.created_at} />, wide: true },
              ]}
            />
          )
        }}
      </Answered>
      {adding && (
        <FormDialog
          draft="org"
          title={t('customers.add')}
          fields={[{ name: 'name', label: t('customers.name'), required: true, hint: t('customers.name.hint') }]}
          close={() => setAdding(false)}
          action={t('customers.add')}
          of={add}
          submit={(v, done) =>
            add.mutate(
              { body: { name: v.name!.trim() } },
              {
                onSuccess: (made) => {
                  done()
                  notifications.show({ message: t('customers.added', { name: made.name }) })
                  void navigate({ to: '/customers/$org', params: { org: made.name } })
                },
              },
            )
          }
        />
      )}
    </>
  )
}
