// Which GPU, how many, in how many nodes, in which class.
import { Fieldset, Group, NumberInput, SegmentedControl, Select, Text, UnstyledButton } from '@mantine/core'

import { useGet } from '../../api/queries'
import { Money } from '../../parts/money'
import { Emulated } from '../../parts/state'
import { t, word } from '../../text/text'
import { generationOf, type Offer } from './hardware'
import type { Picked } from './request'

interface Props {
  offers: Offer[]
  offer: Offer
  picked: Picked
  pick: (some: Partial<Picked>) => void
  wrong: (field: string) => string | undefined
  currency: string
  project: string
}

export function HardwareFields({ offers, offer, picked, pick, wrong, currency, project }: Props) {
  const cpu = offer.gpus_per_node === 0
  return (
    <Fieldset legend={t('launch.hardware')}>
      <div className="skus" role="group" aria-label={t('offers.sku')}>
        {offers.map((o) => (
          <SkuCard
            key={o.sku}
            offer={o}
            currency={currency}
            chosen={o.sku === offer.sku}
            choose={() => pick({ gpu: o.sku, n: '', nodes: '1', share: '', reservation: '', ...(o.gpus_per_node === 0 ? { job_class: 'on_demand' } : {}) })}
          />
        ))}
      </div>
      {wrong('resources.gpus') && (
        <Text c="var(--mantine-color-error)" size="sm" role="alert">
          {wrong('resources.gpus')}
        </Text>
      )}
      {!cpu && (
        <Group mt="md" align="flex-start">
          <NumberInput
            label={t('launch.gpus')}
            description={t('launch.gpus.hint', { n: offer.gpus_per_node })}
            w={150}
            min={1}
            max={offer.gpus_per_node}
            allowDecimal={false}
            value={picked.n}
            onChange={(n) => pick({ n: String(n || 1) })}
          />
          <NumberInput
            label={t('launch.nodes')}
            description={t('launch.nodes.hint', { n: offer.largest_gang_free })}
            w={150}
            min={1}
            max={4096}
            allowDecimal={false}
            value={picked.nodes}
            onChange={(n) => pick({ nodes: String(n || 1) })}
          />
          {picked.n === '1' && picked.nodes === '1' && (
            <Select
              label={t('launch.share')}
              description={t('launch.share.hint')}
              w={170}
              allowDeselect={false}
              value={picked.share}
              onChange={(share) => pick({ share: share ?? '' })}
              data={[
                { value: '', label: t('launch.share.whole') },
                ...['0.5', '0.25', '0.1'].map((s) => ({ value: s, label: `${Number(s) * 100}%` })),
              ]}
              error={wrong('resources.gpu_share')}
            />
          )}
        </Group>
      )}
      <ClassField picked={picked} pick={pick} cpu={cpu} sku={offer.sku} project={project} wrong={wrong} />
    </Fieldset>
  )
}

function SkuCard({ offer: o, chosen, choose, currency }: { offer: Offer; chosen: boolean; choose: () => void; currency: string }) {
  const cpu = o.gpus_per_node === 0
  return (
    <UnstyledButton className="sku" aria-pressed={chosen} onClick={choose}>
      <b>
        {o.sku} <Emulated is={o.emulated} />
      </b>
      <span className="note">{cpu ? o.description : `${o.gpu_memory_gib} GiB · ${generationOf(o.sku)}`}</span>
      <span>
        <Money amount={o.on_demand_usd_per_gpu_hour || o.usd_per_vcpu_hour} currency={currency} />{' '}
        <span className="note">{cpu ? t('launch.perVcpu') : t('launch.perGpu')}</span>
      </span>
      <span className="note">
        {cpu ? t('offers.vcpuFree', { n: Math.floor(o.cpu_milli_free / 1000) }) : t('offers.freeOf', { free: o.gpus_free, total: o.gpus_total })}
      </span>
    </UnstyledButton>
  )
}

function ClassField({ picked, pick, cpu, sku, project, wrong }: Pick<Props, 'picked' | 'pick' | 'wrong' | 'project'> & { cpu: boolean; sku: string }) {
  const reservations = useGet('/v1/reservations')
  const mine = (reservations.data?.items ?? []).filter((r) => r.sku === sku && (!project || r.project === project))
  const value = picked.reservation ? 'reserved' : picked.job_class
  return (
    <Group mt="md" align="flex-start">
      <div>
        <Text fw={600} size="sm" id="class-label">
          {t('launch.class')}
        </Text>
        <SegmentedControl
          mt={4}
          aria-labelledby="class-label"
          value={value}
          onChange={(c) => pick(c === 'reserved' ? { reservation: mine[0]?.name ?? '' } : { job_class: c, reservation: '' })}
          data={[
            { value: 'on_demand', label: word('on_demand') },
            ...(cpu ? [] : [{ value: 'spot', label: word('spot') }]),
            ...(mine.length ? [{ value: 'reserved', label: word('reserved') }] : []),
          ]}
        />
        <Text size="xs" c="dimmed" mt={4} maw={420}>
          {value === 'spot' ? t('launch.class.spot') : value === 'reserved' ? t('launch.class.reserved') : t('launch.class.onDemand')}
        </Text>
      </div>
      {picked.reservation && (
        <Select
          label={t('launch.reservation')}
          w={220}
          allowDeselect={false}
          value={picked.reservation}
          onChange={(r) => pick({ reservation: r ?? '' })}
          data={[...new Set([...mine.map((r) => r.name), picked.reservation])]}
          error={wrong('reservation')}
        />
      )}
    </Group>
  )
}
