// One invoice, or this month's draft: who owes what for what, its files; operators settle it here.
import { Button, Group, Paper, Stack, Table, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'

import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { useFilters } from '../../parts/filters'
import { Section } from '../../parts/listed'
import { Money } from '../../parts/money'
import { Emulated, State } from '../../parts/state'
import { Answered, Empty, ErrorBox, Facts, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { documentOf, takeUbl, type Format } from './files'
import type { Invoice } from './rows'
import { PayDialog, VoidDialog } from './settle'
import './invoices.css'

type Line = NonNullable<Invoice['lines']>[number]

const formats: [Format, string][] = [
  ['pdf', 'PDF'],
  ['csv', 'CSV'],
]

export default function InvoicePage() {
  const { invoice } = useParams({ strict: false }) as { invoice: string }
  return invoice === 'draft' ? <Draft /> : <Issued invoice={invoice} />
}

function Issued({ invoice }: { invoice: string }) {
  const found = useGet('/v1/invoices/{invoice}', { path: { invoice } })
  return <Answered of={found}>{(i) => <Shown of={i} />}</Answered>
}

function Draft() {
  const [filters] = useFilters({ org: '', month: '' })
  const draft = useGet('/v1/draft', { query: { org: filters.org || undefined, month: filters.month || undefined } })
  return <Answered of={draft}>{(i) => <Shown of={i} />}</Answered>
}

function Shown({ of: i }: { of: Invoice }) {
  const { me } = useSession()
  const [asking, ask] = useState<'' | 'pay' | 'void'>('')
  const draft = i.state === 'draft'
  const settle = me.role === 'owner' && (i.state === 'issued' || i.state === 'overdue')
  const ubl = useMutation<void, Error>({ mutationFn: () => takeUbl(i.number) })
  const actions = settle
    ? [
        { label: t('invoices.pay'), run: () => ask('pay') },
        { label: t('invoices.void'), run: () => ask('void') },
      ]
    : []
  usePalette(actions)
  const money = (amount: string) => <Money amount={amount} currency={i.currency} />
  return (
    <Stack gap="lg">
      <p className="note" style={{ margin: 0 }}>
        <Link to="/invoices">← {t('invoices.title')}</Link>
      </p>
      <PageHead
        title={draft ? t('invoices.draft') : <span className="head">{t('invoices.of', { kind: word(i.kind), number: i.number })}</span>}
        lead={
          <Group gap="md" component="span">
            <State of={i.state} />
            {me.role === 'owner' ? (
              <Link to="/customers/$org" params={{ org: i.org }}>
                {i.org}
              </Link>
            ) : (
              <span>{i.org}</span>
            )}
            <span>{i.from.slice(0, 7)}</span>
            <Emulated is={i.emulated} />
          </Group>
        }
      >
        {!draft &&
          formats.map(([format, name]) => (
            <Button key={format} component="a" size="xs" variant="default" href={documentOf(i.number, format)} download>
              {name}
            </Button>
          ))}
        {!draft && (
          <Button size="xs" variant="default" loading={ubl.isPending} onClick={() => ubl.mutate()}>
            UBL
          </Button>
        )}
        {actions.map((a) => (
          <Button key={a.label} size="xs" variant="default" onClick={a.run}>
            {a.label}
          </Button>
        ))}
      </PageHead>
      {ubl.error && <ErrorBox error={ubl.error} />}
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('invoices.payable'), <b className="big">{money(draft ? i.payable : i.open)}</b>],
            [t('invoices.total'), money(i.total)],
            [t('invoices.due'), i.due_at && <Time at={i.due_at} />],
            [t('invoices.issued'), i.issued_at && <Time at={i.issued_at} />],
            [t('invoices.from'), <Time at={i.from} />],
            [t('invoices.until'), <Time at={i.until} />],
            [t('invoices.corrects'), i.corrects && <Link to={`/invoices/${i.corrects}`}>{i.corrects}</Link>],
            [t('invoices.note'), i.note],
          ]}
        />
      </Paper>
      {(i.lines ?? []).length === 0 ? <Empty title={t('invoices.noLines')} /> : <Lines of={i} />}
      {!draft && <p className="note">{t('invoices.hash', { hash: i.inputs_hash })}</p>}
      {asking === 'pay' && <PayDialog invoice={i} close={() => ask('')} />}
      {asking === 'void' && <VoidDialog invoice={i} close={() => ask('')} />}
    </Stack>
  )
}

const shown_lines = 1000

function Lines({ of: i }: { of: Invoice }) {
  const money = (amount: string) => <Money amount={amount} currency={i.currency} />
  const all = i.lines ?? []
  const groups = new Map<string, Line[]>()
  for (const l of all.slice(0, shown_lines)) groups.set(l.project ?? '', [...(groups.get(l.project ?? '') ?? []), l])
  return (
    <>
      {[...groups].map(([project, lines]) => (
        <Section key={project} title={project || i.org}>
          <div className="scroll-x" tabIndex={0} role="region" aria-label={project || i.org}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t('invoices.line')}</Table.Th>
                  <Table.Th ta="right">{t('invoices.quantity')}</Table.Th>
                  <Table.Th ta="right" visibleFrom="sm">{t('invoices.unitPrice')}</Table.Th>
                  <Table.Th ta="right" visibleFrom="sm">{t('invoices.coveredShort')}</Table.Th>
                  <Table.Th ta="right">{t('cost.amount')}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {lines.map((l, n) => (
                  <Table.Tr key={n}>
                    <Table.Td>
                      {l.description}
                      {l.correction && <Text size="xs" c="dimmed">{t('invoices.correction')}</Text>}
                    </Table.Td>
                    <Table.Td ta="right" className="figures">
                      {l.quantity} <span className="note">{l.unit}</span>
                    </Table.Td>
                    <Table.Td ta="right" visibleFrom="sm" className="figures">{l.unit_price}</Table.Td>
                    <Table.Td ta="right" visibleFrom="sm">{money(l.covered)}</Table.Td>
                    <Table.Td ta="right">{money(l.amount)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </Section>
      ))}
      {all.length > shown_lines && <Text c="dimmed">{t('invoices.more', { n: all.length - shown_lines })}</Text>}
      <dl className="sums">
        <Sum label={t('invoices.linesTotal')}>{money(i.lines_total)}</Sum>
        {Number(i.covered) !== 0 && <Sum label={t('invoices.coveredShort')}>−{money(i.covered)}</Sum>}
        <Sum label={t('invoices.net')}>{money(i.net)}</Sum>
        {(i.taxes ?? []).map((x) => (
          <Sum key={x.category + x.percent} label={t('invoices.tax', { percent: x.percent, category: x.category })}>
            {money(x.tax)}
          </Sum>
        ))}
        <Sum label={t('invoices.total')}>{money(i.total)}</Sum>
        {Number(i.prepaid) !== 0 && <Sum label={t('invoices.prepaid')}>−{money(i.prepaid)}</Sum>}
        <Sum label={t('invoices.payable')} strong>
          {money(i.payable)}
        </Sum>
        {Number(i.paid) !== 0 && <Sum label={t('invoices.paid')}>−{money(i.paid)}</Sum>}
      </dl>
    </>
  )
}

function Sum({ label, children, strong }: { label: string; children: ReactNode; strong?: boolean }) {
  return (
    <div className={strong ? 'strong' : undefined}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}
