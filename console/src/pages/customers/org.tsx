// One customer: projects with credit, weight and quota; contracts; how it is billed.
import { Alert, Button, Group, Paper, Stack, Text } from '@mantine/core'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { Problem, type Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Listed, Section } from '../../parts/listed'
import { Money } from '../../parts/money'
import { Answered, ErrorBox, Facts, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { Contracts } from './contracts'
import { AddCredit, AddProject, SetBilling, SetWeight } from './org_dialogs'
import { Quota, QuotaDialog } from './quota'

type Project = Schemas['ProjectView']
type Asking = { what: 'project' } | { what: 'credit' | 'weight' | 'quota'; project: Project } | { what: 'org-quota' | 'billing' } | null

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
          {t('invoices.title')}
        </Link>
        <Button size="xs" onClick={() => ask({ what: 'project' })}>
          {t('customer.addProject')}
        </Button>
      </PageHead>
      {rows.filter((p) => p.warning).map((p) => (
        <Alert key={p.id} color="yellow" variant="outline" title={p.name}>
          <Text c="var(--mantine-color-text)">{p.warning}</Text>
        </Alert>
      ))}
      <Listed
        title
        label={t('customers.projects')}
        empty={{ title: projects.data ? t('customer.noProjects') : t('app.loading'), hint: projects.data && t('customer.noProjects.hint') }}
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
            head: '',
            figures: true,
            cell: (p) => (
              <Group gap={6} wrap="nowrap" justify="flex-end">
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
      <Contracts org={org} currency={b?.currency} />
      <Section
        title={t('quota.org')}
        action={
          <Button size="xs" variant="default" onClick={() => ask({ what: 'org-quota' })} disabled={!quota.data}>
            {t('quota.change')}
          </Button>
        }
      >
        <Answered of={quota}>{(q) => <Quota of={q} />}</Answered>
      </Section>
      <Section
        title={t('customer.billing')}
        action={
          <Button size="xs" variant="default" onClick={() => ask({ what: 'billing' })} disabled={!b}>
            {t('billing.change')}
          </Button>
        }
      >
        <Answered of={billing}>
          {(x) => (
            <Paper withBorder p="md">
              <Facts
                of={[
                  [t('customer.party'), x.party.name],
                  [t('customer.address'), [x.party.street, x.party.postal_code, x.party.city, x.party.country].filter(Boolean).join(', ')],
                  [t('customer.taxId'), x.party.tax_id],
                  [t('customer.currency'), x.currency],
                  [t('customer.tax'), `${x.tax_category} ${x.tax_percent}%`],
                  [t('customer.net'), t('customer.days', { n: x.net_days })],
                ]}
              />
            </Paper>
          )}
        </Answered>
      </Section>
      {asking?.what === 'project' && <AddProject org={org} close={close} />}
      {asking?.what === 'credit' && <AddCredit project={asking.project} close={close} />}
      {asking?.what === 'weight' && <SetWeight project={asking.project.name} weight={asking.project.weight} close={close} />}
      {asking?.what === 'billing' && b && <SetBilling org={org} billing={b} close={close} />}
      {asking?.what === 'org-quota' && quota.data && <QuotaDialog of={quota.data} org={org} close={close} />}
      {asking?.what === 'quota' && <ProjectQuota project={asking.project.name} close={close} />}
    </Stack>
  )
}

function ProjectQuota({ project, close }: { project: string; close: () => void }) {
  const quota = useGet('/v1/projects/{project}/quota', { path: { project } })
  return quota.data ? <QuotaDialog of={quota.data} project={project} close={close} /> : null
}
