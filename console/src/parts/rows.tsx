// A table whose rows are all here: sorted by any column that can be, by TanStack Table.
import {
  createColumnHelper,
  getCoreRowModel,
  getSortedRowModel,
  useReactTable,
  type ColumnDef,
  type SortingState,
} from '@tanstack/react-table'
import { useState } from 'react'

import { t } from '../text/text'
import { Grid, type Shown } from './grid'

export type { Column } from './grid'

export function Rows<Row>({ rows, end, ...shown }: Shown<Row> & { rows: Row[]; end?: () => void }) {
  const [sorting, setSorting] = useState<SortingState>([])
  const make = createColumnHelper<Row>()
  const table = useReactTable({
    data: rows,
    columns: shown.columns.map((c) =>
      make.accessor((r) => c.sort?.(r), {
        id: c.id,
        header: c.head,
        enableSorting: !!c.sort,
        sortDescFirst: c.figures ?? false,
      }),
    ) as ColumnDef<Row>[],
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: shown.id,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  })
  const all = table.getRowModel().rows
  const headers = new Map(table.getFlatHeaders().map((h) => [h.id, h]))
  return (
    <Grid
      {...shown}
      count={all.length}
      row={(i) => all[i]?.original}
      seen={(_, last) => last >= all.length - 1 && end?.()}
      sorted={(c) => headers.get(c.id)?.column.getIsSorted() || false}
      head={(c) => {
        const column = headers.get(c.id)?.column
        if (!column?.getCanSort()) return c.head
        const sorted = column.getIsSorted()
        return (
          <button type="button" onClick={column.getToggleSortingHandler()} title={t('table.sort', { column: c.head })}>
            {c.head}
            <span aria-hidden>{sorted ? (sorted === 'asc' ? ' ↑' : ' ↓') : ''}</span>
          </button>
        )
      }}
    />
  )
}
