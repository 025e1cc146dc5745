// One site: how it is reached, what is there, what happens next; what an operator can do.
import { Alert, Button, Group, Paper, Stack, Text } from '@mantine/core'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Emulated, State } from '../../parts/state'
import { Answered, Facts, PageHead } from '../../parts/states'
import { Time } from '../../parts/time'
import { t } from '../../text/text'
import { ChangeSite, RemoveSite } from './forms'
import { powerText, standing, useEmulates, type Site } from './list'

export default function SitePage() {
  const { site } = useParams({ strict: false }) as { site: string }
  const found = useGet('/v1/sites/{site}', { path: { site } })
  return <Answered of={found}>{(s) => <Shown site={s} />}</Answered>
}

function Shown({ site: s }: { site: Site }) {
  const emulates = useEmulates()
  const [asking, ask] = useState<'' | 'change' | 'remove'>('')
  const actions = [
    { label: t('sites.change'), run: () => ask('change') },
    { label: t('do.remove'), run: () => ask('remove') },
  ]
  usePalette(actions)
  return (
    <Stack gap="lg">
      <p className="note" style={{ margin: 0 }}>
        <Link to="/sites">← {t('sites.title')}</Link>
      </p>
      <PageHead
        title={s.name}
        lead={
          <Group gap="md" component="span">
            <State of={standing(s)} />
            <span>{s.region}</span>
            <Link to="/fleet" search={{ q: s.name } as never}>
              {t('sites.inFleet')}
            </Link>
            <Emulated is={emulates(s)} />
          </Group>
        }
      >
        {actions.map((a) => (
          <Button key={a.label} size="xs" variant="default" onClick={a.run}>
            {a.label}
          </Button>
        ))}
      </PageHead>
      {(s.next || !s.reachable) && (
        <Alert color={s.unknown_since ? 'red' : 'yellow'} variant="outline" title={s.reachable ? undefined : t('sites.notReached')}>
          <Text c="var(--mantine-color-text)">
            {s.next}{' '}
            {s.fenced_at && (
              <>
                {t('sites.fenced')} <Time at={s.fenced_at} />
              </>
            )}
          </Text>
        </Alert>
      )}
      <Paper withBorder p="md">
        <Facts
          of={[
            [t('sites.gpusFree'), `${s.gpus_free.toLocaleString()} / ${s.gpus.toLocaleString()}`],
            [t('sites.nodes'), s.nodes.toLocaleString()],
            [t('sites.jobs'), s.jobs.toLocaleString()],
            [t('sites.jobsMoving'), s.jobs_moving ? s.jobs_moving.toLocaleString() : undefined],
            [t('sites.power'), powerText(s)],
            [t('sites.unknownSince'), s.unknown_since && <Time at={s.unknown_since} />],
            [t('sites.engine'), s.engine],
            [t('sites.url'), s.url],
            [t('sites.tokenFile'), s.token_file],
            [t('sites.tokenEnv'), s.token_env],
            [t('sites.options'), (s.options ?? []).join(' ')],
            [t('sites.volumes'), (s.volumes ?? []).join(', ')],
          ]}
        />
        {(s.notes ?? []).map((n) => (
          <p key={n} className="note">
            {n}
          </p>
        ))}
      </Paper>
      {asking === 'change' && <ChangeSite site={s} close={() => ask('')} />}
      {asking === 'remove' && <RemoveSite site={s} close={() => ask('')} />}
    </Stack>
  )
}
