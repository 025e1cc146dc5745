// Adding a site, changing one, removing an empty one. No secret is typed: where the engine's token lies.
import { notifications } from '@mantine/notifications'
import { useNavigate } from '@tanstack/react-router'

import { useSend } from '../../api/queries'
import { Dialog } from '../../parts/dialog'
import { FormDialog, type Field } from '../../parts/form_dialog'
import { t, word } from '../../text/text'
import type { Site } from './list'

// NAME=VALUE, one on each line.
const lines = (text?: string) => (text ?? '').split('\n').map((l) => l.trim()).filter(Boolean)

const fieldsOf = (s?: Site): Field[] => [
  { name: 'url', label: t('sites.url'), hint: t('sites.url.hint'), required: true, initial: s?.url ?? '' },
  { name: 'region', label: t('sites.region'), hint: s ? undefined : t('sites.region.hint'), initial: s?.region ?? '' },
  { name: 'power_usd_per_kwh', label: t('sites.powerPrice'), initial: s?.power_usd_per_kwh ?? '' },
  { name: 'pue', label: t('sites.pue'), hint: t('sites.pue.hint'), initial: s?.pue ?? '' },
  { name: 'token_file', label: t('sites.tokenFile'), hint: t('sites.tokenFile.hint'), initial: s?.token_file ?? '' },
  { name: 'token_env', label: t('sites.tokenEnv'), hint: t('sites.tokenEnv.hint'), initial: s?.token_env ?? '' },
  { name: 'options', label: t('sites.options'), hint: t('sites.options.hint'), is: 'lines', initial: (s?.options ?? []).join('\n') },
]

export function AddSite({ close }: { close: () => void }) {
  const navigate = useNavigate()
  const add = useSend('post', '/v1/sites', { refresh: ['/v1/sites'] })
  return (
    <FormDialog
      draft="site"
      title={t('sites.add')}
      what={t('sites.add.what')}
      size="lg"
      columns
      fields={[
        { name: 'name', label: t('sites.name'), hint: t('sites.name.hint'), required: true },
        { name: 'engine', label: t('sites.engine'), is: ['slurm', 'emulated'].map((e) => ({ value: e, label: word(`engine_${e}`) })), initial: 'slurm' },
        ...fieldsOf(),
      ]}
      close={close}
      action={t('sites.add')}
      of={add}
      submit={(v, done) =>
        add.mutate(
          {
            body: {
              name: v.name!.trim(),
              engine: v.engine!,
              url: v.url!.trim(),
              region: v.region || undefined,
              power_usd_per_kwh: v.power_usd_per_kwh || undefined,
              pue: v.pue || undefined,
              token_file: v.token_file || undefined,
              token_env: v.token_env || undefined,
              options: lines(v.options),
            },
          },
          {
            onSuccess: (made) => {
              done()
              notifications.show({ message: t('sites.added', { name: made.name }) })
              void navigate({ to: '/sites/$site', params: { site: made.name } })
            },
          },
        )
      }
    />
  )
}

// Only what was changed is sent.
export function ChangeSite({ site, close }: { site: Site; close: () => void }) {
  const change = useSend('patch', '/v1/sites/{site}', { refresh: ['/v1/sites', '/v1/sites/{site}'] })
  const fields: Field[] = [
    { name: 'state', label: t('workloads.state'), hint: t('sites.state.hint'), is: ['active', 'draining', 'closed'].map((x) => ({ value: x, label: word(x) })), initial: site.state },
    // A machine's own engine has neither address nor token.
    ...fieldsOf(site).filter((f) => site.url || f.name === 'region' || f.name === 'power_usd_per_kwh' || f.name === 'pue'),
  ]
  return (
    <FormDialog
      draft={`site:${site.name}`}
      title={t('sites.change.title', { name: site.name })}
      size="lg"
      columns
      fields={fields}
      close={close}
      action={t('do.save')}
      of={change}
      submit={(v, done) => {
        const changed = Object.fromEntries(fields.filter((f) => v[f.name] !== f.initial).map((f) => [f.name, f.name === 'options' ? lines(v.options) : v[f.name]!.trim()]))
        change.mutate(
          { path: { site: site.name }, body: changed as never },
          {
            onSuccess: () => {
              done()
              notifications.show({ message: t('sites.changed', { name: site.name }) })
            },
          },
        )
      }}
    />
  )
}

export function RemoveSite({ site, close }: { site: Site; close: () => void }) {
  const navigate = useNavigate()
  const remove = useSend('delete', '/v1/sites/{site}', {
    refresh: ['/v1/sites'],
    done: () => {
      close()
      notifications.show({ message: t('sites.removed', { name: site.name }) })
      void navigate({ to: '/sites' })
    },
  })
  return (
    <Dialog
      title={t('sites.remove.sure', { name: site.name })}
      what={t('sites.remove.what')}
      close={close}
      action={t('do.remove')}
      of={remove}
      danger
      submit={() => remove.mutate({ path: { site: site.name } })}
    />
  )
}
