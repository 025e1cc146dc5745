// Every site: is it reached, what stands there, what power costs there; adding one.
import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import type { Schemas } from '../../api/client'
import { useGet } from '../../api/queries'
import { usePalette } from '../../app/palette'
import { Listed } from '../../parts/listed'
import { moneyText } from '../../parts/money'
import { Emulated, State } from '../../parts/state'
import { Answered, PageHead } from '../../parts/states'
import { t } from '../../text/text'
import { AddSite } from './forms'

export type Site = Schemas['SiteView']

// What is decided by comes before what was set.
export function standing(s: Site): string {
  if (s.unknown_since) return 'unknown'
  if (s.clearing) return 'clearing'
  return s.state
}

export default function Sites() {
  const sites = useGet('/v1/sites')
  const emulates = useEmulates()
  const [adding, add] = useState(false)
  usePalette([{ label: t('sites.add'), run: () => add(true) }])
  const button = (
    <Button size="xs" onClick={() => add(true)}>
      {t('sites.add')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('sites.title')} lead={t('sites.lead')}>
        {button}
      </PageHead>
      <Answered of={sites}>
        {(list) => (
          <Listed
            label={t('sites.title')}
            empty={{ title: t('sites.empty'), hint: t('sites.empty.hint'), action: button }}
            rows={list.items ?? []}
            id={(s) => s.name}
            open={(s) => `/sites/${encodeURIComponent(s.name)}`}
            columns={[
              { id: 'name', head: t('sites.one'), sort: (s) => s.name, cell: (s) => <><Link to="/sites/$site" params={{ site: s.name }}>{s.name}</Link> <Emulated is={emulates(s)} /></> },
              { id: 'state', head: t('workloads.state'), sort: standing, cell: (s) => <State of={standing(s)} /> },
              { id: 'region', head: t('sites.region'), sort: (s) => s.region, cell: (s) => s.region, wide: true },
              { id: 'engine', head: t('sites.engine'), sort: (s) => s.engine, cell: (s) => s.engine, wide: true },
              { id: 'nodes', head: t('sites.nodes'), figures: true, sort: (s) => s.nodes, cell: (s) => s.nodes.toLocaleString(), wide: true },
              { id: 'gpus', head: t('sites.gpusFree'), figures: true, sort: (s) => s.gpus_free, cell: (s) => `${s.gpus_free.toLocaleString()} / ${s.gpus.toLocaleString()}` },
              { id: 'jobs', head: t('sites.jobs'), figures: true, sort: (s) => s.jobs, cell: (s) => s.jobs.toLocaleString() },
              { id: 'power', head: t('sites.power'), figures: true, sort: (s) => Number(s.power_usd_per_kwh), cell: (s) => powerText(s), wide: true },
              { id: 'next', head: t('sites.next'), cell: (s) => <span title={s.next ?? undefined}>{s.next}</span>, wide: true, text: true },
            ]}
          />
        )}
      </Answered>
      {adding && <AddSite close={() => add(false)} />}
    </>
  )
}

// Nothing really runs there, or some of its cards are not there.
export function useEmulates(): (s: Site) => boolean {
  const offers = useGet('/v1/offers')
  return (s) => s.emulated || (offers.data?.items ?? []).some((o) => o.emulated && o.sites?.some((x) => x.site === s.name))
}

export function powerText(s: Site): string {
  return Number(s.power_usd_per_kwh) ? `${moneyText(s.power_usd_per_kwh)} × ${s.pue}` : '–'
}
