// One node: what it is, what each of its GPUs does, what runs there, and what an operator can do.
import './fleet.css'

import { Alert, Button, Group, Paper, Stack, Text, TextInput, useComputedColorScheme } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQueries } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { getOptions, useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { Section } from '../../parts/listed'
import { Money } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { Answered, Empty, ErrorBox, Facts, PageHead } from '../../parts/states'
import { Duration, Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { useFleet, useFleetVersion } from './feed'
import { cssColour, kindOf, kindText, moving } from './letters'
import { Life } from './life'

type Node = Schemas['NodeView']
type Job = Schemas['JobView']

export default function NodePage() {
  const { node } = useParams({ strict: false }) as { node: string }
  const found = useGet('/v1/nodes/{node}', { path: { node } })
  return <Answered of={found}>{(n) => <Shown node={n} />}</Answered>
}

function gib(mib: number): string {
  return `${Math.round(mib / 102.4) / 10} GiB`
}

function Shown({ node }: { node: Node }) {
  const [asking, ask] = useState<'' | 'cordon' | 'drain'>('')
  const windows = useGet('/v1/maintenance')
  const here = (windows.data?.items ?? []).filter((w) => (w.nodes ?? []).includes(node.name))
  const drain = here.find((w) => w.state === 'now')
  const said = (message: string) => notifications.show({ message })
  const change = useSend('patch', '/v1/nodes/{node}', { refresh: ['/v1/nodes/{node}', '/v1/nodes'], done: () => said(t('node.returned', { name: node.name })) })
  const endDrain = useSend('delete', '/v1/maintenance/{window}', {
    refresh: ['/v1/maintenance', '/v1/nodes/{node}'],
    done: () => said(t('node.returned', { name: node.name })),
  })
  const cordoned = node.state === 'cordoned'
  const back = () => {
    if (cordoned) change.mutate({ path: { node: node.name }, body: { state: 'active' } })
    if (drain) endDrain.mutate({ path: { window: drain.id } })
  }
  const free = node.gpus_free ?? 0
  const actions = [
    ...(cordoned || drain ? [{ label: t('node.return'), run: back }] : []),
    ...(!cordoned && !drain && node.state === 'active' ? [{ label: t('node.cordon'), run: () => ask('cordon') }] : []),
    ...(!drain && node.state !== 'absent' ? [{ label: t('node.drain'), run: () => ask('drain') }] : []),
  ]
  usePalette(actions)
  const kept = node.kept === 'drain' ? t('node.kept.drain') : node.kept === 'maintenance' ? t('fleet.is.maintenance') : node.kept
  return (
    <Stack gap="lg">
      <PageHead
        title={node.name}
        lead={
          <Group gap="md" component="span">
            <State of={drain ? 'maintenance' : node.state} />
            <span>
              {node.sku} <Emulated is={node.emulated} />
            </span>
            <span>{[node.site, node.rack].filter(Boolean).join(' · ')}</span>
            <Link to="/fleet" search={{ at: node.name } as never}>
              {t('node.inPicture')}
            </Link>
          </Group>
        }
      >
        {actions.map((a) => (
          <Button key={a.label} variant="default" size="xs" onClick={a.run} loading={change.isPending || endDrain.isPending}>
            {a.label}
          </Button>
        ))}
      </PageHead>
      {(change.error ?? endDrain.error) && <ErrorBox error={(change.error ?? endDrain.error)!} />}
      {drain && (
        <Alert color="yellow" variant="outline" title={drain.until ? t('fleet.is.maintenance') : t('node.kept.drain')}>
          <Text c="var(--mantine-color-text)">
            {drain.jobs ? t('node.draining', { n: drain.jobs }) : t('node.drained')}{' '}
            {drain.until && (
              <>
                {t('node.until')} <Time at={drain.until} />
              </>
            )}
          </Text>
        </Alert>
      )}
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('node.gpusFree'), node.gpus ? `${free} / ${node.gpus}` : undefined],
            [t('node.cpus'), `${(node.cpu_milli_free ?? 0) / 1000} / ${(node.cpu_milli ?? 0) / 1000}`],
            [t('node.memory'), `${gib(node.memory_mib_free ?? 0)} / ${gib(node.memory_mib ?? 0)}`],
            [t('fleet.rows.site'), node.site],
            [t('fleet.rows.rack'), node.rack],
            [t('node.leaf'), node.leaf],
            [t('node.nvlink'), node.nvlink],
            [t('node.kept'), kept],
          ]}
        />
        <Gpus name={node.name} />
      </Paper>
      <Section title={t('node.leases')}>
        <Leases jobs={node.jobs ?? []} />
      </Section>
      {here.length > 0 && (
        <Section title={t('node.windows')}>
          <Rows
            label={t('node.windows')}
            rows={here}
            id={(w) => w.id}
            columns={[
              { id: 'name', head: t('workloads.name'), cell: (w) => w.name },
              { id: 'state', head: t('workloads.state'), cell: (w) => <State of={w.state} /> },
              { id: 'from', head: t('node.from'), cell: (w) => <Time at={w.from} /> },
              { id: 'until', head: t('node.until'), cell: (w) => (w.until ? <Time at={w.until} /> : t('node.furtherNotice')) },
              { id: 'jobs', head: t('node.stillRunning'), figures: true, cell: (w) => w.jobs ?? 0 },
            ]}
          />
        </Section>
      )}
      <Section title={t('node.life')}>
        <Life node={node.name} />
      </Section>
      {asking === 'cordon' && <CordonDialog node={node} close={() => ask('')} />}
      {asking === 'drain' && <DrainDialog node={node} close={() => ask('')} />}
    </Stack>
  )
}

// Each GPU and what it does, as the live picture has it.
function Gpus({ name }: { name: string }) {
  const { fleet } = useFleet()
  useFleetVersion()
  const scheme = useComputedColorScheme('light')
  const n = fleet ? fleet.nodes.indexOf(name) : -1
  if (!fleet || n < 0 || fleet.gpusOf(n) === 0) return null
  return (
    <ul className="gpu-strip" aria-label="GPUs">
      {Array.from({ length: fleet.gpusOf(n) }, (_, i) => {
        const code = fleet.cell(n, fleet.first[n]! + i)
        const kind = kindOf(code)
        return (
          <li key={i} style={{ borderLeftColor: cssColour(scheme, kind) }}>
            <b>GPU {i}</b>
            {t(kindText(kind))}
            {code & moving ? <span>{t('fleet.moving')}</span> : null}
          </li>
        )
      })}
    </ul>
  )
}

function Leases({ jobs }: { jobs: string[] }) {
  const answers = useQueries({ queries: jobs.slice(0, 64).map((job) => getOptions('/v1/jobs/{job}', { path: { job } })) })
  if (jobs.length === 0) return <Empty title={t('node.noLeases')} hint={t('node.noLeases.hint')} />
  const rows = answers.map((a) => a.data).filter((j): j is Job => j !== undefined)
  return (
    <Rows
      label={t('node.leases')}
      rows={rows}
      id={(j) => j.id}
      open={(j) => `/workloads/${j.id}`}
      columns={[
        { id: 'name', head: t('workloads.name'), sort: (j) => j.name, cell: (j) => <Link to={`/workloads/${j.id}`}>{j.name}</Link> },
        { id: 'state', head: t('workloads.state'), sort: (j) => j.state, cell: (j) => <State of={j.state} /> },
        { id: 'class', head: t('workloads.class'), sort: (j) => j.job_class, cell: (j) => word(j.job_class) },
        { id: 'gpus', head: 'GPU', figures: true, cell: (j) => (j.nodes > 1 ? `${j.gpus_per_node} × ${j.nodes}` : (j.gpus_per_node ?? 0)) },
        { id: 'project', head: t('workloads.project'), sort: (j) => j.project, cell: (j) => j.project, wide: true },
        { id: 'age', head: t('workloads.age'), figures: true, cell: (j) => <Duration from={j.started_at ?? j.submitted_at} /> },
        { id: 'rate', head: t('workloads.perHour'), figures: true, wide: true, cell: (j) => <Money amount={j.price_usd_per_hour} currency={j.currency} /> },
      ]}
    />
  )
}

function CordonDialog({ node, close }: { node: Node; close: () => void }) {
  const change = useSend('patch', '/v1/nodes/{node}', {
    refresh: ['/v1/nodes/{node}', '/v1/nodes'],
    done: () => {
      close()
      notifications.show({ message: t('node.cordoned', { name: node.name }) })
    },
  })
  return (
    <Dialog
      title={t('node.cordon.sure', { name: node.name })}
      what={t('node.cordon.what')}
      close={close}
      action={t('node.cordon')}
      of={change}
      submit={() => change.mutate({ path: { node: node.name }, body: { state: 'cordoned' } })}
    />
  )
}

function DrainDialog({ node, close }: { node: Node; close: () => void }) {
  const { draft, change, forget } = useDraft(`drain:${node.name}`, { from: '', duration: '' })
  const drain = useSend('post', '/v1/maintenance', {
    refresh: ['/v1/maintenance', '/v1/nodes/{node}', '/v1/nodes'],
    done: () => {
      forget()
      close()
      notifications.show({ message: t('node.drain.asked', { name: node.name }) })
    },
  })
  const wrong = (field: string) => drain.error?.wrong(field)
  return (
    <Dialog
      title={t('node.drain.sure', { name: node.name })}
      what={t('node.drain.what')}
      close={close}
      action={t('node.drain')}
      of={drain}
      fields={['from', 'duration', 'until']}
      submit={() => drain.mutate({ body: { nodes: [node.name], from: draft.from || undefined, duration: draft.duration || undefined } })}
    >
      <Group grow align="flex-start">
        <TextInput
          label={t('node.from')}
          placeholder={t('node.drain.now')}
          description={t('node.drain.fromHint')}
          value={draft.from}
          onChange={(e) => change({ from: e.currentTarget.value })}
          error={wrong('from')}
        />
        <TextInput
          label={t('node.drain.duration')}
          placeholder={t('node.furtherNotice')}
          description={t('node.drain.durationHint')}
          value={draft.duration}
          onChange={(e) => change({ duration: e.currentTarget.value })}
          error={wrong('duration') ?? wrong('until')}
        />
      </Group>
    </Dialog>
  )
}
