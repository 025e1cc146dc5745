// The console's beginning: language, colours, who is signed in, then the page at this address.
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './app/console.css'

import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

import { queries } from './api/queries'
import { router } from './app/router'
import { SessionGate } from './app/session'
import { theme, variables } from './app/theme'
import { language, speak, wantedLanguage } from './text/text'

function Console() {
  const [spoken, set] = useState(language())
  useEffect(() => {
    const changed = () => set(language())
    window.addEventListener('language', changed)
    return () => window.removeEventListener('language', changed)
  }, [])
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queries}>
        <SessionGate key={spoken}>
          <RouterProvider router={router} />
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  )
}

void speak(wantedLanguage()).then(() => {
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <Console />
    </StrictMode>,
  )
})
