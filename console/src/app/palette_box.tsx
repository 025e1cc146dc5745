// The palette's box: pages, workloads by name, what can be done here, colours, language.
import '@mantine/spotlight/styles.css'

import { useMantineColorScheme } from '@mantine/core'
import { Spotlight, spotlight, type SpotlightActionGroupData } from '@mantine/spotlight'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { useGet } from '../api/queries'
import { languages, t, word, type Language } from '../text/text'
import { navFor } from './page'
import { chooseLanguage, useActionsHere } from './palette'
import { useSession } from './session'

// Opens whenever `opened` is another number.
export default function PaletteBox({ opened }: { opened: number }) {
  const navigate = useNavigate()
  const { me, signOut } = useSession()
  const { setColorScheme } = useMantineColorScheme()
  const [asked, ask] = useState('')
  const actions = useActionsHere()
  useEffect(() => spotlight.open(), [opened])
  const jobs = useGet('/v1/jobs', { query: { all: '1', limit: '200' } }, { enabled: asked.length > 0 })
  const groups: SpotlightActionGroupData[] = [
    { group: t('palette.here'), actions: actions.map((a, i) => ({ id: `here-${i}`, label: a.label, onClick: a.run })) },
    {
      group: t('palette.pages'),
      actions: navFor(me.role).map((p) => ({
        id: p.path,
        label: t(p.title),
        onClick: () => void navigate({ to: `/${p.path}` }),
      })),
    },
    {
      group: t('palette.workloads'),
      actions: (asked ? (jobs.data?.items ?? []) : []).map((j) => ({
        id: j.id,
        label: j.name,
        description: `${word(j.outcome ?? j.state)} · ${j.sku} · ${j.project}`,
        keywords: [j.id, j.image],
        onClick: () => void navigate({ to: `/workloads/${j.id}` }),
      })),
    },
    {
      group: t('palette.do'),
      actions: [
        ...(['light', 'dark', 'auto'] as const).map((c) => ({
          id: c,
          label: t('palette.theme', { name: t(`app.theme.${c}`) }),
          onClick: () => setColorScheme(c),
        })),
        ...(Object.keys(languages) as Language[]).map((l) => ({
          id: l,
          label: t('palette.language', { name: languages[l] }),
          onClick: () => void chooseLanguage(l),
        })),
        { id: 'sign-out', label: t('app.signOut'), onClick: signOut },
      ],
    },
  ]
  return (
    <Spotlight
      actions={groups.filter((g) => g.actions.length > 0)}
      onQueryChange={ask}
      shortcut={null}
      nothingFound={t('palette.nothing')}
      highlightQuery
      scrollable
      limit={12}
      searchProps={{ placeholder: t('palette.open'), 'aria-label': t('palette.open') }}
    />
  )
}
