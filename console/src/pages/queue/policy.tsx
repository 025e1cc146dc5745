// How the queue is ordered and what is promised: shown, and changed.
import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet, useSend } from '../../api/queries'
import { FormDialog } from '../../parts/form_dialog'
import { Section } from '../../parts/listed'
import { Answered, Facts } from '../../parts/states'
import { durationText, shortDuration } from '../../parts/time'
import { t, word } from '../../text/text'

type View = Schemas['PolicyView']
type Stretch = 'half_life' | 'quantum' | 'spot_grace' | 'house_grace' | 'restart_cost' | 'site_unknown' | 'site_lease' | 'site_grace'

const stretches: Stretch[] = ['half_life', 'quantum', 'spot_grace', 'house_grace', 'restart_cost', 'site_unknown', 'site_lease', 'site_grace']
const counts = ['promises_per_class', 'spot_promises'] as const

export function Policy() {
  const policy = useGet('/v1/policy')
  const [changing, change] = useState(false)
  return (
    <Section
      title={t('policy.title')}
      action={
        <Button size="xs" variant="default" onClick={() => change(true)} disabled={!policy.data}>
          {t('policy.change')}
        </Button>
      }
    >
      <Answered of={policy}>
        {(p) => (
          <Facts
            of={[
              [t('policy.order'), word(p.order)],
              ...counts.map((c): [string, string] => [t(`policy.${c}`), String(p[c])]),
              ...stretches.map((s): [string, string] => [t(`policy.${s}`), durationText(p[`${s}_s`])]),
            ]}
          />
        )}
      </Answered>
      {changing && policy.data && <ChangePolicy of={policy.data} close={() => change(false)} />}
    </Section>
  )
}

// Only what was changed is sent.
function ChangePolicy({ of: p, close }: { of: View; close: () => void }) {
  const change = useSend('patch', '/v1/policy', { refresh: ['/v1/policy', '/v1/queue'] })
  const before: Record<string, string> = {
    order: p.order,
    ...Object.fromEntries(counts.map((c) => [c, String(p[c])])),
    ...Object.fromEntries(stretches.map((s) => [s, shortDuration(p[`${s}_s`])])),
  }
  return (
    <FormDialog
      draft="policy"
      title={t('policy.change')}
      what={t('policy.what')}
      size="lg"
      columns
      fields={[
        { name: 'order', label: t('policy.order'), hint: t('policy.order.hint'), is: ['fair', 'fifo'].map((o) => ({ value: o, label: word(o) })), initial: before.order },
        ...counts.map((c) => ({ name: c, label: t(`policy.${c}`), hint: t(`policy.${c}.hint`), required: true, initial: before[c] })),
        ...stretches.map((s) => ({ name: s, label: t(`policy.${s}`), hint: t(`policy.${s}.hint`), required: true, initial: before[s] })),
      ]}
      close={close}
      action={t('do.save')}
      of={change}
      submit={(v, done) => {
        const changed = Object.fromEntries(Object.entries(v).filter(([k, text]) => text.trim() !== before[k]))
        for (const c of counts) if (c in changed) Object.assign(changed, { [c]: Number(changed[c]) })
        change.mutate(
          { body: changed },
          {
            onSuccess: () => {
              done()
              notifications.show({ message: t('policy.changed') })
            },
          },
        )
      }}
    />
  )
}
