// A workload's log as it is written: followed at its end, searched, downloaded.
// At most `most_lines` are kept here; of what is longer the first are let go, and that is said.
import { Button, Group, Select, Switch, Text, TextInput } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'

import { address, type Schemas } from '../../api/client'
import { useFilters } from '../../parts/filters'
import { Empty } from '../../parts/states'
import { timeText } from '../../parts/time'
import { t } from '../../text/text'
import type { Job } from './parts'

type Line = Schemas['LogEvent']

const most_lines = 200_000
const line_px = 19

interface Read {
  lines: Line[]
  dropped: number
  over: boolean
}

// Lines come in bursts: drawn once a frame.
function useLog(job: string, rank: string): Read {
  const [read, set] = useState<Read>({ lines: [], dropped: 0, over: false })
  useEffect(() => {
    let coming: Line[] = []
    let over = false
    let frame = 0
    const show = () => {
      frame = 0
      const some = coming
      coming = []
      set((r) => {
        const all = r.lines.concat(some)
        const extra = Math.max(0, all.length - most_lines)
        return { lines: extra ? all.slice(extra) : all, dropped: r.dropped + extra, over }
      })
    }
    const soon = () => (frame ||= requestAnimationFrame(show))
    set({ lines: [], dropped: 0, over: false })
    const source = new EventSource(address('/v1/jobs/{job}/logs', { path: { job }, query: { follow: '1', rank } }))
    source.onmessage = (m) => {
      coming.push(JSON.parse(m.data as string) as Line)
      soon()
    }
    source.addEventListener('end', () => {
      over = true
      source.close()
      soon()
    })
    return () => {
      source.close()
      cancelAnimationFrame(frame)
    }
  }, [job, rank])
  return read
}

export default function Log({ job }: { job: Job }) {
  const [{ rank, find }, setFilters] = useFilters({ rank: '', find: '' })
  const [follow, setFollow] = useState(true)
  const { lines, dropped, over } = useLog(job.id, rank)
  const shown = useMemo(() => {
    const q = find.toLowerCase()
    return q ? lines.filter((l) => l.text.toLowerCase().includes(q)) : lines
  }, [lines, find])
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => line_px,
    overscan: 30,
  })
  useEffect(() => {
    if (follow && shown.length) virtual.scrollToIndex(shown.length - 1, { align: 'end' })
  }, [follow, shown.length, virtual])
  // Who scrolls up reads; who scrolls to the end follows again.
  function scrolled() {
    const b = box.current!
    setFollow(b.scrollHeight - b.scrollTop - b.clientHeight < line_px)
  }
  function download() {
    const text = lines.map((l) => `${l.at} ${l.rank} ${l.is_stderr ? 'err' : 'out'} ${l.text}`).join('\n')
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([text + '\n'], { type: 'text/plain' }))
    link.download = `${job.name}-${job.id}.log`
    link.click()
    URL.revokeObjectURL(link.href)
  }
  return (
    <>
      <Group gap="sm" mb="xs">
        <TextInput
          size="xs"
          w={260}
          placeholder={t('log.find')}
          aria-label={t('log.find')}
          data-filter
          value={find}
          onChange={(e) => setFilters({ find: e.currentTarget.value })}
        />
        {job.nodes > 1 && (
          <Select
            size="xs"
            w={130}
            aria-label={t('workload.rank')}
            value={rank}
            onChange={(r) => setFilters({ rank: r ?? '' }, { push: true })}
            data={[
              { value: '', label: t('log.allRanks') },
              ...Array.from({ length: job.nodes }, (_, i) => ({ value: String(i), label: t('log.rank', { n: i }) })),
            ]}
          />
        )}
        <Switch size="xs" label={t('log.follow')} checked={follow} onChange={(e) => setFollow(e.currentTarget.checked)} />
        <Button size="xs" variant="default" onClick={download} disabled={!lines.length}>
          {t('do.download')}
        </Button>
        <Text c="dimmed" role="status">
          {find ? t('log.found', { n: shown.length, of: lines.length }) : t('log.lines', { n: lines.length })}
          {dropped > 0 && ` · ${t('log.dropped', { n: dropped })}`}
          {over && ` · ${t('log.over')}`}
        </Text>
      </Group>
      {lines.length === 0 && <Empty title={over ? t('log.none') : t('log.waiting')} />}
      <div
        ref={box}
        className="log"
        role="log"
        aria-label={t('workload.log')}
        tabIndex={0}
        onScroll={scrolled}
        hidden={lines.length === 0}
      >
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((v) => {
            const l = shown[v.index]!
            return (
              <div key={v.index} className={l.is_stderr ? 'log-line err' : 'log-line'} style={{ top: v.start, height: line_px }}>
                <time dateTime={l.at} title={l.at}>
                  {timeText(l.at)}
                </time>
                {job.nodes > 1 && <span className="log-rank">{l.rank}</span>}
                <Found text={l.text} find={find} />
              </div>
            )
          })}
        </div>
      </div>
    </>
  )
}

function Found({ text, find }: { text: string; find: string }) {
  const at = find ? text.toLowerCase().indexOf(find.toLowerCase()) : -1
  if (at < 0) return <span>{text}</span>
  return (
    <span>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + find.length)}</mark>
      {text.slice(at + find.length)}
    </span>
  )
}
