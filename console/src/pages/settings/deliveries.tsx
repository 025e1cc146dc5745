// One webhook: what it was told lately and what became of it; test it, switch it on, remove it.
import { Alert, Button, Paper, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Dialog } from '../../parts/dialog'
import { Listed, Section } from '../../parts/listed'
import { type Column } from '../../parts/rows'
import { State } from '../../parts/state'
import { Answered, Empty, ErrorBox, Facts, PageHead } from '../../parts/states'
import { Ago, Time } from '../../parts/time'
import { t } from '../../text/text'
import type { Webhook } from './webhooks'

type Delivery = Schemas['DeliveryView']

export default function WebhookPage() {
  const { webhook } = useParams({ strict: false }) as { webhook: string }
  const webhooks = useGet('/v1/webhooks')
  return (
    <Answered of={webhooks}>
      {(list) => {
        const found = list.items?.find((w) => w.id === webhook)
        if (!found) return <Empty title={t('error.notFound')} action={<Link to="/settings/webhooks">{t('webhooks.title')}</Link>} />
        return <Shown of={found} />
      }}
    </Answered>
  )
}

function Shown({ of: w }: { of: Webhook }) {
  const navigate = useNavigate()
  const [removing, setRemoving] = useState(false)
  const path = { path: { webhook: w.id } }
  const deliveries = useGet('/v1/webhooks/{webhook}/deliveries', { ...path, query: { limit: '200' } })
  const test = useSend('post', '/v1/webhooks/{webhook}/test', { refresh: ['/v1/webhooks/{webhook}/deliveries'] })
  const enable = useSend('post', '/v1/webhooks/{webhook}/enable', { refresh: ['/v1/webhooks'] })
  const remove = useSend('delete', '/v1/webhooks/{webhook}', {
    refresh: ['/v1/webhooks'],
    done: () => {
      notifications.show({ message: t('webhooks.removed') })
      void navigate({ to: '/settings/webhooks' })
    },
  })
  usePalette([{ label: t('webhooks.test'), run: () => test.mutate(path) }])
  return (
    <Stack gap="lg">
      <p className="note" style={{ margin: 0 }}>
        <Link to="/settings/webhooks">← {t('webhooks.title')}</Link>
      </p>
      <PageHead title={t('webhooks.one')} lead={<span style={{ overflowWrap: 'anywhere' }}>{w.url}</span>}>
        <Button size="xs" onClick={() => test.mutate(path)} loading={test.isPending}>
          {t('webhooks.test')}
        </Button>
        {!w.enabled && (
          <Button size="xs" variant="default" onClick={() => enable.mutate(path)} loading={enable.isPending}>
            {t('webhooks.enable')}
          </Button>
        )}
        <Button size="xs" variant="default" onClick={() => setRemoving(true)}>
          {t('do.remove')}
        </Button>
      </PageHead>
      {(test.error ?? enable.error) && <ErrorBox error={(test.error ?? enable.error)!} />}
      {test.data && (
        <Alert color={test.data.delivered ? 'green' : 'yellow'} variant="outline" role="status">
          <Text c="var(--mantine-color-text)">
            {test.data.delivered ? t('webhooks.tested', { status: String(test.data.status ?? '') }) : t('webhooks.testFailed', { why: test.data.why ?? String(test.data.status ?? '') })}
          </Text>
        </Alert>
      )}
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('workloads.state'), <State of={w.enabled ? 'on' : 'off'} />],
            [t('webhooks.why'), w.why],
            [t('webhooks.events'), w.events?.length ? w.events.join(', ') : t('webhooks.all')],
            [t('settings.since'), <Time at={w.created_at} />],
            ['Id', w.id],
          ]}
        />
      </Paper>
      <Section title={t('webhooks.deliveries')}>
        <Answered of={deliveries}>
          {(list) => <Listed label={t('webhooks.deliveries')} rows={list.items ?? []} columns={columns()} id={(d) => d.id} empty={{ title: t('webhooks.noDeliveries'), hint: t('webhooks.noDeliveries.hint') }} />}
        </Answered>
      </Section>
      {removing && (
        <Dialog
          title={t('webhooks.remove.sure')}
          what={t('webhooks.remove.what')}
          close={() => setRemoving(false)}
          action={t('do.remove')}
          of={remove}
          danger
          submit={() => remove.mutate(path)}
        />
      )}
    </Stack>
  )
}

function columns(): Column<Delivery>[] {
  return [
    { id: 'event', head: t('webhooks.event'), cell: (d) => d.event, sort: (d) => d.event },
    { id: 'state', head: t('workloads.state'), cell: (d) => <State of={d.state} />, sort: (d) => d.state },
    { id: 'attempts', head: t('webhooks.attempts'), cell: (d) => d.attempts, sort: (d) => d.attempts, figures: true, wide: true },
    { id: 'status', head: t('webhooks.status'), cell: (d) => d.status ?? '', sort: (d) => d.status ?? 0, figures: true },
    { id: 'why', head: t('webhooks.answer'), cell: (d) => d.why ?? '', wide: true },
    { id: 'next', head: t('webhooks.next'), cell: (d) => d.next_at && <Ago at={d.next_at} />, wide: true },
    { id: 'at', head: t('webhooks.at'), cell: (d) => <Ago at={d.created_at} />, sort: (d) => d.created_at },
  ]
}
