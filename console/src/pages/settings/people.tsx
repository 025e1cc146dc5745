// Projects with what they may use, and people.
import { Button, Group, Paper, Select, Stack, Table, Text, TextInput, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { Listed } from '../../parts/listed'
import { Money } from '../../parts/money'
import { Rows, type Column } from '../../parts/rows'
import { Answered, ErrorBox, Facts, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t } from '../../text/text'
import { SettingsTabs } from './tabs'

type Project = Schemas['ProjectView']
type User = Schemas['UserView']

export default function People() {
  const { me } = useSession()
  const [adding, add] = useState<'user' | 'project' | null>(null)
  const projects = useGet('/v1/projects')
  const users = useGet('/v1/users')
  const owner = me.role === 'owner'
  usePalette([{ label: t('settings.addUser'), run: () => add('user') }])
  const columns = useMemo(() => userColumns(owner), [owner])
  return (
    <>
      <PageHead title={t('settings.title')} lead={t('settings.lead')} />
      <SettingsTabs />
      <Stack gap="xl">
        <section>
          <Group justify="space-between" mb="xs">
            <Title order={2}>{t('settings.projects')}</Title>
            {owner && (
              <Button size="xs" onClick={() => add('project')}>
                {t('settings.addProject')}
              </Button>
            )}
          </Group>
          <Answered of={projects}>
            {(list) =>
              owner ? (
                <Rows label={t('settings.projects')} rows={list.items ?? []} columns={projectColumns()} id={(p) => p.id} />
              ) : (
                <Stack>
                  {(list.items ?? []).map((p) => (
                    <ProjectCard key={p.id} of={p} />
                  ))}
                </Stack>
              )
            }
          </Answered>
        </section>
        <section>
          <Group justify="space-between" mb="xs">
            <Title order={2}>{t('settings.users')}</Title>
            <Button size="xs" onClick={() => add('user')}>
              {t('settings.addUser')}
            </Button>
          </Group>
          <Answered of={users}>
            {(list) => (
              <Listed
                label={t('settings.users')}
                empty={{ title: t('settings.noUsers'), hint: t('settings.noUsers.hint'), action: <Button onClick={() => add('user')}>{t('settings.addUser')}</Button> }}
                rows={list.items ?? []}
                columns={columns}
                id={(u) => u.id}
              />
            )}
          </Answered>
        </section>
      </Stack>
      {adding && <AddDialog what={adding} close={() => add(null)} />}
    </>
  )
}

function projectColumns(): Column<Project>[] {
  return [
    { id: 'name', head: t('reservations.name'), cell: (p) => p.name, sort: (p) => p.name },
    { id: 'org', head: t('budgets.org'), cell: (p) => p.org, sort: (p) => p.org },
    { id: 'wallet', head: t('cost.wallet'), cell: (p) => <Money amount={p.wallet_usd} currency={p.currency} />, sort: (p) => Number(p.wallet_usd), figures: true },
    { id: 'spent', head: t('cost.spent'), cell: (p) => <Money amount={p.spent_usd} currency={p.currency} />, sort: (p) => Number(p.spent_usd), figures: true, wide: true },
    { id: 'since', head: t('settings.since'), cell: (p) => <Time at={p.created_at} />, sort: (p) => p.created_at, wide: true },
  ]
}

function userColumns(owner: boolean): Column<User>[] {
  const columns: Column<User>[] = [
    { id: 'name', head: t('reservations.name'), cell: (u) => u.name, sort: (u) => u.name },
    { id: 'since', head: t('settings.since'), cell: (u) => <Time at={u.created_at} />, sort: (u) => u.created_at },
    {
      id: 'key',
      head: '',
      cell: (u) => (
        <Link to="/settings/keys" search={{ new: '1', user: u.name } as never} aria-label={t('settings.keyFor', { user: u.name })}>
          {t('keys_page.new')}
        </Link>
      ),
      figures: true,
    },
  ]
  if (owner) columns.splice(1, 0, { id: 'org', head: t('budgets.org'), cell: (u) => u.org, sort: (u) => u.org })
  return columns
}

function ProjectCard({ of: p }: { of: Project }) {
  const quota = useGet('/v1/projects/{project}/quota', { path: { project: p.name } })
  const limited = (quota.data?.lines ?? []).filter((l) => l.limit)
  return (
    <Paper withBorder p="md">
      <Facts
        of={[
          [t('workloads.project'), <b>{p.name}</b>],
          [t('budgets.org'), p.org],
          [t('cost.wallet'), <Money amount={p.wallet_usd} currency={p.currency} />],
          [t('settings.since'), <Time at={p.created_at} />],
          ['Id', p.id],
        ]}
      />
      <Text fw={600} mt="md">
        {t('settings.quota')}
      </Text>
      {quota.error && <ErrorBox error={quota.error} />}
      {quota.data &&
        (limited.length === 0 ? (
          <p className="note">{t('settings.noQuota')}</p>
        ) : (
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('settings.what')}</Table.Th>
                <Table.Th ta="right">{t('budgets.limit')}</Table.Th>
                <Table.Th ta="right">{t('reservations.used')}</Table.Th>
                <Table.Th ta="right">{t('budgets.left')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {limited.map((l) => (
                <Table.Tr key={l.what}>
                  <Table.Td>{l.what}</Table.Td>
                  <Table.Td ta="right">{l.limit}</Table.Td>
                  <Table.Td ta="right">{l.used}</Table.Td>
                  <Table.Td ta="right">{l.left}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        ))}
    </Paper>
  )
}

function AddDialog({ what, close }: { what: 'user' | 'project'; close: () => void }) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const { draft, change, forget } = useDraft(`add-${what}`, { name: '', org: '' })
  const orgs = useGet('/v1/orgs', undefined, { enabled: owner })
  const done = (made: { name: string }) => {
    forget()
    close()
    notifications.show({ message: t('settings.added', { name: made.name }) })
  }
  const user = useSend('post', '/v1/users', { refresh: ['/v1/users'], done })
  const project = useSend('post', '/v1/projects', { refresh: ['/v1/projects'], done })
  const sent = what === 'user' ? user : project
  const org = owner ? draft.org : (me.org ?? '')
  return (
    <Dialog
      title={what === 'user' ? t('settings.addUser') : t('settings.addProject')}
      close={close}
      action={t('settings.add')}
      of={sent}
      fields={['name', 'org']}
      submit={() => sent.mutate({ body: { name: draft.name.trim(), org } })}
    >
      <TextInput
        label={t('reservations.name')}
        description={what === 'user' ? t('settings.name.hint') : undefined}
        required
        value={draft.name}
        onChange={(e) => change({ name: e.currentTarget.value })}
        error={sent.error?.wrong('name')}
        data-autofocus
      />
      {owner && (
        <Select
          label={t('budgets.org')}
          required
          searchable
          value={draft.org || null}
          onChange={(o) => change({ org: o ?? '' })}
          data={orgs.data?.items?.map((o) => o.name) ?? []}
          error={sent.error?.wrong('org')}
        />
      )}
    </Dialog>
  )
}
