// Closing a month: prove it first, then invoice everyone, seal it, and see what was found.
import { Alert, Button, Group, Select, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { Dialog } from '../../parts/dialog'
import { useFilters } from '../../parts/filters'
import { Section } from '../../parts/listed'
import { Rows } from '../../parts/rows'
import { Answered, Empty, ErrorBox, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t } from '../../text/text'
import { monthText } from '../../parts/month'

export default function Close() {
  const [filters, setFilters] = useFilters({ month: monthText(new Date(), 1) })
  const [asking, ask] = useState(false)
  const [wanted, want] = useState('')
  const audit = useGet('/v1/audit', { query: { month: filters.month } }, { enabled: wanted === filters.month })
  const close = useSend('post', '/v1/close', {
    refresh: ['/v1/invoices', '/v1/audit'],
    done: () => ask(false),
  })
  const examine = () => {
    if (wanted === filters.month) void audit.refetch()
    else want(filters.month)
  }
  const current = filters.month === monthText(new Date())
  const shown = close.data?.month === filters.month ? close.data.audit : wanted === filters.month ? audit.data : undefined
  return (
    <Stack gap="lg">
      <PageHead title={t('close.title')} lead={t('close.lead')}>
        <Select size="xs" w={130} aria-label={t('invoices.month')} value={filters.month} onChange={(m) => m && setFilters({ month: m }, { push: true })} data={[...new Set([...Array.from({ length: 12 }, (_, i) => monthText(new Date(), i)), filters.month])]} />
        <Button size="xs" variant="default" loading={audit.isFetching} onClick={examine}>
          {t('close.audit')}
        </Button>
        <Button size="xs" onClick={() => ask(true)} disabled={current}>
          {t('close.do')}
        </Button>
      </PageHead>
      {current && <Text c="dimmed">{t('close.runs')}</Text>}
      {close.error && !asking && <ErrorBox error={close.error} />}
      {close.data?.month === filters.month && (
        <Alert color="green" variant="outline" title={t('close.done', { month: close.data.month, n: close.data.invoices })} role="status">
          <Group gap="sm">
            {(close.data.numbers ?? []).map((n) => (
              <Link key={n} to={`/invoices/${n}`}>
                {n}
              </Link>
            ))}
          </Group>
        </Alert>
      )}
      {shown ? (
        <Found audit={shown} />
      ) : wanted === filters.month ? (
        <Answered of={audit}>{() => null}</Answered>
      ) : (
        <Empty title={t('close.notYet', { month: filters.month })} hint={t('close.hint')} action={<Button onClick={examine}>{t('close.audit')}</Button>} />
      )}
      {asking && (
        <Dialog
          title={t('close.sure', { month: filters.month })}
          what={t('close.what')}
          close={() => ask(false)}
          action={t('close.do')}
          of={close}
          submit={() => close.mutate({ body: { month: filters.month } })}
        />
      )}
    </Stack>
  )
}

function Found({ audit }: { audit: Schemas['AuditView'] }) {
  const findings = audit.findings ?? []
  return (
    <Section title={t('close.result', { month: audit.month })}>
      <Alert color={audit.holds ? 'green' : 'red'} variant="outline" title={audit.holds ? t('close.holds') : t('close.fails')} mb="md">
        {audit.sealed_until && (
          <Text c="var(--mantine-color-text)">
            {t('close.sealed')} <Time at={audit.sealed_until} />
          </Text>
        )}
      </Alert>
      <Rows
        label={t('close.result', { month: audit.month })}
        rows={findings}
        id={(f) => f.check}
        columns={[
          {
            id: 'holds',
            head: t('close.outcome'),
            sort: (f) => Number(f.holds),
            cell: (f) => (
              <span className="state">
                <span className={`dot ${f.holds ? 'good' : 'bad'}`} aria-hidden />
                {f.holds ? t('close.yes') : t('close.no')}
              </span>
            ),
          },
          { id: 'check', head: t('close.check'), sort: (f) => f.check, cell: (f) => <span title={f.check}>{f.check}</span>, text: true },
          { id: 'examined', head: t('close.examined'), figures: true, sort: (f) => f.examined, cell: (f) => f.examined.toLocaleString() },
          { id: 'detail', head: t('close.detail'), cell: (f) => <span title={f.detail}>{f.detail}</span>, wide: true, text: true },
        ]}
      />
    </Section>
  )
}
