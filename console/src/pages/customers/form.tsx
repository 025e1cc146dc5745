// A dialog with a few fields, whose draft outlives errors and closing: for the small changes here.
import { Button, Group, Modal, Stack, Switch, Text, TextInput } from '@mantine/core'

import type { Problem } from '../../api/client'
import { useDraft } from '../../parts/draft'
import { ErrorBox } from '../../parts/states'
import { t } from '../../text/text'

export interface Field {
  name: string
  label: string
  hint?: string
  required?: boolean
  is?: 'switch'
  initial?: string // 'yes' for a switch that is on
  wrong?: string // the API's name of it, where that is another
}

export function FormDialog(props: {
  draft: string // its name
  title: string
  what?: string
  fields: Field[]
  opened: boolean
  close: () => void
  action: string
  error: Problem | null
  busy: boolean
  submit: (values: Record<string, string>, done: () => void) => void
}) {
  const empty = Object.fromEntries(props.fields.map((f) => [f.name, f.initial ?? '']))
  const { draft, change, forget } = useDraft<Record<string, string>>(props.draft, empty)
  const wrong = (f: Field) => props.error?.wrong(f.wrong ?? f.name)
  const elsewhere = props.error && !props.fields.some((f) => wrong(f))
  return (
    <Modal opened={props.opened} onClose={props.close} title={props.title} closeButtonProps={{ 'aria-label': t('do.close') }}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          props.submit(draft, () => {
            forget()
            props.close()
          })
        }}
      >
        <Stack>
          {props.what && <Text>{props.what}</Text>}
          {props.fields.map((f, i) =>
            f.is === 'switch' ? (
              <Switch key={f.name} label={f.label} description={f.hint} checked={draft[f.name] === 'yes'} onChange={(e) => change({ [f.name]: e.currentTarget.checked ? 'yes' : '' })} />
            ) : (
              <TextInput
                key={f.name}
                label={f.label}
                description={f.hint}
                required={f.required}
                value={draft[f.name] ?? ''}
                onChange={(e) => change({ [f.name]: e.currentTarget.value })}
                error={wrong(f)}
                data-autofocus={i === 0 || undefined}
              />
            ),
          )}
          {elsewhere && <ErrorBox error={props.error!} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.close}>
              {t('do.cancel')}
            </Button>
            <Button type="submit" loading={props.busy}>
              {props.action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
