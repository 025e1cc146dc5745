// Making a reservation. A refusal says when it could begin at the earliest: one press takes that time.
import { Button, Checkbox, Group, Modal, NumberInput, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'

import { useGet, useSend } from '../../api/queries'
import { useSession } from '../../app/session'
import { useDraft } from '../../parts/draft'
import { ErrorBox } from '../../parts/states'
import { timeText } from '../../parts/time'
import { t } from '../../text/text'
import type { Offer } from './lanes'

const empty = { gpu: '', n: '8', from: '', duration: '4h', name: '', release_unused: false, project: '' }

// For <input type="datetime-local">: the viewer's own clock.
export function localText(at: string | Date): string {
  const d = new Date(at)
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

export function NewReservation({ offers, gpu, from, close }: { offers: Offer[]; gpu: string; from: string; close: () => void }) {
  const { me } = useSession()
  const owner = me.role === 'owner'
  const projects = useGet('/v1/projects', undefined, { enabled: owner })
  const { draft, change, forget } = useDraft('reservation', empty)
  const picked = offers.find((o) => o.sku === (draft.gpu || gpu)) ?? offers[0]
  const begins = draft.from || from
  const reserve = useSend('post', '/v1/reservations', {
    refresh: ['/v1/reservations', '/v1/offers'],
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
      ...(owner && draft.project ? { project: draft.project } : {}),
    },
  })
  return (
    <Modal opened onClose={close} title={t('reservations.new')} size="lg" closeButtonProps={{ 'aria-label': t('do.close') }}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          reserve.mutate(request(begins))
        }}
      >
        <Stack>
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
              onChange={(sku) => change({ gpu: sku ?? '' })}
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
              value={begins}
              min={localText(new Date())}
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
            <TextInput
              label={t('reservations.name')}
              description={t('launch.name.hint')}
              value={draft.name}
              onChange={(e) => change({ name: e.currentTarget.value })}
              error={wrong('name')}
            />
          </SimpleGrid>
          <Checkbox
            label={t('reservations.release')}
            description={t('reservations.release.hint')}
            checked={draft.release_unused}
            onChange={(e) => change({ release_unused: e.currentTarget.checked })}
          />
          <Text size="sm" c="dimmed">
            {t('reservations.paid')}
          </Text>
          {reserve.error && <ErrorBox error={reserve.error} />}
          <Group justify="flex-end">
            {earliest && (
              <Button
                variant="default"
                onClick={() => {
                  // The field is in minutes: the next whole one, not before the time that was offered.
                  const at = localText(new Date(Math.ceil(Date.parse(earliest) / 60_000) * 60_000))
                  change({ from: at })
                  reserve.mutate(request(at))
                }}
              >
                {t('reservations.takeEarliest', { at: timeText(earliest) })}
              </Button>
            )}
            <Button variant="default" onClick={close}>
              {t('do.cancel')}
            </Button>
            <Button type="submit" loading={reserve.isPending}>
              {t('reservations.do')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
