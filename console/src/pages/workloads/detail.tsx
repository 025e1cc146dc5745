// One workload: what it is, where it runs, what it costs; its log, shell and receipt on their tabs.
import { Alert, Button, Group, Paper, Stack, Tabs, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'

import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Dialog } from '../../parts/dialog'
import { useFilters } from '../../parts/filters'
import { Section } from '../../parts/listed'
import { Money } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { State } from '../../parts/state'
import { Answered, Facts, Loading, PageHead } from '../../parts/states'
import { Ago, Duration, durationText, Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { Life, Why } from './life'
import { Hardware, PerHour, type Job } from './parts'

const Log = lazy(() => import('./log'))
const Shell = lazy(() => import('./shell'))
const Receipt = lazy(() => import('./receipt'))

const tabs = ['overview', 'log', 'shell', 'timeline', 'receipt'] as const

export default function Workload() {
  const { job } = useParams({ strict: false }) as { job: string }
  const found = useGet('/v1/jobs/{job}', { path: { job } })
  return <Answered of={found}>{(j) => <Shown job={j} />}</Answered>
}

function Shown({ job }: { job: Job }) {
  const [stopping, setStopping] = useState(false)
  const [{ tab }, setFilters] = useFilters({ tab: 'overview' })
  const live = job.state !== 'ended'
  usePalette([
    ...(live ? [{ label: t('workload.stop.sure', { name: job.name }), run: () => setStopping(true) }] : []),
    ...tabs.map((x) => ({ label: t(`workload.${x}`), run: () => setFilters({ tab: x }) })),
  ])
  return (
    <Stack gap="lg">
      <PageHead
        title={job.name}
        lead={
          <Group gap="md" component="span">
            <State of={job.outcome ?? job.state} />
            <span>
              <Hardware of={job} />
            </span>
            <span>{word(job.job_class)}</span>
            <Duration from={job.started_at ?? job.submitted_at} until={job.ended_at} />
            <Money amount={job.cost_usd} currency={job.currency} places={4} />
          </Group>
        }
      >
        {live && (
          <Button variant="default" size="xs" onClick={() => setStopping(true)} disabled={job.state === 'stopping'}>
            {t('workload.stop')}
          </Button>
        )}
      </PageHead>
      <Tabs value={tab} onChange={(x) => setFilters({ tab: x ?? 'overview' })} keepMounted={false}>
        <Tabs.List mb="md">
          {tabs.map((x) => (
            <Tabs.Tab key={x} value={x}>
              {t(`workload.${x}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Suspense fallback={<Loading />}>
          <Tabs.Panel value="overview">
            <Overview job={job} />
          </Tabs.Panel>
          <Tabs.Panel value="log">
            <Log job={job} />
          </Tabs.Panel>
          <Tabs.Panel value="shell">
            <Shell job={job} />
          </Tabs.Panel>
          <Tabs.Panel value="timeline">
            <Life job={job} />
          </Tabs.Panel>
          <Tabs.Panel value="receipt">
            <Receipt job={job} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
      {stopping && <StopDialog job={job} close={() => setStopping(false)} />}
    </Stack>
  )
}

function Overview({ job }: { job: Job }) {
  const live = job.state !== 'ended'
  return (
    <Stack gap="lg">
      {job.state === 'queued' && <Why job={job} />}
      {job.why && job.state !== 'queued' && (
        <Alert color="gray" variant="outline">
          <Text size="sm" c="var(--mantine-color-text)">
            {job.why}
          </Text>
        </Alert>
      )}
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('workload.submitted'), <Ago at={job.submitted_at} />],
            [t('workload.promised'), job.promise && <Time at={job.promise.start_by} />],
            [t('workload.started'), job.started_at && <Time at={job.started_at} />],
            [t('workload.ended'), job.ended_at && <Time at={job.ended_at} />],
            [t('workload.exit'), job.exit_code?.toString()],
            [t('workloads.perHour'), <PerHour of={job} />],
            [t('workload.paidUntil'), live && job.paid_until ? <Time at={job.paid_until} /> : undefined],
            [t('workload.image'), job.image],
            [t('workload.command'), job.command?.join(' ') || t('workload.unnamedImageCommand')],
            [t('workload.volumes'), job.volumes?.join(', ')],
            [t('workload.site'), job.site],
            [t('workload.limit'), job.time_limit_s ? durationText(job.time_limit_s) : undefined],
            [t('workload.reservation'), job.reservation],
            [t('workload.generation'), job.generation > 1 ? String(job.generation) : undefined],
            [t('workloads.project'), job.project],
            [t('workloads.user'), job.user],
            ['Id', job.id],
          ]}
        />
      </Paper>
      {job.ranks && job.ranks.length > 0 && (
        <Section title={t('workload.nodes')}>
          <Rows
            label={t('workload.nodes')}
            rows={job.ranks}
            id={(r) => String(r.rank)}
            columns={[
              { id: 'rank', head: t('workload.rank'), cell: (r) => r.rank },
              { id: 'node', head: t('workload.node'), cell: (r) => r.node },
              { id: 'state', head: t('workload.state'), cell: (r) => <State of={r.state} /> },
              { id: 'gpus', head: t('workload.gpus'), cell: (r) => r.gpus?.join(', '), wide: true },
            ]}
          />
        </Section>
      )}
    </Stack>
  )
}

function StopDialog({ job, close }: { job: Job; close: () => void }) {
  const stop = useSend('post', '/v1/jobs/{job}/stop', {
    done: () => {
      close()
      notifications.show({ message: t('workload.stop.asked', { name: job.name }) })
    },
  })
  return (
    <Dialog
      title={t('workload.stop.sure', { name: job.name })}
      what={t('workload.stop.what')}
      close={close}
      action={t('workload.stop')}
      of={stop}
      danger
      submit={() => stop.mutate({ path: { job: job.id } })}
    />
  )
}
