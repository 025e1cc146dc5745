// Renting: hardware is picked (in the address, so that a pick has a link), the rest is typed (a draft),
// and the quote answers as both change.
import { Button, Group, Paper, Stack, Tabs, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import type { Problem } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { Copyable } from '../../parts/copy'
import { useDraft } from '../../parts/draft'
import { useFilters } from '../../parts/filters'
import { Answered, Empty, ErrorBox, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { inOrder, type Offer } from './hardware'
import { HardwareFields } from './hardware_fields'
import { useQuote } from './quote'
import { QuotePanel } from './quote_panel'
import { environmentOf, fileOf, lineOf, nothingTyped, requestOf, type Picked } from './request'
import { WorkFields } from './work_fields'
import './offers.css'

const nothing_picked: Record<keyof Picked, string> = { gpu: '', n: '', nodes: '1', share: '', job_class: 'on_demand', reservation: '' }

export default function Launch() {
  const offers = useGet('/v1/offers')
  return (
    <>
      <PageHead title={t('launch.title')} lead={t('launch.lead')} />
      <Answered of={offers}>
        {(list) =>
          list.items?.length ? (
            <Form offers={inOrder(list.items)} currency={list.currency ?? 'USD'} />
          ) : (
            <Empty title={t('offers.empty')} hint={t('offers.empty.hint')} />
          )
        }
      </Answered>
    </>
  )
}

// Without a pick: a GPU that is free, else any, else none.
function firstPick(offers: Offer[]): string {
  const gpus = offers.filter((o) => o.gpus_per_node > 0)
  return (gpus.find((o) => o.gpus_free > 0) ?? gpus[0] ?? offers[0]!).sku
}

function Form({ offers, currency }: { offers: Offer[]; currency: string }) {
  const { me } = useSession()
  const navigate = useNavigate()
  const [filters, pick] = useFilters(nothing_picked)
  const typed = useDraft('launch', nothingTyped)
  const [env, setEnv] = useState('') // often has secrets in it: kept nowhere
  const owner = me.role === 'owner'
  const projects = useGet('/v1/projects', undefined, { enabled: owner })
  const onlyProject = projects.data?.items?.length === 1 ? projects.data.items[0]?.name : undefined
  useEffect(() => {
    if (owner && !typed.draft.project && onlyProject) typed.change({ project: onlyProject })
  }, [owner, onlyProject])

  const offer = offers.find((o) => o.sku === filters.gpu) ?? offers.find((o) => o.sku === firstPick(offers))!
  const picked: Picked = { ...filters, gpu: offer.sku, n: filters.n || (offer.gpus_per_node ? '1' : '') }
  const draft = owner ? typed.draft : { ...typed.draft, project: '' }
  const request = requestOf(picked, draft, environmentOf(env))
  const ready = !owner || !!draft.project
  const { env: _, ...unpriced } = request
  const quote = useQuote({ ...unpriced, image: request.image || 'quote', name: undefined }, ready)
  const launch = useSend('post', '/v1/jobs', {
    done: (job) => {
      notifications.show({ message: t('launch.done', { name: job.name }) })
      void navigate({ to: `/workloads/${job.id}` })
    },
  })
  const submit = () => launch.mutate({ body: request })
  usePalette([{ label: t('launch.do'), run: submit }])
  // What the quote is refused for, the launch is too: said once, by the answer that was asked for last.
  const told = launch.error !== null && quote.error !== null && saysTheSame(launch.error, quote.error)
  const wrong = (field: string) => launch.error?.wrong(field) ?? quote.error?.wrong(field)

  return (
    <form
      className="launch"
      onSubmit={(e) => {
        e.preventDefault()
        submit()
      }}
    >
      <Stack gap="lg">
        <HardwareFields offers={offers} offer={offer} picked={picked} pick={pick} wrong={wrong} currency={currency} project={draft.project} />
        <WorkFields draft={draft} change={typed.change} env={env} setEnv={setEnv} offer={offer} wrong={wrong} projects={owner ? projects.data?.items : undefined} />
      </Stack>
      <aside className="launch-side" aria-label={t('launch.quote')}>
        <Paper withBorder p="md">
          {!ready && <Empty title={t('launch.projectFirst')} />}
          {ready && !told && <QuotePanel quote={quote} pick={pick} />}
          <Group mt="md" grow>
            <Button type="submit" loading={launch.isPending} disabled={!ready}>
              {t('launch.do')}
            </Button>
          </Group>
          {launch.error && (
            <div style={{ marginTop: 12 }}>
              <ErrorBox error={launch.error} />
            </div>
          )}
        </Paper>
        <Same line={lineOf(request)} file={fileOf(request)} />
      </aside>
    </form>
  )
}

function saysTheSame(a: Problem, b: Problem): boolean {
  const said = ({ status, message, body }: Problem) => JSON.stringify([status, message, body.wrong, body.missing, body.earliest])
  return said(a) === said(b)
}

// The same thing for a terminal.
function Same({ line, file }: { line: string; file: string }) {
  return (
    <Paper withBorder p="md" mt="md">
      <Title order={2} mb="xs">
        {t('launch.same')}
      </Title>
      <Tabs defaultValue="line">
        <Tabs.List mb="xs">
          <Tabs.Tab value="line">{t('launch.line')}</Tabs.Tab>
          <Tabs.Tab value="file">YAML</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="line">
          <Copyable text={line} label={t('launch.line')} />
        </Tabs.Panel>
        <Tabs.Panel value="file">
          <Copyable text={file} label="job.yaml" />
          <p className="note">{t('launch.file.hint')}</p>
        </Tabs.Panel>
      </Tabs>
    </Paper>
  )
}
