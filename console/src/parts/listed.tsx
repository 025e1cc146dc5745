// A list under its title: its rows, or, where there are none, what that means and what to do.
import { Group, Title } from '@mantine/core'
import type { ReactNode } from 'react'

import { Rows, type Column } from './rows'
import { Empty } from './states'

interface Nothing {
  title: string
  hint?: ReactNode
  command?: string
  action?: ReactNode
}

interface ListedProps<Row> {
  label: string // for who cannot see it; the title, where there is one
  title?: boolean
  action?: ReactNode // beside the title
  empty: Nothing
  rows: Row[]
  columns: Column<Row>[]
  id: (row: Row) => string
  open?: (row: Row) => string
  end?: () => void
}

export function Listed<Row>({ title, action, empty, ...rows }: ListedProps<Row>) {
  const list = rows.rows.length === 0 ? <Empty {...empty} /> : <Rows {...rows} />
  if (!title) return list
  return (
    <Section title={rows.label} action={action}>
      {list}
    </Section>
  )
}

// A part of a page, under its title.
export function Section({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{title}</Title>
        {action}
      </Group>
      {children}
    </section>
  )
}
