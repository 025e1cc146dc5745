// Who is signed in: asked of the server, which knows the session's cookie; nothing is kept here.
import { Alert, Button, Code, Divider, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { createContext, useContext, useEffect, useState, type FormEvent, type ReactNode } from 'react'

import { get, Problem, send, whenSignedOut, type Schemas } from '../api/client'
import { startLive, stopLive } from '../api/live'
import { queries } from '../api/queries'
import { ErrorBox, Loading, ProblemText } from '../parts/states'
import { t } from '../text/text'

export type Me = Schemas['WhoAmI']

interface Session {
  me: Me
  signOut: () => void
}

const context = createContext<Session | null>(null)

export function useSession(): Session {
  return useContext(context)!
}

type Standing = { is: 'asking' } | { is: 'out'; over: boolean } | { is: 'in'; me: Me } | { is: 'cut'; error: Problem }

export function SessionGate({ children }: { children: ReactNode }) {
  const [standing, set] = useState<Standing>({ is: 'asking' })
  function ask(wasIn = false) {
    get('/v1/whoami').then(
      (me) => {
        set({ is: 'in', me })
        startLive()
      },
      (e: Problem) => set(e.status === 401 ? { is: 'out', over: wasIn } : { is: 'cut', error: e }),
    )
  }
  useEffect(() => {
    whenSignedOut(() => {
      stopLive()
      set((s) => (s.is === 'in' ? { is: 'out', over: true } : s))
    })
    ask()
  }, [])
  function signOut() {
    void send('delete', '/v1/session')
      .catch(() => {})
      .then(() => {
        stopLive()
        queries.clear()
        set({ is: 'out', over: false })
      })
  }
  switch (standing.is) {
    case 'asking':
      return <Loading />
    case 'cut':
      return <ErrorBox error={standing.error} retry={() => ask()} />
    case 'out':
      return <SignIn over={standing.over} done={() => ask()} />
    case 'in':
      return <context.Provider value={{ me: standing.me, signOut }}>{children}</context.Provider>
  }
}

function SignIn({ over, done }: { over: boolean; done: () => void }) {
  const [key, setKey] = useState('')
  const [error, setError] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const [provider, setProvider] = useState<string>()
  useEffect(() => {
    get('/v1/session').then(
      (ways) => setProvider(ways.oidc),
      () => {},
    )
  }, [])
  const here = encodeURIComponent(location.pathname + location.search)
  function submit(e: FormEvent) {
    e.preventDefault()
    setBusy(true)
    send('post', '/v1/session', { body: { key: key.trim() } })
      .then(() => {
        queries.clear()
        done()
      }, setError)
      .finally(() => setBusy(false))
  }
  return (
    <main className="sign-in">
      <Paper withBorder p="xl" radius="md" maw={460} w="100%">
        <form onSubmit={submit}>
          <Stack>
            <Title order={1}>{t('app.name')}</Title>
            {over && <Alert color="yellow">{t('signIn.over')}</Alert>}
            {provider && (
              <>
                <Button component="a" href={`/v1/session/oidc?to=${here}`}>
                  {t('signIn.oidc', { name: provider })}
                </Button>
                <Divider label={t('signIn.or')} />
              </>
            )}
            <PasswordInput
              label={t('signIn.key')}
              description={t('signIn.keyHint')}
              value={key}
              onChange={(e) => setKey(e.currentTarget.value)}
              error={error?.wrong('key')}
              autoComplete="off"
              data-autofocus
              autoFocus
              required
            />
            {error && !error.wrong('key') && (
              <Alert color="red" variant="outline" role="alert">
                <ProblemText error={error} />
              </Alert>
            )}
            <Button type="submit" loading={busy} variant={provider ? 'default' : 'filled'}>
              {t('signIn.do')}
            </Button>
            <Text size="sm" c="dimmed">
              {t('signIn.noKey')} <Code>ampacity keys add --project … --user …</Code>
            </Text>
          </Stack>
        </form>
      </Paper>
    </main>
  )
}
