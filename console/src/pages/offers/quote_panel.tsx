// The answer to what is picked: price, start, and the other ways to have it, each on one axis of time.
import { Button, Table, Text } from '@mantine/core'

import type { Problem } from '../../api/client'
import { useNow } from '../../parts/clock'
import { Money } from '../../parts/money'
import { Emulated } from '../../parts/state'
import { ErrorBox, Loading } from '../../parts/states'
import { durationText, Time } from '../../parts/time'
import { t, word } from '../../text/text'
import type { Quote, QuoteOption } from './quote'
import type { Picked } from './request'
import { Starts } from './wait'

interface Props {
  quote: { data?: Quote; error: Problem | null; behind: boolean; isPending: boolean }
  pick: (some: Partial<Picked>) => void
}

export function QuotePanel({ quote, pick }: Props) {
  if (quote.error) return <ErrorBox error={quote.error} />
  if (!quote.data) return <Loading />
  return <Shown quote={quote.data} behind={quote.behind} pick={pick} />
}

function Shown({ quote, behind, pick }: { quote: Quote; behind: boolean; pick: Props['pick'] }) {
  const first = quote.options?.[0]
  return (
    <div aria-live="polite" aria-busy={behind} className={behind ? 'quote behind' : 'quote'}>
      <p className="quote-price">
        <Money amount={quote.usd_per_hour} currency={quote.currency} />
        <span>{t('launch.anHour')}</span>
        <Emulated is={quote.emulated} />
      </p>
      <p className="quote-start">
        <b>{t('offers.starts')}</b> <Starts now={quote.starts_now} expected={first?.expected} />
        {!quote.starts_now && first?.likely_by && (
          <>
            , {t('offers.likely')} <Time at={first.likely_by} />
          </>
        )}
      </p>
      {quote.why && <p className="note">{quote.why}</p>}
      <Table withRowBorders={false} verticalSpacing={2} horizontalSpacing={0} mt="xs">
        <Table.Tbody>
          {(quote.lines ?? []).map((l) => (
            <Table.Tr key={l.component}>
              <Table.Td>
                {l.quantity} {l.unit}
              </Table.Td>
              <Table.Td ta="right" className="note">
                × {l.unit_usd_per_hour}
              </Table.Td>
              <Table.Td ta="right">
                <Money amount={l.usd_per_hour} currency={quote.currency} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <p className="note">
        {t('launch.hold')} <Money amount={quote.hold_usd} currency={quote.currency} /> {t('launch.hold.of')}{' '}
        <Money amount={quote.wallet_usd} currency={quote.currency} />
      </p>
      {(quote.options ?? []).length > 1 && <Options quote={quote} pick={pick} />}
    </div>
  )
}

function Options({ quote, pick }: { quote: Quote; pick: Props['pick'] }) {
  return (
    <>
      <Text fw={600} size="sm" mt="md">
        {t('launch.ways')}
      </Text>
      <ul className="ways">
        {(quote.options ?? []).map((o, i) => (
          <li key={`${o.what} ${o.gpus} ${o.job_class} ${o.site ?? ''}`} aria-current={i === 0 ? 'true' : undefined}>
            <div className="way-head">
              <span>
                <b>{word(o.job_class)}</b> {o.gpus}
                {o.site && <> · {o.site}</>}
              </span>
              <Money amount={o.usd_per_hour} currency={quote.currency} />
            </div>
            <StartAxis of={o} />
            <div className="way-foot">
              <span className="note">
                <Starts now={o.starts_now} expected={o.expected} />
                {o.makes_room && <> · {t('launch.makesRoom')}</>}
                {o.notice_s !== undefined && o.notice_s !== null && <> · {t('launch.notice', { d: durationText(o.notice_s) })}</>}
              </span>
              {i === 0 ? (
                <span className="note">{t('launch.picked')}</span>
              ) : (
                <Button size="compact-xs" variant="default" onClick={() => pick(pickOf(o))} aria-label={`${t('launch.use')}: ${word(o.job_class)} ${o.gpus}`}>
                  {t('launch.use')}
                </Button>
              )}
            </div>
          </li>
        ))}
      </ul>
      <div className="way-legend note" aria-hidden>
        <span>{t('offers.now')}</span>
        <span>{durationText(3600)}</span>
        <span>{durationText(86_400)}</span>
        <span>{durationText(30 * 86_400)}</span>
      </div>
    </>
  )
}

// "h100:8x2" and a class, as the page picks it.
function pickOf(o: QuoteOption): Partial<Picked> {
  const [, gpu, n, nodes] = /^([^:]+)(?::(\d+)(?:x(\d+))?)?$/.exec(o.gpus) ?? []
  return { gpu: gpu ?? 'cpu', n: gpu && gpu !== 'cpu' ? (n ?? '1') : '', nodes: nodes ?? '1', job_class: o.job_class, reservation: '' }
}

// 0: now, 1/3: in an hour, 2/3: in a day, 1: in 30 days.
export function placeOf(seconds: number): number {
  if (seconds <= 0) return 0
  const hour = 3600
  const day = 86_400
  if (seconds < hour) return (seconds / hour) ** 0.5 / 3
  if (seconds < day) return 1 / 3 + Math.log(seconds / hour) / Math.log(24) / 3
  return Math.min(1, 2 / 3 + Math.log(seconds / day) / Math.log(30) / 3)
}

function StartAxis({ of: o }: { of: QuoteOption }) {
  const now = useNow()
  const place = (at?: string | null) => (at ? 100 * placeOf((Date.parse(at) - now) / 1000) : 0)
  const expected = o.starts_now ? 0 : place(o.expected)
  const likely = o.starts_now ? 0 : Math.max(expected, place(o.likely_by))
  return (
    <div className="way-axis" aria-hidden>
      {likely > expected && <span className="way-span" style={{ left: `${expected}%`, width: `${likely - expected}%` }} />}
      {(o.starts_now || o.expected) && <span className={`way-dot ${o.starts_now ? 'good' : 'warn'}`} style={{ left: `${expected}%` }} />}
    </div>
  )
}
