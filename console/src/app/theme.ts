// Colours and sizes, once. Every pair of text and ground here has a contrast of at least 4.5.
import { createTheme, Text, type CSSVariablesResolver } from '@mantine/core'

import { t } from '../text/text'

export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: { light: 8, dark: 8 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", "Liberation Sans", "Noto Sans TC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace',
  headings: { sizes: { h1: { fontSize: '1.375rem', lineHeight: '1.3' }, h2: { fontSize: '1.05rem' } } },
  defaultRadius: 'sm',
  respectReducedMotion: true,
  components: {
    Text: Text.extend({ defaultProps: { size: 'sm' } }),
    // In the language that is spoken when it is shown.
    Notification: { defaultProps: () => ({ closeButtonProps: { 'aria-label': t('do.close') } }) },
  },
})

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#545b64',
    '--mantine-color-placeholder': '#5f6770',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-anchor': '#1d5fae',
    '--c-line': '#dfe3e8',
    '--c-soft': '#f5f7f9',
    '--c-at': '#e8f0fa',
    '--c-good': '#1f8a4c',
    '--c-free': '#dff3e6',
    '--c-busy': '#2f6fc4',
    '--c-warn': '#b7791f',
    '--c-bad': '#c23934',
    '--c-idle': '#8b939c',
    '--c-emulated': '#7a4b00',
    '--c-emulated-ground': '#fff1d6',
  },
  dark: {
    '--mantine-color-body': '#15181c',
    '--mantine-color-dimmed': '#a9b1ba',
    '--mantine-color-placeholder': '#98a1ab',
    '--mantine-color-error': '#ff9c95',
    '--mantine-color-anchor': '#8fc0ff',
    '--c-line': '#2c3239',
    '--c-soft': '#1b1f24',
    '--c-at': '#1d2c3f',
    '--c-good': '#4cc07f',
    '--c-free': '#1c3a29',
    '--c-busy': '#6aa8f5',
    '--c-warn': '#e0ad4e',
    '--c-bad': '#f2746d',
    '--c-idle': '#7d858e',
    '--c-emulated': '#ffd48a',
    '--c-emulated-ground': '#3a2c10',
  },
})
