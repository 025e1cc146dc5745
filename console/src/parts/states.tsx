// What a page shows instead of its content: nothing there yet, still coming, an error.
import { Alert, Button, Code, Group, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

import { Problem } from '../api/client'
import { t } from '../text/text'
import { timeText } from './time'

// Says what to do, by a sentence, a command to copy, or a button.
export function Empty(props: { title: string; hint?: ReactNode; command?: string; action?: ReactNode }) {
  return (
    <Stack className="empty" align="center" gap="xs" ta="center">
      <Text fw={600}>{props.title}</Text>
      {props.hint && <Text c="dimmed">{props.hint}</Text>}
      {props.command && <Command text={props.command} />}
      {props.action}
    </Stack>
  )
}

export function Command({ text }: { text: string }) {
  return (
    <Code className="command" tabIndex={0}>
      {text}
    </Code>
  )
}

// Everything that a refusal says: each wrong field, each lack, the earliest time.
export function ProblemText({ error }: { error: Error }) {
  const body = error instanceof Problem ? error.body : {}
  const text = error instanceof Problem && error.status === 0 ? t('error.network') : error.message
  return (
    <Stack gap={4}>
      <Text size="sm">{text}</Text>
      {body.wrong?.map((w) => (
        <Text size="sm" key={w.field}>
          <b>{w.field}</b> {w.message}
        </Text>
      ))}
      {body.missing?.map((m) => (
        <Text size="sm" key={m.what}>
          {t('error.missing', { what: m.what, wanted: m.wanted, available: m.available })}
        </Text>
      ))}
      {body.earliest && <Text size="sm">{t('error.earliest', { at: timeText(body.earliest) })}</Text>}
    </Stack>
  )
}

export function ErrorBox({ error, retry }: { error: Error; retry?: () => void }) {
  const status = error instanceof Problem ? error.status : -1
  if (status === 404)
    return <Empty title={t('error.notFound')} hint={error.message || t('error.notFound.hint')} />
  return (
    <Alert color="red" variant="outline" title={t('error.title')} role="alert">
      <ProblemText error={error} />
      {retry && (
        <Button mt="sm" size="xs" variant="default" onClick={retry}>
          {t('do.retry')}
        </Button>
      )}
    </Alert>
  )
}

type Answered<T> = { data: T | undefined; error: Error | null; refetch: () => unknown }

// The answer of a useGet once it is there; what was there stays through a failed refresh.
export function Answered<T>({ of, children }: { of: Answered<T>; children: (data: T) => ReactNode }) {
  return (
    <>
      {of.error && <ErrorBox error={of.error} retry={() => void of.refetch()} />}
      {of.data !== undefined ? children(of.data) : !of.error && <Loading />}
    </>
  )
}

export function Loading() {
  return (
    <div className="loading" role="status">
      {t('app.loading')}
    </div>
  )
}

// The head of every page: its one h1, what it is, what can be done.
export function PageHead(props: { title: ReactNode; lead?: ReactNode; children?: ReactNode }) {
  return (
    <Group justify="space-between" align="flex-end" mb="md" gap="sm">
      <div>
        <Title order={1}>{props.title}</Title>
        {props.lead && <Text c="dimmed">{props.lead}</Text>}
      </div>
      {props.children && <Group gap="xs">{props.children}</Group>}
    </Group>
  )
}

// Label and value, in a grid; a fact without a value is left out.
export function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {of
        .filter(([, v]) => v !== undefined && v !== null && v !== '')
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{label === 'Id' ? <code>{value}</code> : value}</dd>
          </div>
        ))}
    </dl>
  )
}
