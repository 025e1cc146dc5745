// Making a reservation. While it is filled in it says how many could be kept then; a refusal says when
// it could begin at the earliest: one press takes that time.
import { Button, Checkbox, NumberInput, Select, SimpleGrid, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'

import { useGet, useSend } from '../../api/queries'
import { useSession } from '../../app/session'
import { Dialog } from '../../parts/dialog'
import { useDraft } from '../../parts/draft'
import { timeText } from '../../parts/time'
import { t } from '../../text/text'
import { localText, type Offer } from './lanes'

const empty = { gpu: '', n: '8', from: '', duration: '4h', name: '', release_unused: false, project: '', site: '', across: false }

interface Props {
  offers: Offer[]
  gpu: string
  from: string
  site: string
  close: () => void
}

export function NewReservation({ offers, gpu, from, site, close }: Props) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const projects = useGet('/v1/projects', undefined, { enabled: owner })
  const { draft, change, forget } = useDraft('reservation', empty, { ...(gpu && { gpu }), ...(from && { from }), ...(site && { site }) })
  const picked = offers.find((o) => o.sku === draft.gpu) ?? offers[0]
  const sites = (picked?.sites ?? []).map((s) => s.site)
  const reserve = useSend('post', '/v1/reservations', {
    refresh: ['/v1/reservations', '/v1/reservations/free', '/v1/offers'],
    done: (r) => {
      forget()
      close()
      notifications.show({ message: t('reservations.made', { name: r.name }) })
    },
  })
  const wrong = (field: string) => reserve.error?.wrong(field)
  const earliest = reserve.error?.body.earliest
  const request = (at: string) => ({
    body: {
      gpus: `${picked?.sku}:${draft.n || '1'}`,
      ...(at ? { from: new Date(at).toISOString() } : {}),
      duration: draft.duration,
      ...(draft.name ? { name: draft.name } : {}),
      ...(draft.release_unused ? { release_unused: true } : {}),
      ...(draft.site ? { sites: [draft.site] } : {}),
      ...(draft.across && !draft.site ? { across_sites: true } : {}),
      ...(owner && draft.project ? { project: draft.project } : {}),
    },
  })
  return (
    <Dialog
      title={t('reservations.new')}
      size="lg"
      close={close}
      action={t('reservations.do')}
      of={reserve}
      fields={['gpus', 'from', 'duration', 'until', 'name', 'project', 'sites']}
      submit={() => reserve.mutate(request(draft.from))}
      more={
        earliest && (
          <Button
            variant="default"
            onClick={() => {
              const at = localText(earliest)
              change({ from: at })
              reserve.mutate(request(at))
            }}
          >
            {t('reservations.takeEarliest', { at: timeText(earliest) })}
          </Button>
        )
      }
    >
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {owner && (
          <Select
            label={t('workloads.project')}
            required
            searchable
            value={draft.project || null}
            onChange={(p) => change({ project: p ?? '' })}
            data={projects.data?.items?.map((p) => p.name) ?? []}
            error={wrong('project')}
          />
        )}
        <Select
          label="GPU"
          description={picked && t('offers.freeOf', { free: picked.gpus_free, total: picked.gpus_total })}
          allowDeselect={false}
          value={picked?.sku ?? null}
          onChange={(sku) => change({ gpu: sku ?? '', site: '' })}
          data={offers.map((o) => o.sku)}
        />
        <NumberInput
          label={t('reservations.gpus')}
          description={t('reservations.gpus.hint')}
          min={1}
          allowDecimal={false}
          value={draft.n}
          onChange={(n) => change({ n: String(n || '') })}
          error={wrong('gpus')}
          required
          data-autofocus
        />
        <TextInput
          type="datetime-local"
          label={t('reservations.from')}
          description={t('reservations.from.hint')}
          value={draft.from}
          min={localText(new Date(Date.now() - 60_000))}
          onChange={(e) => change({ from: e.currentTarget.value })}
          error={wrong('from')}
        />
        <TextInput
          label={t('reservations.long')}
          description={t('reservations.long.hint')}
          value={draft.duration}
          onChange={(e) => change({ duration: e.currentTarget.value })}
          error={wrong('duration') ?? wrong('until')}
          required
        />
        {sites.length > 1 && (
          <Select
            label={t('reservations.site')}
            description={t('reservations.site.hint')}
            clearable
            value={draft.site || null}
            onChange={(s) => change({ site: s ?? '' })}
            data={sites}
            error={wrong('sites')}
          />
        )}
        <TextInput
          label={t('reservations.name')}
          description={t('launch.name.hint')}
          value={draft.name}
          onChange={(e) => change({ name: e.currentTarget.value })}
          error={wrong('name')}
        />
      </SimpleGrid>
      {picked && <FreeThen sku={picked.sku} n={Number(draft.n)} from={draft.from} duration={draft.duration} site={draft.site} across={draft.across} />}
      {sites.length > 1 && !draft.site && (
        <Checkbox label={t('reservations.across')} description={t('reservations.across.hint')} checked={draft.across} onChange={(e) => change({ across: e.currentTarget.checked })} />
      )}
      <Checkbox
        label={t('reservations.release')}
        description={t('reservations.release.hint')}
        checked={draft.release_unused}
        onChange={(e) => change({ release_unused: e.currentTarget.checked })}
      />
      <Text size="sm" c="dimmed">
        {t('reservations.paid')}
      </Text>
    </Dialog>
  )
}

interface FreeThenProps {
  sku: string
  n: number
  from: string
  duration: string
  site: string
  across: boolean
}

// How many can be kept free then: the largest reservation that would be accepted.
function FreeThen(props: FreeThenProps) {
  const [asked] = useDebouncedValue(props, 250)
  const known = /^(\d+(\.\d+)?[smhd])+$/.test(asked.duration) && (!asked.from || Date.parse(asked.from) > Date.now())
  const query = {
    sku: asked.sku,
    from: asked.from ? new Date(asked.from).toISOString() : undefined,
    duration: asked.duration,
    site: asked.site || undefined,
    across_sites: asked.across && !asked.site ? '1' : undefined,
  }
  const free = useGet('/v1/reservations/free', { query }, { enabled: known, keep: true })
  const most = known ? free.data?.items?.[0]?.all : undefined
  if (!most) return null
  const enough = props.n <= most.gpus
  return (
    <Text role="status" className="state">
      <span className={`dot ${enough ? 'good' : 'bad'}`} aria-hidden />
      {t(most.gpus === 0 ? 'reservations.free.nothing' : 'reservations.free.then', { n: most.gpus, nodes: most.nodes })}
    </Text>
  )
}
