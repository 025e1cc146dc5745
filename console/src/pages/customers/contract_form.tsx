// Signing a contract: what is committed, month by month where it changes; prices; what uptime is owed.
import { ActionIcon, Button, Checkbox, Group, NumberInput, SegmentedControl, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'

import { useGet, useSend } from '../../api/queries'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { monthText } from '../../parts/month'
import { t } from '../../text/text'

interface Step {
  from: string // a month of the contract, from 1; a percentage of uptime
  amount: string
}

const empty = {
  name: '',
  from: '',
  months: '12',
  kind: 'spend',
  ramp: [{ from: '1', amount: '' }] as Step[],
  sku: '',
  price: '',
  overage_price: '',
  prepaid: '',
  sla: [
    { from: '99', amount: '10' },
    { from: '95', amount: '25' },
    { from: '90', amount: '50' },
  ] as Step[],
  renews: false,
  at_term: false,
}

type Draft = typeof empty

function bodyOf(org: string, d: Draft) {
  const hours = d.kind === 'gpu_hours'
  return {
    org,
    name: d.name.trim(),
    from: d.from.trim(),
    months: Number(d.months),
    ramp: d.ramp.map((s) => ({ month: Number(s.from) - 1, amount: s.amount.trim() })),
    sku: hours ? d.sku : undefined,
    price: (hours && d.price) || undefined,
    overage_price: (hours && d.overage_price) || undefined,
    prepaid: d.prepaid || undefined,
    // From the least uptime on: the first that is not reached counts.
    sla: [...d.sla].sort((a, b) => Number(a.from) - Number(b.from)).map((s) => ({ below_percent: s.from.trim(), credit_percent: s.amount.trim() })),
    renews: d.renews,
    take_or_pay: !d.at_term,
  }
}

export function SignContract({ org, currency = 'USD', close }: { org: string; currency?: string; close: () => void }) {
  const { draft: d, change, forget } = useDraft(`contract:${org}`, { ...empty, from: monthText(new Date(), -1) })
  const offers = useGet('/v1/offers')
  const sign = useSend('post', '/v1/contracts', {
    refresh: ['/v1/contracts'],
    done: (made) => {
      forget()
      close()
      notifications.show({ message: t('contracts.signed', { name: made.name }) })
    },
  })
  const wrong = (field: string) => sign.error?.wrong(field)
  const hours = d.kind === 'gpu_hours'
  return (
    <Dialog
      title={t('contracts.sign')}
      size="lg"
      close={close}
      action={t('contracts.sign')}
      of={sign}
      fields={['name', 'from', 'months', 'ramp', 'spend', 'gpu_hours', 'sku', 'price', 'overage_price', 'prepaid', 'sla']}
      submit={() => sign.mutate({ body: bodyOf(org, d) })}
    >
      <SimpleGrid cols={{ base: 1, xs: 3 }}>
        <TextInput label={t('customers.name')} required value={d.name} onChange={(e) => change({ name: e.currentTarget.value })} error={wrong('name')} data-autofocus />
        <TextInput label={t('contracts.from')} placeholder="2026-12" required value={d.from} onChange={(e) => change({ from: e.currentTarget.value })} error={wrong('from')} />
        <NumberInput label={t('contracts.months')} min={1} allowDecimal={false} required value={d.months} onChange={(n) => change({ months: String(n) })} error={wrong('months')} />
      </SimpleGrid>
      <SegmentedControl
        aria-label={t('contracts.commitment')}
        value={d.kind}
        onChange={(kind) => change({ kind })}
        data={[
          { value: 'spend', label: t('contracts.spend', { currency }) },
          { value: 'gpu_hours', label: t('contracts.gpuHours') },
        ]}
      />
      <Steps
        label={t('contracts.ramp')}
        hint={t('contracts.ramp.hint')}
        heads={[t('contracts.ramp.month'), hours ? t('contracts.gpuHours') : t('contracts.spend', { currency })]}
        steps={d.ramp}
        least={1}
        set={(ramp) => change({ ramp })}
        add={() => ({ from: String(Number(d.ramp.at(-1)?.from ?? -5) + 6), amount: '' })}
        error={sign.error?.body.wrong?.find((w) => w.field.startsWith('ramp') || w.field === 'spend' || w.field === 'gpu_hours')?.message}
      />
      {hours && (
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          <Select label={t('money.sku')} required value={d.sku || null} onChange={(sku) => change({ sku: sku ?? '' })} data={(offers.data?.items ?? []).map((o) => o.sku).filter((s) => s !== 'cpu')} error={wrong('sku')} />
          <TextInput label={t('contracts.price')} required value={d.price} onChange={(e) => change({ price: e.currentTarget.value })} error={wrong('price')} />
          <TextInput label={t('contracts.overage')} description={t('contracts.overage.hint')} value={d.overage_price} onChange={(e) => change({ overage_price: e.currentTarget.value })} error={wrong('overage_price')} inputWrapperOrder={['label', 'input', 'description', 'error']} />
        </SimpleGrid>
      )}
      <TextInput label={t('contracts.prepaid')} value={d.prepaid} onChange={(e) => change({ prepaid: e.currentTarget.value })} error={wrong('prepaid')} />
      <Steps
        label={t('contracts.sla')}
        hint={t('contracts.sla.hint')}
        heads={[t('contracts.sla.below'), t('contracts.sla.credit')]}
        steps={d.sla}
        least={0}
        set={(sla) => change({ sla })}
        add={() => ({ from: '', amount: '' })}
        error={sign.error?.body.wrong?.find((w) => w.field.startsWith('sla'))?.message}
      />
      <Checkbox label={t('contracts.renews.label')} checked={d.renews} onChange={(e) => change({ renews: e.currentTarget.checked })} />
      <Checkbox label={t('contracts.atTerm')} checked={d.at_term} onChange={(e) => change({ at_term: e.currentTarget.checked })} />
    </Dialog>
  )
}

interface StepsProps {
  label: string
  hint: string
  heads: [string, string]
  steps: Step[]
  least: number
  set: (steps: Step[]) => void
  add: () => Step
  error?: string
}

// Pairs of values, as many as are wanted.
function Steps({ label, hint, heads, steps, least, set, add, error }: StepsProps) {
  const put = (i: number, some: Partial<Step>) => set(steps.map((s, n) => (n === i ? { ...s, ...some } : s)))
  return (
    <fieldset className="steps">
      <legend>{label}</legend>
      <Text size="xs" c="dimmed" mb={6}>
        {hint}
      </Text>
      <Stack gap={6}>
        {steps.length > 0 && (
          <div className="step" aria-hidden>
            <span className="note">{heads[0]}</span>
            <span className="note">{heads[1]}</span>
          </div>
        )}
        {steps.map((s, i) => (
          <div className="step" key={i}>
            <TextInput size="xs" required aria-label={`${heads[0]} ${i + 1}`} value={s.from} onChange={(e) => put(i, { from: e.currentTarget.value })} />
            <TextInput size="xs" required aria-label={`${heads[1]} ${i + 1}`} value={s.amount} onChange={(e) => put(i, { amount: e.currentTarget.value })} />
            {steps.length > least && (
              <ActionIcon variant="default" aria-label={`${t('do.remove')}: ${label} ${i + 1}`} onClick={() => set(steps.filter((_, n) => n !== i))}>
                ×
              </ActionIcon>
            )}
          </div>
        ))}
      </Stack>
      {error && (
        <Text size="xs" c="var(--mantine-color-error)" mt={4} role="alert">
          {error}
        </Text>
      )}
      <Group mt={6}>
        <Button size="compact-xs" variant="default" onClick={() => set([...steps, add()])}>
          {t('contracts.addStep')}
        </Button>
      </Group>
    </fieldset>
  )
}
