// Invoices and credit notes as rows.
import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { Schemas } from '../../api/client'
import { Money } from '../../parts/money'
import { Rows, type Column } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { documentOf } from './files'

export type Invoice = Schemas['InvoiceView']

// `whose`: of several customers. They come by pages, in their order, so none is sorted by.
export function InvoiceRows({ label, items, whose, end }: { label: string; items: Invoice[]; whose: boolean; end?: () => void }) {
  const columns: Column<Invoice>[] = [
    { id: 'number', head: t('invoices.number'), cell: (i) => <><Link to={`/invoices/${i.number}`}>{i.number}</Link> <Emulated is={i.emulated} /></> },
    ...(whose ? [{ id: 'org', head: t('invoices.org'), cell: (i: Invoice) => i.org }] : []),
    { id: 'kind', head: t('invoices.kind'), cell: (i) => word(i.kind), wide: true },
    { id: 'month', head: t('invoices.period'), cell: (i) => i.from.slice(0, 7), wide: true },
    { id: 'state', head: t('workloads.state'), cell: (i) => <State of={i.state} /> },
    { id: 'due', head: t('invoices.due'), cell: (i) => i.due_at && <Time at={i.due_at} />, wide: true },
    { id: 'total', head: t('invoices.total'), figures: true, cell: (i) => <Money amount={i.total} currency={i.currency} /> },
    { id: 'open', head: t('invoices.open'), figures: true, cell: (i) => <Money amount={i.open} currency={i.currency} />, wide: !whose },
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
  return <Rows label={label} rows={items} id={(i) => i.id} open={(i) => `/invoices/${i.number}`} end={end} columns={columns} />
}
