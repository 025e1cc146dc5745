// API keys: made (shown once), labelled, revoked.
import { Button, SegmentedControl, Select, Switch, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMemo, useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { useFilters } from '../../parts/filters'
import { Listed } from '../../parts/listed'
import type { Column } from '../../parts/rows'
import { State } from '../../parts/state'
import { Answered, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'
import { SecretOnce } from './secret_once'
import { SettingsTabs } from './tabs'

type Key = Schemas['KeyView']

export default function KeysPage() {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const [filters, setFilters] = useFilters({ new: '', user: '', all: '', q: '' })
  const [secret, show] = useState<string | null>(null) // here only: in no draft and no cache
  const [revoking, setRevoking] = useState<Key | null>(null)
  const keys = useGet('/v1/keys')
  const make = () => setFilters({ new: '1' }, { push: true })
  usePalette([{ label: t('keys_page.new'), run: make }])
  const columns = useMemo(() => columnsFor(owner, setRevoking), [owner])
  const revoke = useSend('delete', '/v1/keys/{key}', {
    refresh: ['/v1/keys'],
    done: () => {
      setRevoking(null)
      notifications.show({ message: t('keys_page.revoked') })
    },
  })
  return (
    <>
      <PageHead title={t('keys_page.title')} lead={t('keys_page.lead')}>
        <TextInput
          size="xs"
          w={200}
          data-filter
          placeholder={t('keys_page.filter')}
          aria-label={t('keys_page.filter')}
          value={filters.q}
          onChange={(e) => setFilters({ q: e.currentTarget.value })}
        />
        <Switch size="xs" label={t('keys_page.withRevoked')} checked={filters.all !== ''} onChange={(e) => setFilters({ all: e.currentTarget.checked ? '1' : '' })} />
        <Button size="xs" onClick={make}>
          {t('keys_page.new')}
        </Button>
      </PageHead>
      <SettingsTabs />
      <Answered of={keys}>
        {(list) => {
          const q = filters.q.toLowerCase()
          const rows = (list.items ?? []).filter(
            (k) => (filters.all || !k.revoked) && [k.prefix, k.label, k.user, k.project].some((x) => x?.toLowerCase().includes(q)),
          )
          const empty = q ? { title: t('table.noMatch') } : { title: t('keys_page.empty'), action: <Button onClick={make}>{t('keys_page.new')}</Button> }
          return <Listed label={t('keys_page.title')} empty={empty} rows={rows} columns={columns} id={(k) => k.id} />
        }}
      </Answered>
      {filters.new && (
        <NewKey
          user={filters.user}
          close={() => setFilters({ new: '', user: '' })}
          made={(k) => {
            setFilters({ new: '', user: '' })
            show(k.secret ?? null)
          }}
        />
      )}
      {secret && <SecretOnce title={t('keys_page.yours')} secret={secret} hint={t('keys_page.use')} close={() => show(null)} />}
      {revoking && (
        <Dialog
          title={t('keys_page.revoke.sure', { key: revoking.prefix })}
          what={t('keys_page.revoke.what')}
          close={() => setRevoking(null)}
          action={t('keys_page.revoke')}
          of={revoke}
          danger
          submit={() => revoke.mutate({ path: { key: revoking.id } })}
        />
      )}
    </>
  )
}

function columnsFor(owner: boolean, revoke: (k: Key) => void): Column<Key>[] {
  const columns: Column<Key>[] = [
    { id: 'prefix', head: t('keys_page.key'), cell: (k) => <code>{k.prefix}</code>, sort: (k) => k.prefix },
    { id: 'label', head: t('keys_page.label'), cell: (k) => k.label, sort: (k) => k.label, wide: true },
    { id: 'user', head: t('workloads.user'), cell: (k) => k.user ?? t('app.operator'), sort: (k) => k.user ?? '' },
    { id: 'since', head: t('settings.since'), cell: (k) => <Time at={k.created_at} />, sort: (k) => k.created_at, wide: true },
    { id: 'state', head: t('workloads.state'), cell: (k) => <State of={k.revoked ? 'revoked' : 'active'} />, sort: (k) => Number(k.revoked), wide: true },
    {
      id: 'do',
      head: '',
      cell: (k) =>
        !k.revoked && (
          <Button size="compact-xs" variant="default" onClick={() => revoke(k)} aria-label={`${t('keys_page.revoke')}: ${k.prefix}`}>
            {t('keys_page.revoke')}
          </Button>
        ),
      figures: true,
    },
  ]
  if (owner) columns.splice(3, 0, { id: 'project', head: t('workloads.project'), cell: (k) => k.project ?? '', sort: (k) => k.project ?? '', wide: true })
  return columns
}

function NewKey({ user, close, made }: { user: string; close: () => void; made: (k: Key) => void }) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const { draft, change, forget } = useDraft('key', { user: '', label: '', role: 'customer', project: '' })
  const users = useGet('/v1/users')
  const projects = useGet('/v1/projects', undefined, { enabled: owner })
  const whose = draft.user || user || me.user || ''
  const customer = draft.role === 'customer' || !owner
  const make = useSend('post', '/v1/keys', {
    refresh: ['/v1/keys'],
    done: (k) => {
      forget()
      made(k)
    },
  })
  const wrong = (field: string) => make.error?.wrong(field)
  return (
    <Dialog
      title={t('keys_page.new')}
      close={close}
      action={t('keys_page.make')}
      of={make}
      fields={['user', 'project', 'label']}
      submit={() => {
        make.mutate({
          body: {
            ...(owner ? { role: draft.role as Key['role'] } : {}),
            ...(customer ? { user: whose, project: owner ? draft.project : (me.project ?? '') } : {}),
            ...(draft.label ? { label: draft.label } : {}),
          },
        })
      }}
    >
      {owner && (
        <SegmentedControl
          aria-label={t('keys_page.role')}
          value={draft.role}
          onChange={(role) => change({ role })}
          data={['customer', 'owner'].map((r) => ({ value: r, label: word(`role_${r}`) }))}
        />
      )}
      {customer && (
        <>
          {owner && (
            <Select label={t('workloads.project')} required searchable value={draft.project || null} onChange={(p) => change({ project: p ?? '' })} data={projects.data?.items?.map((p) => p.name) ?? []} error={wrong('project')} />
          )}
          <Select
            label={t('workloads.user')}
            required
            searchable
            value={whose || null}
            onChange={(u) => change({ user: u ?? '' })}
            data={[...new Set([...(users.data?.items?.map((u) => u.name) ?? []), ...(whose ? [whose] : [])])]}
            error={wrong('user')}
          />
        </>
      )}
      <TextInput
        label={t('keys_page.label')}
        description={t('keys_page.label.hint')}
        placeholder="laptop"
        value={draft.label}
        onChange={(e) => change({ label: e.currentTarget.value })}
        error={wrong('label')}
        data-autofocus
      />
      {!owner && <Text c="dimmed">{t('keys_page.scope', { project: me.project ?? '' })}</Text>}
    </Dialog>
  )
}
