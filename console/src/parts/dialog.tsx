// Dialogs: a form that sends something, a question before something is done, and the frame of both.
// 1. An error stays, with what was typed, until the dialog is closed; opened again it begins without.
// 2. Closed, the keyboard is where it was before; if that is gone, at the page's content.
import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useEffect, type ReactNode } from 'react'

import type { Problem } from '../api/client'
import { t } from '../text/text'
import { ErrorBox } from './states'

// Of a useSend.
export interface Sending {
  error: Problem | null
  isPending: boolean
  reset: () => void
}

interface FrameProps {
  title: ReactNode
  close: () => void
  size?: 'lg'
  firm?: boolean // closed by a button inside it, and by nothing else
  children: ReactNode
}

// Mounted while it is open.
export function Frame({ title, close, size, firm, children }: FrameProps) {
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size={size}
      returnFocus={false}
      withCloseButton={!firm}
      closeOnClickOutside={!firm}
      closeOnEscape={!firm}
      closeButtonProps={{ 'aria-label': t('do.close') }}
    >
      <FocusKept />
      {children}
    </Modal>
  )
}

function FocusKept() {
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    return () => {
      setTimeout(() => {
        if (document.activeElement !== document.body) return // it is wanted elsewhere already
        const there = before?.isConnected && before !== document.body
        ;(there ? before : document.getElementById('content'))?.focus({ preventScroll: true })
      }, 20)
    }
  }, [])
  return null
}

interface DialogProps extends Omit<FrameProps, 'children'> {
  of: Sending
  submit: () => void
  action: string // what its button says
  what?: ReactNode
  // Those of the API whose faults are shown where they are typed: "spend", and so "spend[0].amount".
  fields?: string[]
  disabled?: boolean
  danger?: boolean // Enter alone does not do it
  more?: ReactNode // buttons before its own
  children?: ReactNode
}

export function Dialog({ of, submit, action, what, fields = [], disabled, danger, more, children, close, ...frame }: DialogProps) {
  const leave = () => {
    of.reset()
    close()
  }
  return (
    <Frame {...frame} close={leave}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          submit()
        }}
      >
        <Stack>
          {what && <Text>{what}</Text>}
          {children}
          {of.error && !isAt(of.error, fields) && <ErrorBox error={of.error} />}
          <Group justify="flex-end">
            {more}
            <Button variant="default" onClick={leave} data-autofocus={danger || undefined}>
              {t('do.cancel')}
            </Button>
            <Button type="submit" color={danger ? 'red.9' : undefined} loading={of.isPending} disabled={disabled} data-autofocus={(!danger && !children) || undefined}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Frame>
  )
}

// Is all that is wrong shown at its field?
function isAt(error: Problem, fields: string[]): boolean {
  const wrong = error.body.wrong ?? []
  return wrong.length > 0 && wrong.every((w) => fields.some((f) => w.field === f || w.field.startsWith(`${f}.`) || w.field.startsWith(`${f}[`)))
}
