// A dialog with a few fields, whose draft outlives errors and closing: for the small changes.
import { Select, SimpleGrid, Stack, Switch, TextInput, Textarea } from '@mantine/core'

import { Dialog, type Sending } from './dialog'
import { useDraft } from './draft'

export interface Field {
  name: string
  label: string
  hint?: string
  required?: boolean
  is?: 'switch' | 'lines' | readonly { value: string; label: string }[] // of these; else a line of text
  initial?: string // 'yes' for a switch that is on
  wrong?: string // the API's name of it, where that is another
}

export function FormDialog(props: {
  draft: string // its name
  title: string
  what?: string
  fields: Field[]
  close: () => void
  action: string
  of: Sending
  size?: 'lg'
  columns?: boolean // two beside each other, where there is room
  submit: (values: Record<string, string>, done: () => void) => void
}) {
  const empty = Object.fromEntries(props.fields.map((f) => [f.name, f.initial ?? '']))
  const { draft, change, forget } = useDraft<Record<string, string>>(props.draft, empty)
  const done = () => {
    forget()
    props.close()
  }
  const inputs = props.fields.map((f, i) => (
    <Input key={f.name} field={f} first={i === 0} value={draft[f.name] ?? ''} change={(v) => change({ [f.name]: v })} error={wrongAt(props.of, f)} />
  ))
  return (
    <Dialog
      title={props.title}
      what={props.what}
      size={props.size}
      close={props.close}
      action={props.action}
      of={props.of}
      fields={props.fields.map((f) => f.wrong ?? f.name)}
      submit={() => props.submit(draft, done)}
    >
      {props.columns ? <SimpleGrid cols={{ base: 1, xs: 2 }}>{inputs}</SimpleGrid> : <Stack>{inputs}</Stack>}
    </Dialog>
  )
}

function wrongAt(of: Sending, f: Field): string | undefined {
  const name = f.wrong ?? f.name
  return of.error?.body.wrong?.find((w) => w.field === name || w.field.startsWith(`${name}[`) || w.field.startsWith(`${name}.`))?.message
}

function Input({ field: f, first, value, change, error }: { field: Field; first: boolean; value: string; change: (v: string) => void; error?: string }) {
  const shared = { label: f.label, description: f.hint, error, 'data-autofocus': first || undefined }
  if (f.is === 'switch') return <Switch {...shared} checked={value === 'yes'} onChange={(e) => change(e.currentTarget.checked ? 'yes' : '')} />
  if (f.is === 'lines') return <Textarea {...shared} autosize minRows={2} maxRows={8} required={f.required} value={value} onChange={(e) => change(e.currentTarget.value)} />
  if (f.is) return <Select {...shared} allowDeselect={false} required={f.required} value={value} onChange={(v) => change(v ?? '')} data={[...f.is]} />
  return <TextInput {...shared} required={f.required} value={value} onChange={(e) => change(e.currentTarget.value)} />
}
