// One node: what it is, what runs there, what was done with it; cordon, drain, return.
import { Alert, Button, Group, Modal, Paper, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link, useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import type { Schemas } from '../../api/client'
import { useLiveEvents } from '../../api/live'
import { queries, useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Rows } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { Answered, ErrorBox, Facts, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t } from '../../text/text'
import { cardKinds, kindOf } from './colours'
import { followFleet } from './feed'
import './fleet.css'

type Node = Schemas['NodeView']

export default function NodePage() {
  const { node } = useParams({ strict: false }) as { node: string }
  const found = useGet('/v1/nodes/{node}', { path: { node } })
  // Leases on it come and go without an event of its own name.
  useLiveEvents((e) => {
    if (/^(lease|job_ended|node|window|site|claim)/.test(e.kind))
      void queries.invalidateQueries({ queryKey: ['/v1/nodes/{node}'] }, { cancelRefetch: false })
  })
  return <Answered of={found}>{(n) => <Shown node={n} />}</Answered>
}

// Maintenance windows and drains that name it.
function useWindows(name: string) {
  const all = useGet('/v1/maintenance')
  return all.data?.items?.filter((w) => w.nodes?.includes(name)) ?? []
}

function Shown({ node }: { node: Node }) {
  const [asking, setAsking] = useState(false)
  const windows = useWindows(node.name)
  const refresh = ['/v1/nodes/{node}', '/v1/maintenance', '/v1/event-log'] as const
  const change = useSend('patch', '/v1/nodes/{node}', { refresh: [...refresh] })
  const drain = useSend('post', '/v1/maintenance', {
    refresh: [...refresh],
    done: () => {
      setAsking(false)
      notifications.show({ message: t('fleet.drain.asked', { name: node.name }) })
    },
  })
  const undo = useSend('delete', '/v1/maintenance/{window}', { refresh: [...refresh] })
  const path = { node: node.name }
  const cordon = () => change.mutate({ path, body: { state: 'cordoned' } })
  const back = () => change.mutate({ path, body: { state: 'active' } })
  const drained = windows.length > 0
  usePalette([
    node.state === 'active' ? { label: t('fleet.cordon'), run: cordon } : { label: t('fleet.return'), run: back },
    ...(drained ? [] : [{ label: t('fleet.drain'), run: () => setAsking(true) }]),
  ])
  return (
    <Stack gap="lg">
      <PageHead
        title={
          <>
            {node.name} <Emulated is={node.emulated} />
          </>
        }
        lead={
          <Group gap="md" component="span">
            <State of={node.kept ?? node.state} />
            <span>{t('fleet.freeOf', { n: node.gpus_free, of: node.gpus })}</span>
          </Group>
        }
      >
        {node.state === 'active' && (
          <Button size="xs" variant="default" loading={change.isPending} onClick={cordon}>
            {t('fleet.cordon')}
          </Button>
        )}
        {node.state === 'cordoned' && (
          <Button size="xs" variant="default" loading={change.isPending} onClick={back}>
            {t('fleet.return')}
          </Button>
        )}
        {!drained && (
          <Button size="xs" variant="default" onClick={() => setAsking(true)}>
            {t('fleet.drain')}
          </Button>
        )}
      </PageHead>
      {[change.error, undo.error].map((e, i) => e && <ErrorBox key={i} error={e} />)}
      {windows.map((w) => (
        <Alert key={w.id} color="yellow" variant="outline" title={w.until ? t('fleet.window.maintenance', { name: w.name }) : t('fleet.window.drain', { name: w.name })}>
          <Group gap="md" c="var(--mantine-color-text)">
            <Text>
              <Time at={w.from} /> {w.until && <>– <Time at={w.until} /></>} · {t('fleet.window.jobs', { n: w.jobs })}
            </Text>
            <Button size="xs" variant="default" loading={undo.isPending} onClick={() => undo.mutate({ path: { window: w.id } })}>
              {t('fleet.window.end')}
            </Button>
          </Group>
        </Alert>
      ))}
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('fleet.site'), node.site],
            [t('fleet.rackName'), node.rack],
            [t('fleet.leaf'), node.leaf],
            [t('fleet.nvlink'), node.nvlink],
            ['SKU', node.sku],
            ['vCPU', t('fleet.freeOf', { n: node.cpu_milli_free / 1000, of: node.cpu_milli / 1000 })],
            [t('fleet.memory'), t('fleet.freeOf', { n: `${Math.round(node.memory_mib_free / 1024)} GiB`, of: `${Math.round(node.memory_mib / 1024)} GiB` })],
          ]}
        />
      </Paper>
      {node.gpus > 0 && <Cards node={node.name} />}
      <section>
        <Title order={2}>{t('fleet.jobs')}</Title>
        {node.jobs?.length ? (
          <Rows
            label={t('fleet.jobs')}
            rows={node.jobs}
            id={(j) => j}
            open={(j) => `/workloads/${j}`}
            columns={[{ id: 'job', head: t('nav.workloads'), cell: (j) => <Link to={`/workloads/${j}`}>{j}</Link> }]}
          />
        ) : (
          <Text c="dimmed">{t('fleet.noJobs')}</Text>
        )}
      </section>
      <History name={node.name} />
      <Modal opened={asking} onClose={() => setAsking(false)} title={t('fleet.drain.sure', { name: node.name })} closeButtonProps={{ 'aria-label': t('do.close') }}>
        <Stack>
          <Text size="sm">{t('fleet.drain.what')}</Text>
          {drain.error && <ErrorBox error={drain.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setAsking(false)}>
              {t('do.cancel')}
            </Button>
            <Button loading={drain.isPending} data-autofocus onClick={() => drain.mutate({ body: { nodes: [node.name] } })}>
              {t('fleet.drain')}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Stack>
  )
}

// Each card, live.
function Cards({ node }: { node: string }) {
  const [letters, setLetters] = useState('')
  useEffect(() => {
    let at = -1
    let take = () => {}
    return followFleet({
      whole(f) {
        at = f.map.nodes?.indexOf(node) ?? -1
        take = () => setLetters(new TextDecoder().decode(f.gpus.subarray(f.firstGpu[at], f.firstGpu[at + 1])))
        if (at >= 0) take()
      },
      changed: (nodes) => nodes.includes(at) && take(),
      failed: () => {},
    })
  }, [node])
  return (
    <section>
      <Title order={2}>{t('workload.gpus')}</Title>
      <ul className="node-cards">
        {[...letters].map((l, i) => {
          const kind = kindOf(cardKinds, l)!
          return (
            <li key={i}>
              <span className="swatch" style={{ '--light': kind.light, '--dark': kind.dark } as React.CSSProperties} aria-hidden />
              <span className="dim">{i}</span> {t(kind.text)}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function History({ name }: { name: string }) {
  const log = useGet('/v1/event-log', { query: { q: name, limit: '50' } })
  return (
    <section>
      <Title order={2}>{t('fleet.history')}</Title>
      <Answered of={log}>
        {(l) =>
          l.items?.length ? (
            <Rows
              label={t('fleet.history')}
              rows={l.items}
              id={(e) => String(e.sequence)}
              columns={[
                { id: 'at', head: t('receipt.at'), cell: (e) => <Time at={e.at} />, sort: (e) => e.at },
                { id: 'what', head: t('fleet.what'), cell: (e) => e.text },
                { id: 'who', head: t('fleet.who'), cell: (e) => e.actor, wide: true },
              ]}
            />
          ) : (
            <Text c="dimmed">{t('fleet.noHistory')}</Text>
          )
        }
      </Answered>
    </section>
  )
}
