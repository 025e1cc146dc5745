// Invoices and credit notes, newest first, and what this month comes to; operators issue them here.
import { Button, Paper, Select, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'

import { get } from '../../api/client'
import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { useFilters } from '../../parts/filters'
import { Money } from '../../parts/money'
import { Emulated } from '../../parts/state'
import { Answered, Empty, ErrorBox, Loading, PageHead } from '../../parts/states'
import { t, word } from '../../text/text'
import { IssueDialog } from './issue'
import { Issuer } from './issuer'
import { InvoiceRows } from './rows'
import './invoices.css'

export default function Invoices() {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const [filters, setFilters] = useFilters({ org: '', state: '' })
  const [issuing, setIssuing] = useState(false)
  const orgs = useGet('/v1/orgs', undefined, { enabled: owner })
  const names = orgs.data?.items?.map((o) => o.name) ?? []
  const query = { limit: '200', org: filters.org }
  const pages = useInfiniteQuery({
    queryKey: ['/v1/invoices', { query }, 'pages'],
    queryFn: ({ pageParam, signal }) => get('/v1/invoices', { query: { ...query, cursor: pageParam } }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  })
  const all = useMemo(() => pages.data?.pages.flatMap((p) => p.items ?? []) ?? [], [pages.data])
  const items = filters.state ? all.filter((i) => i.state === filters.state) : all
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  usePalette(owner ? [{ label: t('invoices.issue'), run: () => setIssuing(true) }] : [])
  const filtered = filters.org !== '' || filters.state !== ''
  const issue = owner && (
    <Button size="xs" onClick={() => setIssuing(true)}>
      {t('invoices.issue')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('invoices.title')} lead={t(owner ? 'invoices.lead.all' : 'invoices.lead')}>
        {owner && (
          <Select
            size="xs"
            w={160}
            clearable
            searchable
            placeholder={t('invoices.org')}
            aria-label={t('invoices.org')}
            value={filters.org || null}
            onChange={(org) => setFilters({ org: org ?? '' }, { push: true })}
            data={names}
          />
        )}
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
        {owner && <Issuer />}
        {issue}
      </PageHead>
      {(!owner || filters.org) && <Draft org={filters.org} />}
      {pages.error && <ErrorBox error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isPending && <Loading />}
      {pages.data && items.length === 0 && (
        <Empty
          title={filtered ? t('table.noMatch') : t('invoices.empty')}
          hint={filtered ? undefined : t(owner ? 'invoices.empty.issue' : 'invoices.empty.hint')}
          action={!filtered && issue}
        />
      )}
      {items.length > 0 && <InvoiceRows label={t('invoices.title')} items={items} whose={owner} end={more} />}
      {issuing && <IssueDialog close={() => setIssuing(false)} orgs={names} org={filters.org} />}
    </>
  )
}

// This month until now.
function Draft({ org }: { org: string }) {
  const draft = useGet('/v1/draft', { query: { org: org || undefined } })
  return (
    <Paper withBorder p="md" mb="lg">
      <Answered of={draft}>
        {(d) => (
          <div className="draft">
            <div>
              <Text fw={600}>{t('invoices.draft')}</Text>
              <p className="big">
                <Money amount={d.payable} currency={d.currency} />
              </p>
              <p className="note">
                {t('invoices.used')} <Money amount={d.lines_total} currency={d.currency} /> · {t('invoices.covered')} <Money amount={d.covered} currency={d.currency} />{' '}
                <Emulated is={d.emulated} />
              </p>
            </div>
            <Link to="/invoices/draft" search={(org ? { org } : {}) as never}>
              {t('invoices.see')}
            </Link>
          </div>
        )}
      </Answered>
    </Paper>
  )
}
