// A shell in a running rank: xterm.js over the exec API's WebSocket.
import '@xterm/xterm/css/xterm.css'

import { Button, Group, Select, Text, TextInput } from '@mantine/core'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { useEffect, useRef, useState } from 'react'

import { address } from '../../api/client'
import { Empty } from '../../parts/states'
import { t } from '../../text/text'
import type { Job } from './parts'

// Frames: binary in and out as they are, but that out begins with 1 or 2 (stdout, stderr); text in
// is {"resize":[columns,rows]}, text out the end.
function connect(terminal: Terminal, job: string, rank: string, command: string, ended: (why: string) => void) {
  const query = new URLSearchParams({ rank, tty: '1', columns: String(terminal.cols), rows: String(terminal.rows) })
  for (const word of command.split(/\s+/).filter(Boolean)) query.append('arg', word)
  const url = new URL(`${address('/v1/jobs/{job}/exec', { path: { job } })}?${query}`, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const bytes = new TextEncoder()
  const listening = [
    terminal.onData((text) => socket.readyState === WebSocket.OPEN && socket.send(bytes.encode(text))),
    terminal.onResize(({ cols, rows }) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ resize: [cols, rows] }))
    }),
  ]
  let why = t('shell.refused')
  socket.onopen = () => {
    why = t('shell.cut')
    terminal.focus()
  }
  socket.onmessage = (m) => {
    if (m.data instanceof ArrayBuffer) return terminal.write(new Uint8Array(m.data).subarray(1))
    const end = JSON.parse(m.data as string) as { exit_code?: number; error?: string }
    why = end.error ?? t('shell.exit', { code: end.exit_code ?? 0 })
  }
  socket.onclose = () => ended(why)
  return () => {
    socket.onclose = null
    for (const l of listening) l.dispose()
    socket.close()
  }
}

export default function Shell({ job }: { job: Job }) {
  const place = useRef<HTMLDivElement>(null)
  const [rank, setRank] = useState('0')
  const [command, setCommand] = useState('/bin/sh')
  const [run, setRun] = useState(0)
  const [over, setOver] = useState<string | null>(null)
  const running = job.ranks?.some((r) => r.state === 'running') ?? false
  useEffect(() => {
    if (!place.current || run === 0) return
    const terminal = new Terminal({ cursorBlink: false, fontSize: 13, scrollback: 5000, screenReaderMode: true })
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    terminal.open(place.current)
    fit.fit()
    const resized = new ResizeObserver(() => fit.fit())
    resized.observe(place.current)
    setOver(null)
    const leave = connect(terminal, job.id, rank, command, setOver)
    return () => {
      leave()
      resized.disconnect()
      terminal.dispose()
    }
    // What is typed in the form counts from the next start on.
  }, [run, job.id])
  // What a shell said stays on the screen when its workload ends.
  if (!running && run === 0) return <Empty title={t('shell.notRunning')} hint={t('shell.notRunning.hint')} />
  return (
    <>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          setRun((n) => n + 1)
        }}
      >
        <Group gap="sm" mb="xs">
          <TextInput
            size="xs"
            w={220}
            aria-label={t('shell.command')}
            value={command}
            onChange={(e) => setCommand(e.currentTarget.value)}
          />
          {job.nodes > 1 && (
            <Select
              size="xs"
              w={120}
              aria-label={t('workload.rank')}
              value={rank}
              onChange={(r) => setRank(r ?? '0')}
              data={Array.from({ length: job.nodes }, (_, i) => ({ value: String(i), label: t('log.rank', { n: i }) }))}
            />
          )}
          <Button size="xs" type="submit" disabled={!running} variant={run && !over ? 'default' : 'filled'}>
            {run ? t('shell.again') : t('shell.open')}
          </Button>
          {over && <Text role="status">{over}</Text>}
        </Group>
      </form>
      {run > 0 && <div ref={place} className="shell" />}
    </>
  )
}
