// Setting a budget, a new one or one that is there.
import { Group, NumberInput, Radio, SegmentedControl, Select, SimpleGrid, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'

import { useGet, useSend } from '../../api/queries'
import { useSession } from '../../app/session'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { t } from '../../text/text'
import type { Budget } from './budgets'

const windows = ['month', 'week', 'day', 'once'] as const

const empty = {
  name: '',
  per: 'month' as (typeof windows)[number],
  limit: '',
  unit: 'money',
  alerts: ['50', '80', '100'],
  beyond: 'tell',
  of: 'project',
  key: '',
  project: '',
  org: '',
}

function draftOf(b: Budget): typeof empty {
  return {
    name: b.name,
    per: b.per,
    limit: b.limit,
    unit: b.unit === 'gpu_hours' ? 'gpu_hours' : 'money',
    alerts: (b.alerts ?? []).map(String),
    beyond: b.stop ? 'stop' : b.block ? 'block' : 'tell',
    of: b.key ? 'key' : b.project ? 'project' : 'org',
    key: b.key ?? '',
    project: b.project ?? '',
    org: b.org,
  }
}

// A draft of its own for each budget that is changed; a new one's outlives errors and other pages.
function useForm(of?: Budget) {
  const fresh = useDraft('budget', empty)
  const [changed, set] = useState(of ? draftOf(of) : empty)
  if (!of) return fresh
  return { draft: changed, change: (some: Partial<typeof empty>) => set((d) => ({ ...d, ...some })), forget: () => {} }
}

export function SetBudget({ of, close }: { of?: Budget; close: () => void }) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const { draft: d, change, forget } = useForm(of)
  const projects = useGet('/v1/projects')
  const keys = useGet('/v1/keys', undefined, { enabled: d.of === 'key' })
  const project = projects.data?.items?.find((p) => (owner ? p.name === d.project : true))
  const currency = project?.currency ?? 'USD'
  const set = useSend('put', '/v1/budgets', {
    refresh: ['/v1/budgets'],
    done: (b) => {
      forget()
      close()
      notifications.show({ message: t('budgets.done', { name: b.name }) })
    },
  })
  const wrong = (field: string) => set.error?.wrong(field)
  function submit() {
    set.mutate({
      body: {
        ...(d.name ? { name: d.name } : {}),
        ...(d.of === 'key' ? { key: d.key } : owner ? (d.of === 'org' ? { org: d.org } : { project: d.project }) : {}),
        per: d.per,
        limit: `${d.limit}${d.unit === 'gpu_hours' ? 'gpuh' : currency.toLowerCase()}`,
        alerts: d.alerts.map(Number).filter((n) => n > 0),
        block: d.beyond !== 'tell',
        stop: d.beyond === 'stop',
      },
    })
  }
  return (
    <Dialog
      title={of ? t('budgets.changeOf', { name: of.name }) : t('budgets.new')}
      size="lg"
      close={close}
      action={t('do.save')}
      of={set}
      fields={['limit', 'name', 'project', 'org', 'key', 'alerts', 'stop', 'block']}
      submit={submit}
    >
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NumberInput
          label={t('budgets.limit')}
          description={d.unit === 'gpu_hours' ? t('cost.gpuHours') : t('budgets.limit.in', { currency })}
          min={0}
          value={d.limit}
          onChange={(n) => change({ limit: String(n) })}
          error={wrong('limit')}
          required
          data-autofocus
        />
        <TextInput
          label={t('reservations.name')}
          description={of ? t('budgets.name.fixed') : t('launch.name.hint')}
          value={d.name}
          onChange={(e) => change({ name: e.currentTarget.value })}
          error={wrong('name')}
          readOnly={!!of}
        />
      </SimpleGrid>
      <Group>
        <Choice label={t('budgets.unit')} value={d.unit} change={(unit) => change({ unit })} of={[['money', currency], ['gpu_hours', t('cost.gpuHours')]]} />
        <Choice label={t('budgets.window')} value={d.per} change={(per) => change({ per: per as (typeof windows)[number] })} of={windows.map((w) => [w, t(`budgets.window.${w}`)])} />
      </Group>
      <Choice
        label={t('budgets.whose')}
        value={d.of}
        change={(whose) => change({ of: whose })}
        of={[['project', t('workloads.project')], ['key', t('keys_page.key')], ...(owner ? ([['org', t('budgets.org')]] as [string, string][]) : [])]}
      />
      {owner && d.of === 'project' && (
        <Select label={t('workloads.project')} required searchable value={d.project || null} onChange={(p) => change({ project: p ?? '' })} data={projects.data?.items?.map((p) => p.name) ?? []} error={wrong('project')} />
      )}
      {owner && d.of === 'org' && (
        <TextInput label={t('budgets.org')} required value={d.org} onChange={(e) => change({ org: e.currentTarget.value })} error={wrong('org')} />
      )}
      {d.of === 'key' && (
        <Select
          label={t('keys_page.key')}
          required
          searchable
          value={d.key || null}
          onChange={(key) => change({ key: key ?? '' })}
          data={(keys.data?.items ?? []).filter((k) => !k.revoked).map((k) => ({ value: k.id, label: `${k.prefix} ${k.label || k.user || ''}` }))}
          error={wrong('key') ?? keys.error?.message}
        />
      )}
      <TagsInput
        label={t('budgets.alerts')}
        description={t('budgets.alerts.hint')}
        value={d.alerts}
        onChange={(alerts) => change({ alerts: alerts.filter((a) => /^\d+$/.test(a)) })}
        data={['50', '80', '90', '100']}
        error={wrong('alerts') ?? wrong('alerts[0]')}
      />
      <Radio.Group label={t('budgets.beyond')} value={d.beyond} onChange={(beyond) => change({ beyond })} error={wrong('stop') ?? wrong('block')}>
        <Stack gap={6} mt={6}>
          <Radio value="tell" label={t('budgets.onlyTells')} />
          <Radio value="block" label={t('budgets.blocks')} />
          <Radio value="stop" label={t('budgets.stops')} />
        </Stack>
      </Radio.Group>
    </Dialog>
  )
}

function Choice({ label, value, change, of }: { label: string; value: string; change: (v: string) => void; of: [string, string][] }) {
  return (
    <div>
      <Text fw={600} size="sm" mb={4}>
        {label}
      </Text>
      <SegmentedControl aria-label={label} value={value} onChange={change} data={of.map(([v, l]) => ({ value: v, label: l }))} />
    </div>
  )
}
