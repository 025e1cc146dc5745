// What a project or an org may use, and what it does.
import { Group, Text, TextInput } from '@mantine/core'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useSend } from '../../api/queries'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { moneyText } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { Empty } from '../../parts/states'
import { durationText } from '../../parts/time'
import { t } from '../../text/text'
import { gpusOf, gpusText } from './gpus_text'

type View = Schemas['QuotaView']

// "spend_jpy" is money of that currency.
function said(what: string, amount?: string | null): string {
  if (amount === undefined || amount === null) return '–'
  return what.startsWith('spend_') ? moneyText(amount, what.slice(6).toUpperCase()) : amount
}

export function Quota({ of }: { of: View }) {
  const lines = of.lines ?? []
  if (!lines.some((l) => l.limit)) return <Empty title={t('quota.none')} hint={t('quota.none.hint')} />
  return (
    <>
      <Rows
        label={t('quota.title')}
        rows={lines}
        id={(l) => l.what}
        columns={[
          { id: 'what', head: t('quota.of'), cell: (l) => l.what.replaceAll('_', ' ') },
          { id: 'limit', head: t('quota.limit'), figures: true, cell: (l) => said(l.what, l.limit) },
          { id: 'used', head: t('quota.used'), figures: true, cell: (l) => said(l.what, l.used) },
          { id: 'committed', head: t('quota.committed'), figures: true, cell: (l) => said(l.what, l.committed), wide: true },
          { id: 'left', head: t('quota.left'), figures: true, cell: (l) => said(l.what, l.left) },
        ]}
      />
      {of.window_s ? <Text c="dimmed">{t('quota.window.is', { d: durationText(of.window_s) })}</Text> : null}
    </>
  )
}

function initialOf(q: View) {
  const limit = (what: string) => (q.lines ?? []).find((l) => l.what === what)?.limit ?? ''
  return {
    gpus: gpusText(q.lines ?? []),
    hours: limit('gpu_hours'),
    spend: (q.lines ?? []).find((l) => l.what.startsWith('spend_'))?.limit ?? '',
    window: q.window_s ? (q.window_s % 86_400 === 0 ? `${q.window_s / 86_400}d` : `${q.window_s}s`) : '',
  }
}

export function QuotaDialog({ of, org, project, close }: { of: View; org?: string; project?: string; close: () => void }) {
  const { draft, change, forget } = useDraft(`quota:${org ?? ''}:${project ?? ''}`, initialOf(of))
  const [shape, setShape] = useState<string | undefined>()
  const done = () => {
    forget()
    close()
  }
  const ofOrg = useSend('put', '/v1/orgs/{org}/quota', { refresh: ['/v1/orgs/{org}/quota'], done })
  const ofProject = useSend('put', '/v1/projects/{project}/quota', { refresh: ['/v1/projects/{project}/quota'], done })
  const sent = org ? ofOrg : ofProject
  const { error } = sent
  const wrong = (f: string) => error?.wrong(f)
  return (
    <Dialog
      title={t('quota.set', { name: org ?? project ?? '' })}
      what={t('quota.what')}
      close={close}
      action={t('do.save')}
      of={sent}
      fields={['gpus', 'gpu_hours', 'spend_usd', 'window']}
      submit={() => {
        const gpus = gpusOf(draft.gpus)
        setShape(gpus ? undefined : t('quota.gpus.wrong'))
        if (!gpus) return
        const body = { gpus, gpu_hours: draft.hours || undefined, spend_usd: draft.spend || undefined, window: draft.window || undefined }
        if (org) ofOrg.mutate({ path: { org }, body })
        else ofProject.mutate({ path: { project: project! }, body })
      }}
    >
      <TextInput label={t('quota.gpus')} description={t('quota.gpus.hint')} value={draft.gpus} onChange={(e) => change({ gpus: e.currentTarget.value })} error={shape ?? error?.body.wrong?.find((w) => w.field.startsWith('gpus'))?.message} data-autofocus />
      <Group grow align="flex-start">
        <TextInput label={t('quota.hours')} value={draft.hours} onChange={(e) => change({ hours: e.currentTarget.value })} error={wrong('gpu_hours')} />
        <TextInput label={t('quota.spend')} value={draft.spend} onChange={(e) => change({ spend: e.currentTarget.value })} error={wrong('spend_usd')} />
        <TextInput label={t('quota.window')} placeholder="30d" value={draft.window} onChange={(e) => change({ window: e.currentTarget.value })} error={wrong('window')} />
      </Group>
    </Dialog>
  )
}
