// A workload's life, moment by moment; and of one that waits, why, and when it should start.
import { Alert, Stack, Text, Timeline } from '@mantine/core'

import { useGet } from '../../api/queries'
import { Axis, type Mark } from '../../parts/axis'
import { Money } from '../../parts/money'
import { Answered, Facts } from '../../parts/states'
import { Time } from '../../parts/time'
import { t, word, type TextKey } from '../../text/text'
import type { Job } from './parts'

export function Life({ job }: { job: Job }) {
  const life = useGet('/v1/jobs/{job}/events', { path: { job: job.id } })
  return (
    <Answered of={life}>
      {(l) => {
        const moments = l.items ?? []
        return (
          <Timeline bulletSize={14} lineWidth={2} active={moments.length - 1} color="gray.6">
            {moments.map((m) => (
              <Timeline.Item key={`${m.at} ${m.what} ${m.generation}`} title={t(`life.${m.what}` as TextKey)}>
                <Text>{m.text}</Text>
                <Text c="dimmed">
                  <Time at={m.at} />
                </Text>
              </Timeline.Item>
            ))}
          </Timeline>
        )
      }}
    </Answered>
  )
}

export function Why({ job }: { job: Job }) {
  const why = useGet('/v1/jobs/{job}/why', { path: { job: job.id } })
  return (
    <Alert color="yellow" variant="outline" title={t('workload.why')}>
      <Answered of={why}>
        {(w) => {
          const marks: Mark[] = []
          if (w.expected) marks.push({ at: w.expected, label: t('why.expected'), tone: 'busy' })
          if (w.likely_by) marks.push({ at: w.likely_by, label: t('why.likely'), tone: 'warn' })
          if (w.promised_by)
            marks.push({ at: w.promised_by, label: w.promise_certain ? t('why.promised') : t('why.promisedLikely'), tone: 'good' })
          return (
            <Stack gap="sm">
              <Text c="var(--mantine-color-text)">{w.why}</Text>
              {marks.length > 0 && <Axis label={t('why.axis')} from={w.waiting_since ?? undefined} marks={marks} />}
              <Facts
                of={[
                  [t('why.place'), w.place ? `${w.place} · ${word(w.job_class)}` : undefined],
                  [t('why.ahead'), w.ahead !== undefined && w.ahead !== null ? `${w.ahead}${w.ahead_or_more ? '+' : ''}` : undefined],
                  [t('why.since'), w.waiting_since && <Time at={w.waiting_since} />],
                  [t('workloads.perHour'), w.usd_per_hour && <Money amount={w.usd_per_hour} currency={w.currency} />],
                  ...(w.rooms ?? []).map((r): [string, string] => [
                    r.sku,
                    t('why.room', { now: r.nodes_now, held: r.nodes_held, free: r.gpus_free }),
                  ]),
                ]}
              />
            </Stack>
          )
        }}
      </Answered>
    </Alert>
  )
}
