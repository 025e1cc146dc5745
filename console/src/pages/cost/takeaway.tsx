// Files to take: costs as FOCUS, usage, a statement of account. Streamed by the server.
import { Button, Group, Paper, Select, Title } from '@mantine/core'

import { address } from '../../api/client'
import { useSession } from '../../app/session'
import { useFilters } from '../../parts/filters'
import { t } from '../../text/text'
import { lastMonths } from './days'

export function Takeaway() {
  const { me } = useSession()
  const months = lastMonths(new Date(), 24)
  const [filters, setFilters] = useFilters({ month: months[0] ?? '' })
  const month = filters.month
  const [y, m] = month.split('-').map(Number)
  const next = new Date(Date.UTC(y ?? 2026, m ?? 1, 1)).toISOString().slice(0, 10)
  const file = (path: string, query: object) => address(path, { query })
  return (
    <Paper withBorder p="md" component="section">
      <Title order={2} mb="sm">
        {t('cost.files')}
      </Title>
      <Group align="flex-end">
        <Select
          label={t('cost.month')}
          w={130}
          allowDeselect={false}
          value={month}
          onChange={(v) => setFilters({ month: v ?? months[0] })}
          data={months}
        />
        <Button component="a" variant="default" href={file('/v1/exports/focus', { month })} download={`focus-${month}.csv`}>
          {t('cost.focus')}
        </Button>
        <Button component="a" variant="default" href={file('/v1/exports/usage', { month })} download={`usage-${month}.csv`}>
          {t('cost.usageCsv')}
        </Button>
        {me.role === 'customer' && (
          <>
            <Button component="a" variant="default" href={file('/v1/statement', { from: `${month}-01`, until: next, format: 'pdf' })} download={`statement-${month}.pdf`}>
              {t('cost.statement')}
            </Button>
            <Button component="a" variant="default" href={file('/v1/statement', { from: `${month}-01`, until: next })} download={`statement-${month}.csv`}>
              {t('cost.statementCsv')}
            </Button>
          </>
        )}
      </Group>
      <p className="note">{t('cost.files.hint')}</p>
    </Paper>
  )
}
