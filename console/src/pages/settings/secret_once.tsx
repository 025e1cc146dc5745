// A secret that is shown once: closed by its button only.
import { Alert, Button, Group, Stack, Text } from '@mantine/core'

import { Copyable } from '../../parts/copy'
import { Frame } from '../../parts/dialog'
import { t } from '../../text/text'

export function SecretOnce({ title, secret, hint, close }: { title: string; secret: string; hint?: string; close: () => void }) {
  return (
    <Frame title={title} close={close} size="lg" firm>
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
    </Frame>
  )
}
