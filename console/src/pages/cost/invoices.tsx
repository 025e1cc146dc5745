// Invoices and credit notes, and what the next one would ask for now.
import { Anchor, Paper, Select, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import type { Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { useSession } from '../../app/session'
import { useFilters } from '../../parts/filters'
import { Money } from '../../parts/money'
import { Rows, type Column } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { Answered, Empty, PageHead } from '../../parts/states'
import { t, word } from '../../text/text'
import { documentOf } from './invoice_parts'
import { CostTabs } from './tabs'
import './cost.css'

type Invoice = Schemas['InvoiceView']

export default function Invoices() {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const [filters, setFilters] = useFilters({ org: '' })
  const orgs = useGet('/v1/orgs', undefined, { enabled: owner })
  const invoices = useGet('/v1/invoices', { query: { org: filters.org || undefined } }, { keep: true })
  const columns = useMemo(() => columnsFor(owner), [owner])
  return (
    <>
      <PageHead title={t('invoices.title')} lead={t('invoices.lead')}>
        {owner && (
          <Select
            size="xs"
            w={180}
            clearable
            searchable
            placeholder={t('budgets.org')}
            aria-label={t('budgets.org')}
            value={filters.org || null}
            onChange={(org) => setFilters({ org: org ?? '' }, { push: true })}
            data={orgs.data?.items?.map((o) => o.name) ?? []}
          />
        )}
      </PageHead>
      <CostTabs />
      {(!owner || filters.org) && <Draft org={filters.org} />}
      <Answered of={invoices}>
        {(list) =>
          list.items?.length ? (
            <Rows label={t('invoices.title')} rows={list.items} columns={columns} id={(i) => i.id} open={(i) => `/cost/invoices/${i.number}`} />
          ) : (
            <Empty title={t('invoices.empty')} hint={t('invoices.empty.hint')} />
          )
        }
      </Answered>
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
          <div className="chart-head">
            <div>
              <Text fw={600}>{t('invoices.draft')}</Text>
              <p className="big">
                <Money amount={d.payable} currency={d.currency} />
              </p>
              <p className="note">
                {t('invoices.used')} <Money amount={d.total} currency={d.currency} /> · {t('invoices.covered')} <Money amount={d.covered} currency={d.currency} />{' '}
                <Emulated is={d.emulated} />
              </p>
            </div>
            <Link to="/cost/invoices/draft" search={(org ? { org } : {}) as never}>
              {t('invoices.see')}
            </Link>
          </div>
        )}
      </Answered>
    </Paper>
  )
}

function columnsFor(owner: boolean): Column<Invoice>[] {
  const columns: Column<Invoice>[] = [
    { id: 'number', head: t('invoices.number'), cell: (i) => <Link to={`/cost/invoices/${i.number}`}>{i.number}</Link>, sort: (i) => i.number },
    { id: 'kind', head: t('invoices.kind'), cell: (i) => word(i.kind), sort: (i) => i.kind, wide: true },
    {
      id: 'month',
      head: t('invoices.period'),
      cell: (i) => (
        <>
          {i.from.slice(0, 7)} <Emulated is={i.emulated} />
        </>
      ),
      sort: (i) => i.from,
      wide: true,
    },
    { id: 'state', head: t('workloads.state'), cell: (i) => <State of={i.state} />, sort: (i) => i.state },
    { id: 'due', head: t('invoices.due'), cell: (i) => i.due_at && <span className="figures">{i.due_at.slice(0, 10)}</span>, sort: (i) => i.due_at ?? '', wide: true },
    { id: 'total', head: t('invoices.total'), cell: (i) => <Money amount={i.total} currency={i.currency} />, sort: (i) => Number(i.total), figures: true },
    { id: 'open', head: t('invoices.open'), cell: (i) => <Money amount={i.open} currency={i.currency} />, sort: (i) => Number(i.open), figures: true, wide: true },
    {
      id: 'pdf',
      head: '',
      cell: (i) => (
        <Anchor size="sm" href={documentOf(i.number, 'pdf')} download aria-label={`PDF: ${i.number}`}>
          PDF
        </Anchor>
      ),
      figures: true,
      wide: true,
    },
  ]
  if (owner) columns.splice(1, 0, { id: 'org', head: t('budgets.org'), cell: (i) => i.org, sort: (i) => i.org, wide: true })
  return columns
}
