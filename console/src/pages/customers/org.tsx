// One customer: projects with credit, weight and quota; contracts; how it is billed.
import { Alert, Button, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { Problem, type Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Money } from '../../parts/money'
import { Rows } from '../../parts/rows'
import { Answered, Empty, ErrorBox, Facts, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { Contracts } from './contracts'
import { FormDialog } from './form'
import { Quota, QuotaDialog } from './quota'

type Project = Schemas['ProjectView']
type Asking = { what: 'project' } | { what: 'credit' | 'weight' | 'quota'; project: Project } | { what: 'org-quota' } | null

export default function OrgPage() {
  const { org } = useParams({ strict: false }) as { org: string }
  const orgs = useGet('/v1/orgs')
  return (
    <Answered of={orgs}>
      {(list) => {
        const found = (list.items ?? []).find((o) => o.name === org)
        return found ? <Shown org={found.name} /> : <ErrorBox error={new Problem(404, { detail: t('error.notFound.hint') })} />
      }}
    </Answered>
  )
}

function Shown({ org }: { org: string }) {
  const [asking, ask] = useState<Asking>(null)
  const projects = useGet('/v1/projects')
  const billing = useGet('/v1/orgs/{org}/billing', { path: { org } })
  const quota = useGet('/v1/orgs/{org}/quota', { path: { org } })
  const rows = (projects.data?.items ?? []).filter((p) => p.org === org)
  const close = () => ask(null)
  usePalette([
    { label: t('customer.addProject'), run: () => ask({ what: 'project' }) },
    { label: t('quota.org'), run: () => ask({ what: 'org-quota' }) },
    ...rows.map((p) => ({ label: `${t('credit.add')}: ${p.name}`, run: () => ask({ what: 'credit', project: p }) })),
  ])
  const b = billing.data
  return (
    <Stack gap="xl">
      <PageHead title={org} lead={t('customer.lead')}>
        <Link to="/invoices" search={{ org } as never}>
          {t('bills.title')}
        </Link>
        <Button size="xs" variant="default" onClick={() => ask({ what: 'org-quota' })}>
          {t('quota.org')}
        </Button>
        <Button size="xs" onClick={() => ask({ what: 'project' })}>
          {t('customer.addProject')}
        </Button>
      </PageHead>
      {rows.filter((p) => p.warning).map((p) => (
        <Alert key={p.id} color="yellow" variant="outline" title={p.name}>
          <Text c="var(--mantine-color-text)">{p.warning}</Text>
        </Alert>
      ))}
      <section>
        <Title order={2} mb="xs">
          {t('customers.projects')}
        </Title>
        {projects.data && rows.length === 0 ? (
          <Empty title={t('customer.noProjects')} hint={t('customer.noProjects.hint')} />
        ) : (
          <Rows
            label={t('customers.projects')}
            rows={rows}
            id={(p) => p.id}
            columns={[
              { id: 'name', head: t('workloads.project'), sort: (p) => p.name, cell: (p) => <Link to="/workloads" search={{ project: p.name, state: 'all' } as never}>{p.name}</Link> },
              { id: 'wallet', head: t('customers.wallet'), figures: true, sort: (p) => Number(p.wallet_usd), cell: (p) => <Money amount={p.wallet_usd} currency={p.currency} /> },
              { id: 'held', head: t('customers.held'), figures: true, cell: (p) => <Money amount={p.held_usd} currency={p.currency} />, wide: true },
              { id: 'spent', head: t('customers.spent'), figures: true, sort: (p) => Number(p.spent_usd), cell: (p) => <Money amount={p.spent_usd} currency={p.currency} /> },
              { id: 'weight', head: t('queue.weight'), figures: true, sort: (p) => p.weight, cell: (p) => p.weight, wide: true },
              {
                id: 'do',
                head: t('customer.actions'),
                cell: (p) => (
                  <Group gap={6} wrap="nowrap">
                    {(['credit', 'weight', 'quota'] as const).map((what) => (
                      <Button key={what} size="compact-xs" variant="default" aria-label={`${t(`customer.do.${what}`)}: ${p.name}`} onClick={() => ask({ what, project: p })}>
                        {t(`customer.do.${what}`)}
                      </Button>
                    ))}
                  </Group>
                ),
              },
            ]}
          />
        )}
      </section>
      <Contracts org={org} currency={b?.currency} />
      <section>
        <Title order={2} mb="xs">
          {t('quota.org')}
        </Title>
        <Answered of={quota}>{(q) => <Quota of={q} />}</Answered>
      </section>
      <section>
        <Title order={2} mb="xs">
          {t('customer.billing')}
        </Title>
        <Answered of={billing}>
          {(x) => (
            <Paper withBorder p="md">
              <Facts
                of={[
                  [t('customer.party'), x.party.name],
                  [t('customer.address'), [x.party.street, x.party.postal_code, x.party.city, x.party.country].filter(Boolean).join(', ')],
                  [t('customer.taxId'), x.party.tax_id],
                  [t('customer.currency'), x.currency],
                  [t('customer.tax'), `${x.tax_category} ${x.tax_percent} %`],
                  [t('customer.net'), t('customer.days', { n: x.net_days })],
                ]}
              />
            </Paper>
          )}
        </Answered>
      </section>
      <ProjectDialogs org={org} asking={asking} close={close} />
      {asking?.what === 'org-quota' && quota.data && <QuotaDialog of={quota.data} org={org} close={close} />}
      {asking?.what === 'quota' && <ProjectQuota project={asking.project.name} close={close} />}
    </Stack>
  )
}

function ProjectQuota({ project, close }: { project: string; close: () => void }) {
  const quota = useGet('/v1/projects/{project}/quota', { path: { project } })
  return quota.data ? <QuotaDialog of={quota.data} project={project} close={close} /> : null
}

function ProjectDialogs({ org, asking, close }: { org: string; asking: Asking; close: () => void }) {
  const add = useSend('post', '/v1/projects', { refresh: ['/v1/projects'] })
  const credit = useSend('post', '/v1/credits', { refresh: ['/v1/projects'] })
  const weight = useSend('put', '/v1/projects/{project}/weight', { refresh: ['/v1/projects', '/v1/queue'] })
  const project = asking && 'project' in asking ? asking.project : null
  return (
    <>
      <FormDialog
        draft={`project:${org}`}
        title={t('customer.addProject')}
        fields={[{ name: 'name', label: t('customers.name'), required: true, hint: t('customers.name.hint') }]}
        opened={asking?.what === 'project'}
        close={close}
        action={t('customer.addProject')}
        error={add.error}
        busy={add.isPending}
        submit={(v, done) => add.mutate({ body: { org, name: v.name!.trim() } }, { onSuccess: done })}
      />
      {project && asking?.what === 'credit' && (
        <FormDialog
          draft={`credit:${project.name}`}
          title={t('credit.title', { name: project.name })}
          what={t('credit.what')}
          fields={[
            { name: 'amount', label: t('bills.amount', { currency: project.currency ?? 'USD' }), required: true },
            { name: 'note', label: t('bills.note') },
          ]}
          opened
          close={close}
          action={t('credit.add')}
          error={credit.error}
          busy={credit.isPending}
          submit={(v, done) =>
            credit.mutate(
              { body: { project: project.name, amount: v.amount!.trim(), note: v.note || undefined } },
              {
                onSuccess: () => {
                  done()
                  notifications.show({ message: t('credit.added', { name: project.name }) })
                },
              },
            )
          }
        />
      )}
      {project && asking?.what === 'weight' && (
        <FormDialog
          draft={`weight:${project.name}`}
          title={t('weight.title', { name: project.name })}
          what={t('weight.what')}
          fields={[{ name: 'weight', label: t('queue.weight'), required: true, initial: String(project.weight) }]}
          opened
          close={close}
          action={t('do.save')}
          error={weight.error}
          busy={weight.isPending}
          submit={(v, done) => weight.mutate({ path: { project: project.name }, body: { weight: Number(v.weight) } }, { onSuccess: done })}
        />
      )}
    </>
  )
}
