// What is around every page: navigation by role, search, how live it is, who is signed in.
import { AppShell, Burger, Button, Group, Kbd, Menu, useMantineColorScheme } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

import { useLiveState } from '../api/live'
import { languages, t, type Language } from '../text/text'
import { Keys } from './keys'
import { navFor } from './page'
import { chooseLanguage, openPalette, Palette } from './palette'
import { useSession } from './session'

export function Shell() {
  const { me } = useSession()
  const [open, { toggle, close }] = useDisclosure()
  const live = useLiveState()
  const path = useRouterState({ select: (s) => s.location.pathname })
  const first = useRef(true)
  useEffect(() => {
    close()
    // Who cannot see it is told that the page is another one.
    if (!first.current) document.getElementById('content')?.focus({ preventScroll: true })
    first.current = false
  }, [path, close])
  const nav = navFor(me.role)
  // A customer's pages are one list.
  const groups = me.role === 'owner' ? (['operate', 'rent'] as const) : ([null] as const)
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !open } }} padding="md">
      <a className="skip" href="#content">
        {t('app.skip')}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('app.menu')} />
          <Link to="/" className="brand">
            <b>{me.cloud || t('app.name')}</b>
          </Link>
          <span style={{ flex: 1 }} />
          <Button variant="default" size="xs" onClick={openPalette} rightSection={<Kbd size="xs">Ctrl K</Kbd>} visibleFrom="sm">
            {t('palette.open')}
          </Button>
          <span className="live" role="status">
            <span className={`dot ${live === 'live' ? 'good' : live === 'lost' ? 'bad' : 'idle'}`} aria-hidden />
            {live === 'live' ? t('app.live') : t('app.live.connecting')}
          </span>
          <Account />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t('app.navigation')}>
        {groups.map((g) => (
          <div key={g ?? ''}>
            {g && <h2 className="nav-group">{t(`nav.${g}`)}</h2>}
            {nav
              .filter((p) => !g || p.nav!.group === g)
              .map((p) => (
                <Link key={p.path} to={`/${p.path}`} className="nav-link" activeProps={{ 'aria-current': 'page' }}>
                  {t(p.title)}
                  <kbd aria-hidden>g {p.nav!.key}</kbd>
                </Link>
              ))}
          </div>
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} style={{ outline: 'none' }}>
        {live === 'lost' && (
          <div className="lost" role="alert">
            {t('app.live.lost')}
          </div>
        )}
        {me.engine.startsWith('stub') && (
          <div className="lost" role="note">
            {t('app.stub')}
          </div>
        )}
        <Outlet />
      </AppShell.Main>
      <Palette />
      <Keys />
    </AppShell>
  )
}

function Account() {
  const { me, signOut } = useSession()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const who = me.user ? `${me.user} · ${me.project}` : t('app.operator')
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <Button variant="subtle" color="gray" size="xs" c="inherit">
          {who}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('app.theme')}</Menu.Label>
        {(['light', 'dark', 'auto'] as const).map((c) => (
          <Menu.Item key={c} onClick={() => setColorScheme(c)} rightSection={colorScheme === c ? '✓' : ''}>
            {t(`app.theme.${c}`)}
          </Menu.Item>
        ))}
        <Menu.Label>{t('app.language')}</Menu.Label>
        {(Object.entries(languages) as [Language, string][]).map(([l, name]) => (
          <Menu.Item key={l} onClick={() => void chooseLanguage(l)} lang={l}>
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={signOut}>{t('app.signOut')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
