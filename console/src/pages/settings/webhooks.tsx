// Webhooks: added (secret shown once), tested, switched on again, removed.
import { Button, MultiSelect, Select, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { useFilters } from '../../parts/filters'
import { Listed } from '../../parts/listed'
import type { Column } from '../../parts/rows'
import { State } from '../../parts/state'
import { Answered, PageHead } from '../../parts/states'
import { Ago } from '../../parts/time'
import { t } from '../../text/text'
import { SecretOnce } from './secret_once'
import { SettingsTabs } from './tabs'

export type Webhook = Schemas['WebhookView']

// As docs/webhooks.md lists them.
const events = [
  'job.submitted', 'job.started', 'job.stopping', 'job.requeued', 'job.ended', 'credit.added', 'credit.low',
  'budget.crossed', 'invoice.issued', 'credit_note.issued', 'payment.recorded',
]

export default function Webhooks() {
  const { me } = useSession()
  const [filters, setFilters] = useFilters({ new: '' })
  const [secret, show] = useState<string | null>(null)
  const webhooks = useGet('/v1/webhooks')
  const add = () => setFilters({ new: '1' }, { push: true })
  usePalette([{ label: t('webhooks.new'), run: add }])
  const columns = useMemo(() => columnsFor(me.role === 'owner'), [me.role])
  return (
    <>
      <PageHead title={t('webhooks.title')} lead={t('webhooks.lead')}>
        <Button size="xs" onClick={add}>
          {t('webhooks.new')}
        </Button>
      </PageHead>
      <SettingsTabs />
      <Answered of={webhooks}>
        {(list) => (
          <Listed
            label={t('webhooks.title')}
            empty={{
              title: t('webhooks.empty'),
              hint: t('webhooks.empty.hint'),
              command: 'ampacity webhooks add https://hooks.example.com/ampacity --events job.ended,budget.crossed',
              action: <Button onClick={add}>{t('webhooks.new')}</Button>,
            }}
            rows={list.items ?? []}
            columns={columns}
            id={(w) => w.id}
            open={(w) => `/settings/webhooks/${w.id}`}
          />
        )}
      </Answered>
      {filters.new && (
        <NewWebhook
          close={() => setFilters({ new: '' })}
          made={(w) => {
            setFilters({ new: '' })
            show(w.secret ?? null)
          }}
        />
      )}
      {secret && <SecretOnce title={t('webhooks.secret')} secret={secret} hint={t('webhooks.secret.hint')} close={() => show(null)} />}
    </>
  )
}

function columnsFor(owner: boolean): Column<Webhook>[] {
  const columns: Column<Webhook>[] = [
    { id: 'url', head: 'URL', cell: (w) => <Link to={`/settings/webhooks/${w.id}`}>{w.url}</Link>, sort: (w) => w.url },
    { id: 'state', head: t('workloads.state'), cell: (w) => <State of={w.enabled ? 'on' : 'off'} />, sort: (w) => Number(w.enabled) },
    { id: 'events', head: t('webhooks.events'), cell: (w) => (w.events?.length ? w.events.join(', ') : t('webhooks.all')), wide: true },
    { id: 'since', head: t('settings.since'), cell: (w) => <Ago at={w.created_at} />, sort: (w) => w.created_at, wide: true },
  ]
  if (owner) columns.splice(1, 0, { id: 'whose', head: t('budgets.whose'), cell: (w) => w.project ?? w.org ?? t('webhooks.everything'), wide: true })
  return columns
}

function NewWebhook({ close, made }: { close: () => void; made: (w: Webhook) => void }) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const { draft, change, forget } = useDraft('webhook', { url: '', events: [] as string[], project: '' })
  const projects = useGet('/v1/projects', undefined, { enabled: owner })
  const add = useSend('post', '/v1/webhooks', {
    refresh: ['/v1/webhooks'],
    done: (w) => {
      forget()
      made(w)
      notifications.show({ message: t('webhooks.added') })
    },
  })
  const wrong = (field: string) => add.error?.wrong(field)
  return (
    <Dialog
      title={t('webhooks.new')}
      size="lg"
      close={close}
      action={t('settings.add')}
      of={add}
      fields={['url', 'events', 'project']}
      submit={() => add.mutate({ body: { url: draft.url.trim(), events: draft.events, ...(owner && draft.project ? { project: draft.project } : {}) } })}
    >
      <TextInput
        label="URL"
        description={t('webhooks.url.hint')}
        placeholder="https://hooks.example.com/ampacity"
        type="url"
        required
        value={draft.url}
        onChange={(e) => change({ url: e.currentTarget.value })}
        error={wrong('url')}
        data-autofocus
      />
      <MultiSelect
        label={t('webhooks.events')}
        description={t('webhooks.events.hint')}
        value={draft.events}
        onChange={(v) => change({ events: v })}
        data={events}
        searchable
        clearable
        error={wrong('events') ?? wrong('events[0]')}
      />
      {owner && (
        <Select label={t('workloads.project')} description={t('webhooks.project.hint')} clearable searchable value={draft.project || null} onChange={(p) => change({ project: p ?? '' })} data={projects.data?.items?.map((p) => p.name) ?? []} error={wrong('project')} />
      )}
      <Text c="dimmed">{t('webhooks.signed')}</Text>
    </Dialog>
  )
}
