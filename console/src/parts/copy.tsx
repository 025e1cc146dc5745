// Text that people take with them: shown as it is, with a button that copies it.
import { Button, CopyButton, Group } from '@mantine/core'

import { t } from '../text/text'
import './copy.css'

export function Copyable({ text, label }: { text: string; label: string }) {
  return (
    <div className="copyable">
      <Group justify="space-between" mb={4}>
        <span className="copyable-label">{label}</span>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy} aria-label={`${t('do.copy')}: ${label}`}>
              {copied ? t('do.copied') : t('do.copy')}
            </Button>
          )}
        </CopyButton>
      </Group>
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </div>
  )
}
