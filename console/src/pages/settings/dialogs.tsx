// What the settings' dialogs share: a question before something is gone, and a secret that is shown once.
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'

import { Copyable } from '../../parts/copy'
import { ErrorBox } from '../../parts/states'
import { t } from '../../text/text'

interface SureProps {
  title: string
  what: string
  act: string
  open: boolean
  close: () => void
  run: () => void
  running: boolean
  error: Error | null
}

export function Sure({ title, what, act, open, close, run, running, error }: SureProps) {
  return (
    <Modal opened={open} onClose={close} title={title} closeButtonProps={{ 'aria-label': t('do.close') }}>
      <Stack>
        <Text size="sm">{what}</Text>
        {error && <ErrorBox error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('do.cancel')}
          </Button>
          <Button color="red.9" loading={running} onClick={run} data-autofocus>
            {act}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

// Closed by its button only: it is not shown again.
export function SecretOnce({ title, secret, hint, close }: { title: string; secret: string; hint?: string; close: () => void }) {
  return (
    <Modal opened onClose={close} title={title} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false} size="lg">
      <Stack>
        <Alert color="yellow" variant="outline">
          <Text c="var(--mantine-color-text)">{t('settings.once')}</Text>
        </Alert>
        <Copyable text={secret} label={title} />
        {hint && <Text size="sm">{hint}</Text>}
        <Group justify="flex-end">
          <Button onClick={close} data-autofocus>
            {t('settings.kept')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
