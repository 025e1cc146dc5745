// What the log of events says of a node, newest first.
import { Link } from '@tanstack/react-router'

import { useGet } from '../../api/queries'
import { Answered, Empty } from '../../parts/states'
import { Rows } from '../../parts/rows'
import { Time } from '../../parts/time'
import { t, word } from '../../text/text'

export function Life({ node }: { node: string }) {
  const found = useGet('/v1/event-log', { query: { q: node, limit: '100' } }, { keep: true })
  // The log is asked for what contains the name: node-1 is in node-10, too.
  const whole = new RegExp(`(^|[^\\w-])${node.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}($|[^\\w-])`)
  return (
    <Answered of={found}>
      {(log) => {
        const rows = (log.items ?? []).filter((e) => whole.test(e.text))
        if (rows.length === 0) return <Empty title={t('node.life.empty')} />
        return (
          <Rows
            label={t('node.life')}
            rows={rows}
            id={(e) => String(e.sequence)}
            columns={[
              { id: 'at', head: t('events.at'), cell: (e) => <Time at={e.at} /> },
              { id: 'kind', head: t('events.kind'), cell: (e) => word(e.kind), wide: true },
              { id: 'text', head: t('events.text'), text: true, cell: (e) => <span title={e.text}>{e.text}</span> },
              { id: 'job', head: t('events.job'), cell: (e) => e.job && <Link to={`/workloads/${e.job}`}>{e.job.slice(0, 12)}…</Link>, wide: true },
              { id: 'actor', head: t('events.actor'), cell: (e) => <span title={e.actor}>{e.actor.length > 18 ? `${e.actor.slice(0, 16)}…` : e.actor}</span>, wide: true },
            ]}
          />
        )
      }}
    </Answered>
  )
}
