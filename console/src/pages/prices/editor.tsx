// A new price book: fields for what most books say, rules for the rest; checked as it is typed, and
// by the server when it is set. What was typed is kept.
import { ActionIcon, Button, Code, Group, Paper, Select, Stack, Table, Text, Textarea, TextInput, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'

import { useGet, useSend } from '../../api/queries'
import { useDraft } from '../../parts/draft'
import { Answered, ErrorBox, PageHead } from '../../parts/states'
import { utcText } from '../../parts/time'
import { t } from '../../text/text'
import { apiField, draftOf, emptyDraft, wrongIn, yamlOf, type Draft } from './book'

export default function EditorPage() {
  const { from } = useSearch({ strict: false }) as { from?: string }
  // Begins with the one named, else with the public list in force.
  const found = useGet('/v1/prices', { query: from ? { version: from } : {} })
  return (
    <Answered of={found}>
      {(list) => {
        const book = from ? list.items?.[0] : (list.items ?? []).find((b) => !b.org)
        return <Editor key={from ?? ''} start={book ? draftOf(book) : emptyDraft} of={from ?? ''} />
      }}
    </Answered>
  )
}

function Editor({ start, of }: { start: Draft; of: string }) {
  const navigate = useNavigate()
  const { draft, change, forget } = useDraft<Draft>(`prices:${of}`, start)
  const [tried, setTried] = useState(false)
  const orgs = useGet('/v1/orgs')
  const set = useSend('post', '/v1/prices', {
    refresh: ['/v1/prices'],
    done: (book) => {
      forget()
      notifications.show({ message: t('prices.done', { name: book.name, n: book.version }) })
      void navigate({ to: '/prices', search: { version: String(book.version) } as never })
    },
  })
  const wrong = useMemo(() => wrongIn(draft), [draft])
  const yaml = useMemo(() => yamlOf(draft), [draft])
  // Required ones are not complained of before anybody typed there.
  const error = (field: string, value: string): string | undefined => {
    const here = wrong.find((w) => w.field === field)
    if (here && (tried || value !== '')) return t(here.key)
    return set.error?.wrong(apiField(draft, field))
  }
  const shownFields = new Set(['name', 'currency', 'org', 'effective_from', ...draft.gpus.flatMap((_, i) => [apiField(draft, `gpus[${i}].on_demand`), apiField(draft, `gpus[${i}].spot`)]), 'beside_gpu.vcpu', 'beside_gpu.gib', 'cpu_only.vcpu', 'cpu_only.gib'])
  const elsewhere = set.error && !(set.error.body.wrong?.length && set.error.body.wrong.every((w) => shownFields.has(w.field)))
  useEffect(() => set.reset(), [yaml, draft.from]) // eslint-disable-line
  const at = draft.from ? new Date(draft.from) : null
  const past = at !== null && at.getTime() < Date.now()
  function gpu(i: number, some: Partial<Draft['gpus'][number]>) {
    change({ gpus: draft.gpus.map((g, k) => (k === i ? { ...g, ...some } : g)) })
  }
  const price = (field: 'vcpu' | 'gib' | 'cpu_vcpu' | 'cpu_gib', label: string) => (
    <TextInput label={label} inputMode="decimal" value={draft[field]} onChange={(e) => change({ [field]: e.currentTarget.value })} error={error(field, draft[field])} />
  )
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        setTried(true)
        if (wrong.length === 0 && !past) set.mutate({ body: { book: yaml, effective_from: at ? at.toISOString() : undefined } })
      }}
    >
      <PageHead title={t('prices.new')} lead={t('prices.new.lead')}>
        <Button size="xs" variant="default" onClick={forget}>
          {t('prices.reset')}
        </Button>
        <Button size="xs" type="submit" loading={set.isPending}>
          {at ? t('prices.setLater') : t('prices.setNow')}
        </Button>
      </PageHead>
      <Stack gap="lg" maw={900}>
        {elsewhere && <ErrorBox error={set.error!} />}
        {tried && wrong.length > 0 && (
          <Text role="alert" c="var(--mantine-color-error)">
            {t('prices.wrong', { n: wrong.length })}
          </Text>
        )}
        <Paper withBorder p="md">
          <Group grow align="flex-start">
            <TextInput label={t('customers.name')} required value={draft.name} onChange={(e) => change({ name: e.currentTarget.value })} error={error('name', draft.name)} />
            <Select label={t('prices.for')} clearable searchable placeholder={t('prices.public')} value={draft.org || null} onChange={(org) => change({ org: org ?? '' })} data={orgs.data?.items?.map((o) => o.name) ?? []} error={set.error?.wrong('org')} />
            <TextInput label={t('customer.currency')} placeholder="USD" value={draft.currency} onChange={(e) => change({ currency: e.currentTarget.value.toUpperCase() })} error={set.error?.wrong('currency')} />
            <TextInput
              type="datetime-local"
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              label={t('prices.from')}
              description={at && !Number.isNaN(at.getTime()) ? utcText(at.toISOString()) : t('prices.from.now')}
              value={draft.from}
              onChange={(e) => change({ from: e.currentTarget.value })}
              error={past ? t('prices.past') : set.error?.wrong('effective_from')}
            />
          </Group>
        </Paper>
        <Paper withBorder p="md">
          <Title order={2} mb="xs">
            {t('prices.gpus')}
          </Title>
          {error('gpus', '') && <Text c="var(--mantine-color-error)">{error('gpus', '')}</Text>}
          <Table verticalSpacing={6} style={{ tableLayout: 'fixed' }}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('money.sku')}</Table.Th>
                <Table.Th>{t('prices.onDemand')}</Table.Th>
                <Table.Th>{t('prices.spot')}</Table.Th>
                <Table.Th w={44}>
                  <span className="unseen">{t('do.remove')}</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {draft.gpus.map((g, i) => (
                <Table.Tr key={i} style={{ verticalAlign: 'top' }}>
                  <Table.Td>
                    <TextInput aria-label={t('prices.sku.n', { n: i + 1 })} value={g.sku} onChange={(e) => gpu(i, { sku: e.currentTarget.value })} error={error(`gpus[${i}].sku`, g.sku)} />
                  </Table.Td>
                  <Table.Td>
                    <TextInput aria-label={`${t('prices.onDemand')}: ${g.sku}`} inputMode="decimal" value={g.on_demand} onChange={(e) => gpu(i, { on_demand: e.currentTarget.value })} error={error(`gpus[${i}].on_demand`, g.on_demand)} />
                  </Table.Td>
                  <Table.Td>
                    <TextInput aria-label={`${t('prices.spot')}: ${g.sku}`} inputMode="decimal" placeholder={t('prices.half')} value={g.spot} onChange={(e) => gpu(i, { spot: e.currentTarget.value })} error={error(`gpus[${i}].spot`, g.spot)} />
                  </Table.Td>
                  <Table.Td>
                    <ActionIcon variant="subtle" color="gray" aria-label={`${t('do.remove')}: ${g.sku}`} onClick={() => change({ gpus: draft.gpus.filter((_, k) => k !== i) })}>
                      ✕
                    </ActionIcon>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          <Button mt="xs" size="xs" variant="default" onClick={() => change({ gpus: [...draft.gpus, { sku: '', on_demand: '', spot: '' }] })}>
            {t('prices.addGpu')}
          </Button>
        </Paper>
        <Paper withBorder p="md">
          <Title order={2} mb="xs">
            {t('prices.hosts')}
          </Title>
          <Group grow align="flex-start">
            {price('vcpu', t('prices.vcpu'))}
            {price('gib', t('prices.gib'))}
            {price('cpu_vcpu', t('prices.cpuVcpu'))}
            {price('cpu_gib', t('prices.cpuGib'))}
          </Group>
        </Paper>
        <Paper withBorder p="md">
          <Textarea
            label={t('prices.rules.label')}
            description={t('prices.rules.hint')}
            autosize
            minRows={3}
            maxRows={16}
            value={draft.rules}
            onChange={(e) => change({ rules: e.currentTarget.value })}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8rem', whiteSpace: 'pre', overflowX: 'auto' } }}
            error={set.error?.body.wrong?.find((w) => w.field.startsWith('rules'))?.message}
          />
        </Paper>
        <details>
          <summary>{t('prices.file')}</summary>
          <Code block tabIndex={0} mt="xs">
            {yaml}
          </Code>
        </details>
      </Stack>
    </form>
  )
}
