// All invoices and credit notes, newest first; and issuing one.
import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'

import { get, Problem, type Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useDraft } from '../../parts/draft'
import { useFilters } from '../../parts/filters'
import { Money } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { Answered, Empty, ErrorBox, Loading, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { Issuer } from './issuer'
import { monthText } from './sums'

export type Bill = Schemas['InvoiceView']

export function BillRows({ label, items, end }: { label: string; items: Bill[]; end?: () => void }) {
  return (
    <Rows
      label={label}
      rows={items}
      id={(i) => i.id}
      open={(i) => `/invoices/${i.number}`}
      end={end}
      columns={[
        { id: 'number', head: t('bills.number'), cell: (i) => <><Link to={`/invoices/${i.number}`}>{i.number}</Link> <Emulated is={i.emulated} /></> },
        { id: 'org', head: t('bills.org'), cell: (i) => i.org },
        { id: 'kind', head: t('bills.kind'), cell: (i) => word(i.kind), wide: true },
        { id: 'state', head: t('workloads.state'), cell: (i) => <State of={i.state} /> },
        { id: 'from', head: t('bills.period'), cell: (i) => i.from.slice(0, 7), wide: true },
        { id: 'due', head: t('bills.due'), cell: (i) => i.due_at && <Time at={i.due_at} />, wide: true },
        { id: 'total', head: t('bills.total'), figures: true, cell: (i) => <Money amount={i.total} currency={i.currency} /> },
        { id: 'open', head: t('bills.open'), figures: true, cell: (i) => <Money amount={i.open} currency={i.currency} /> },
      ]}
    />
  )
}

export default function Bills() {
  const [filters, setFilters] = useFilters({ org: '', state: '' })
  const [issuing, setIssuing] = useState(false)
  const orgs = useGet('/v1/orgs')
  const query = { limit: '200', org: filters.org }
  const bills = useInfiniteQuery({
    queryKey: ['/v1/invoices', { query }, 'pages'],
    queryFn: ({ pageParam, signal }) => get('/v1/invoices', { query: { ...query, cursor: pageParam } }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  })
  const all = useMemo(() => bills.data?.pages.flatMap((p) => p.items ?? []) ?? [], [bills.data])
  const items = filters.state ? all.filter((i) => i.state === filters.state) : all
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = bills
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  usePalette([{ label: t('bills.issue'), run: () => setIssuing(true) }])
  const filtered = filters.org !== '' || filters.state !== ''
  const issue = (
    <Button size="xs" onClick={() => setIssuing(true)}>
      {t('bills.issue')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('bills.title')} lead={t('bills.lead')}>
        <Select size="xs" w={160} clearable searchable placeholder={t('bills.org')} aria-label={t('bills.org')} value={filters.org || null} onChange={(org) => setFilters({ org: org ?? '' }, { push: true })} data={orgs.data?.items?.map((o) => o.name) ?? []} />
        <Select
          size="xs"
          w={140}
          clearable
          placeholder={t('workloads.state')}
          aria-label={t('workloads.state')}
          value={filters.state || null}
          onChange={(state) => setFilters({ state: state ?? '' }, { push: true })}
          data={['issued', 'overdue', 'paid', 'voided'].map((s) => ({ value: s, label: word(s) }))}
        />
        <Issuer />
        {issue}
      </PageHead>
      {bills.error && <ErrorBox error={bills.error as Problem} retry={() => void bills.refetch()} />}
      {bills.isPending && <Loading />}
      {bills.data && items.length === 0 && <Empty title={filtered ? t('table.noMatch') : t('bills.empty')} hint={filtered ? undefined : t('bills.empty.hint')} action={filtered ? undefined : issue} />}
      {items.length > 0 && <BillRows label={t('bills.title')} items={items} end={more} />}
      <IssueDialog opened={issuing} close={() => setIssuing(false)} orgs={orgs.data?.items?.map((o) => o.name) ?? []} org={filters.org} />
    </>
  )
}

function IssueDialog({ opened, close, orgs, org }: { opened: boolean; close: () => void; orgs: string[]; org: string }) {
  const navigate = useNavigate()
  const { draft, change, forget } = useDraft('issue', { org, month: monthText(new Date(), 1), now: '' })
  const draftAsked = { org: draft.org, month: draft.month, until: draft.now || undefined }
  const preview = useGet('/v1/draft', { query: draftAsked }, { enabled: opened && draft.org !== '' && /^\d{4}-\d{2}$/.test(draft.month) })
  const issue = useSend('post', '/v1/invoices', {
    refresh: ['/v1/invoices', '/v1/draft'],
    done: (made) => {
      forget()
      close()
      notifications.show({ message: t('bills.issued', { number: made.number }) })
      void navigate({ to: '/invoices/$invoice', params: { invoice: made.number } })
    },
  })
  const months = [0, 1, 2, 3].map((back) => monthText(new Date(), back))
  return (
    <Modal opened={opened} onClose={close} title={t('bills.issue')} size="lg" closeButtonProps={{ 'aria-label': t('do.close') }}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          issue.mutate({ body: { org: draft.org, month: draft.month, until: draft.now || undefined } })
        }}
      >
        <Stack>
          <Group grow align="flex-start">
            <Select label={t('bills.org')} searchable required value={draft.org || null} onChange={(o) => change({ org: o ?? '' })} data={orgs} error={issue.error?.wrong('org')} data-autofocus />
            <Select
              label={t('bills.month')}
              value={draft.month}
              onChange={(m) => change({ month: m ?? '', now: m === months[0] ? 'now' : '' })}
              data={months}
              description={draft.now ? t('bills.interim') : undefined}
              error={issue.error?.wrong('month')}
            />
          </Group>
          {draft.org && (
            <Answered of={preview}>
              {(d) => (
                <Stack gap="xs">
                  <Text>
                    {t('bills.draft', { lines: (d.lines ?? []).length })} <b><Money amount={d.total} currency={d.currency} /></b>, {t('bills.payable')} <b><Money amount={d.payable} currency={d.currency} /></b> <Emulated is={d.emulated} />
                  </Text>
                  <Lines of={d} />
                </Stack>
              )}
            </Answered>
          )}
          {issue.error && <ErrorBox error={issue.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('do.cancel')}
            </Button>
            <Button type="submit" loading={issue.isPending} disabled={!draft.org}>
              {t('bills.issue')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

const shown_lines = 200

function Lines({ of: d }: { of: Bill }) {
  const lines = d.lines ?? []
  if (lines.length === 0) return null
  return (
    <Stack gap="xs" mah={260} style={{ overflowY: 'auto' }} tabIndex={0} role="region" aria-label={t('bills.lines')}>
      {lines.slice(0, shown_lines).map((l, i) => (
        <Group key={i} justify="space-between" wrap="nowrap" style={{ flexShrink: 0 }}>
          <Text truncate title={l.description}>{l.description}</Text>
          <Money amount={l.amount} currency={d.currency} />
        </Group>
      ))}
      {lines.length > shown_lines && <Text c="dimmed">{t('bills.more', { n: lines.length - shown_lines })}</Text>}
    </Stack>
  )
}

export function PayDialog({ bill, opened, close }: { bill: Bill; opened: boolean; close: () => void }) {
  const { draft, change, forget } = useDraft(`pay:${bill.number}`, { amount: bill.open, reference: '' })
  const pay = useSend('post', '/v1/invoices/{invoice}/payments', {
    refresh: ['/v1/invoices', '/v1/invoices/{invoice}'],
    done: () => {
      forget()
      close()
      notifications.show({ message: t('bills.paid', { number: bill.number }) })
    },
  })
  return (
    <Modal opened={opened} onClose={close} title={t('bills.pay.title', { number: bill.number })} closeButtonProps={{ 'aria-label': t('do.close') }}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          pay.mutate({ path: { invoice: bill.number }, body: { amount: draft.amount, reference: draft.reference || undefined } })
        }}
      >
        <Stack>
          <TextInput label={t('bills.amount', { currency: bill.currency })} value={draft.amount} onChange={(e) => change({ amount: e.currentTarget.value })} error={pay.error?.wrong('amount')} data-autofocus required />
          <TextInput label={t('bills.reference')} value={draft.reference} onChange={(e) => change({ reference: e.currentTarget.value })} error={pay.error?.wrong('reference')} />
          {pay.error && <ErrorBox error={pay.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('do.cancel')}
            </Button>
            <Button type="submit" loading={pay.isPending}>
              {t('bills.pay')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
