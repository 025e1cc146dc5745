// The calendar of reservations, and making and ending one.
import { Button, Group, SegmentedControl, Select, Stack } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { useGet, useSend } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { useSession } from '../../app/session'
import { Dialog, Frame } from '../../parts/dialog'
import { useFilters } from '../../parts/filters'
import { Listed } from '../../parts/listed'
import type { Column } from '../../parts/rows'
import { Emulated, State } from '../../parts/state'
import { Answered, ErrorBox, Facts, PageHead } from '../../parts/states'
import { Duration, Time } from '../../parts/time'
import { t } from '../../text/text'
import { Calendar } from './calendar'
import type { Offer, Reservation } from './lanes'
import { NewReservation } from './new'

export default function Reservations() {
  const { me } = useSession()
  const [filters, setFilters] = useFilters({ days: '14', site: '', new: '', gpu: '', from: '', show: '' })
  const [ending, end] = useState<Reservation | null>(null)
  const reservations = useGet('/v1/reservations')
  const offers = useGet('/v1/offers')
  const days = Number(filters.days) || 14
  const free = useGet('/v1/reservations/free', { query: { duration: `${days}d`, site: filters.site || undefined } }, { keep: true })
  const making = filters.new !== ''
  const shown = reservations.data?.items?.find((r) => r.id === filters.show)
  const sites = [...new Set((offers.data?.items ?? []).flatMap((o) => (o.sites ?? []).map((s) => s.site)))]
  const make = (from = '', gpu = filters.gpu) => setFilters({ new: '1', from, gpu }, { push: true })
  usePalette([{ label: t('reservations.new'), run: () => make() }])
  const kinds = (offers.data?.items ?? []).filter((o) => o.gpus_total > 0)
  const columns = useMemo(() => columnsFor(me.role === 'owner', kinds, end), [me.role, offers.data])
  return (
    <>
      <PageHead title={t('reservations.title')} lead={t('reservations.lead')}>
        {sites.length > 1 && (
          <Select
            size="xs"
            w={150}
            clearable
            placeholder={t('reservations.site')}
            aria-label={t('reservations.site')}
            value={filters.site || null}
            onChange={(site) => setFilters({ site: site ?? '' }, { push: true })}
            data={sites}
          />
        )}
        <SegmentedControl
          size="xs"
          aria-label={t('reservations.days')}
          value={filters.days}
          onChange={(days) => setFilters({ days }, { push: true })}
          data={['2', '14', '60'].map((d) => ({ value: d, label: t('reservations.nDays', { n: Number(d) }) }))}
        />
        <Button size="xs" onClick={() => make()} disabled={kinds.length === 0}>
          {t('reservations.new')}
        </Button>
      </PageHead>
      <Answered of={reservations}>
        {(list) => (
          <Stack gap="lg">
            {offers.error && <ErrorBox error={offers.error} />}
            {kinds.length > 0 && (
              <div>
                <Calendar offers={kinds} reservations={list.items ?? []} free={free.data?.items ?? []} days={days} pick={make} />
                <p className="note">{t(free.data?.items?.some((k) => k.joined) ? 'reservations.free.joined' : 'reservations.free.hint')}</p>
              </div>
            )}
            {free.error && <ErrorBox error={free.error} />}
            <Listed
              label={t('reservations.title')}
              empty={{
                title: t('reservations.empty'),
                hint: t('reservations.empty.hint'),
                command: `ampacity reserve ${kinds[0]?.sku ?? 'h100'}:8 --from +2h --for 4h`,
                action: (
                  <Button onClick={() => make()} disabled={kinds.length === 0}>
                    {t('reservations.new')}
                  </Button>
                ),
              }}
              rows={list.items ?? []}
              columns={columns}
              id={(r) => r.id}
            />
          </Stack>
        )}
      </Answered>
      {shown && <Details of={shown} close={() => setFilters({ show: '' })} />}
      {making && (
        <NewReservation offers={kinds} gpu={filters.gpu} from={filters.from} site={filters.site} close={() => setFilters({ new: '', from: '', gpu: '' })} />
      )}
      {ending && <EndDialog of={ending} close={() => end(null)} />}
    </>
  )
}

function columnsFor(owner: boolean, offers: Offer[], end: (r: Reservation) => void): Column<Reservation>[] {
  const columns: Column<Reservation>[] = [
    { id: 'name', head: t('reservations.name'), cell: (r) => <Link to="/reservations" search={(before: object) => ({ ...before, show: r.id }) as never}>{r.name}</Link>, sort: (r) => r.name },
    { id: 'state', head: t('workloads.state'), cell: (r) => <State of={r.state} />, sort: (r) => r.from, wide: true },
    {
      id: 'gpus',
      head: 'GPUs',
      cell: (r) => (
        <>
          {r.sku}:{r.gpus} <Emulated is={offers.find((o) => o.sku === r.sku)?.emulated} />
        </>
      ),
      sort: (r) => r.gpus,
    },
    {
      id: 'used',
      head: t('reservations.used'),
      cell: (r) => t('reservations.usedOf', { used: r.gpus_used, kept: r.gpus_kept }),
      sort: (r) => r.gpus_used,
      wide: true,
    },
    { id: 'from', head: t('reservations.from'), cell: (r) => <Time at={r.from} />, sort: (r) => Date.parse(r.from) },
    { id: 'until', head: t('reservations.until'), cell: (r) => <Time at={r.until} />, sort: (r) => Date.parse(r.until), wide: true },
    { id: 'long', head: t('reservations.long'), cell: (r) => <Duration from={r.from} until={r.until} />, figures: true, wide: true },
    {
      id: 'do',
      head: '',
      cell: (r) => (
        <Group gap={12} wrap="nowrap" justify="flex-end">
          {r.state === 'now' && (
            <Link className="wide" to="/launch" search={{ gpu: r.sku, reservation: r.name } as never}>
              {t('reservations.launch')}
            </Link>
          )}
          <Button size="compact-xs" variant="default" onClick={() => end(r)} aria-label={`${t('reservations.end')}: ${r.name}`}>
            {t('reservations.end')}
          </Button>
        </Group>
      ),
      figures: true,
    },
  ]
  if (owner) columns.splice(1, 0, { id: 'project', head: t('workloads.project'), cell: (r) => r.project, sort: (r) => r.project, wide: true })
  return columns
}

function Details({ of: r, close }: { of: Reservation; close: () => void }) {
  return (
    <Frame title={r.name} close={close}>
      <Facts
        of={[
          [t('workloads.state'), <State of={r.state} />],
          ['GPUs', `${r.sku}:${r.gpus}`],
          [t('reservations.from'), <Time at={r.from} />],
          [t('reservations.until'), <Time at={r.until} />],
          [t('reservations.long'), <Duration from={r.from} until={r.until} />],
          [t('reservations.used'), t('reservations.usedOf', { used: r.gpus_used, kept: r.gpus_kept })],
          [t('workloads.project'), r.project],
          [t('reservations.nodes'), (r.nodes ?? []).join(', ')],
          ['Id', r.id],
        ]}
      />
    </Frame>
  )
}

function EndDialog({ of, close }: { of: Reservation; close: () => void }) {
  const end = useSend('delete', '/v1/reservations/{reservation}', {
    refresh: ['/v1/reservations', '/v1/reservations/free'],
    done: () => {
      close()
      notifications.show({ message: t('reservations.ended', { name: of.name }) })
    },
  })
  return (
    <Dialog
      title={t('reservations.end.sure', { name: of.name })}
      what={t('reservations.end.what')}
      close={close}
      action={t('reservations.end')}
      of={end}
      danger
      submit={() => end.mutate({ path: { reservation: of.id } })}
    />
  )
}
