// Issuing an invoice: for a month that is over, or for this one until now.
import { Group, Select, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useNavigate } from '@tanstack/react-router'

import { useGet, useSend } from '../../api/queries'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { Money } from '../../parts/money'
import { monthText } from '../../parts/month'
import { Emulated } from '../../parts/state'
import { Answered } from '../../parts/states'
import { t } from '../../text/text'
import type { Invoice } from './rows'

export function IssueDialog({ close, orgs, org }: { close: () => void; orgs: string[]; org: string }) {
  const navigate = useNavigate()
  const { draft, change, forget } = useDraft('issue', { org, month: monthText(new Date(), 1), now: '' })
  const draftAsked = { org: draft.org, month: draft.month, until: draft.now || undefined }
  const preview = useGet('/v1/draft', { query: draftAsked }, { enabled: draft.org !== '' && /^\d{4}-\d{2}$/.test(draft.month) })
  const issue = useSend('post', '/v1/invoices', {
    refresh: ['/v1/invoices', '/v1/draft'],
    done: (made) => {
      forget()
      close()
      notifications.show({ message: t('invoices.issue.done', { number: made.number }) })
      void navigate({ to: '/invoices/$invoice', params: { invoice: made.number } })
    },
  })
  const months = [0, 1, 2, 3].map((back) => monthText(new Date(), back))
  return (
    <Dialog
      title={t('invoices.issue')}
      size="lg"
      close={close}
      action={t('invoices.issue')}
      of={issue}
      fields={['org', 'month']}
      disabled={!draft.org}
      submit={() => issue.mutate({ body: { org: draft.org, month: draft.month, until: draft.now || undefined } })}
    >
      <Group grow align="flex-start">
        <Select label={t('invoices.org')} searchable required value={draft.org || null} onChange={(o) => change({ org: o ?? '' })} data={orgs} error={issue.error?.wrong('org')} data-autofocus />
        <Select
          label={t('invoices.month')}
          value={draft.month}
          onChange={(m) => change({ month: m ?? '', now: m === months[0] ? 'now' : '' })}
          data={months}
          description={draft.now ? t('invoices.interim') : undefined}
          error={issue.error?.wrong('month')}
        />
      </Group>
      {draft.org && (
        <Answered of={preview}>
          {(d) => (
            <Stack gap="xs">
              <Text>
                {t('invoices.preview', { lines: (d.lines ?? []).length })} <b><Money amount={d.total} currency={d.currency} /></b>, {t('invoices.preview.payable')} <b><Money amount={d.payable} currency={d.currency} /></b> <Emulated is={d.emulated} />
              </Text>
              <Lines of={d} />
            </Stack>
          )}
        </Answered>
      )}
    </Dialog>
  )
}

const shown_lines = 200

function Lines({ of: d }: { of: Invoice }) {
  const lines = d.lines ?? []
  if (lines.length === 0) return null
  return (
    <Stack gap="xs" mah={260} style={{ overflowY: 'auto' }} tabIndex={0} role="region" aria-label={t('invoices.lines')}>
      {lines.slice(0, shown_lines).map((l, i) => (
        <Group key={i} justify="space-between" wrap="nowrap" style={{ flexShrink: 0 }}>
          <Text truncate title={l.description}>{l.description}</Text>
          <Money amount={l.amount} currency={d.currency} />
        </Group>
      ))}
      {lines.length > shown_lines && <Text c="dimmed">{t('invoices.more', { n: lines.length - shown_lines })}</Text>}
    </Stack>
  )
}
