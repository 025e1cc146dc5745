// The one table: any number of rows, of which only those in sight are drawn. `j` and `k` move,
// Enter opens, a click on the row too; a row's first cell is a link, so that it has an address.
// Sorted by TanStack Table where all rows are here; lists that come by pages keep their order.
import {
  createColumnHelper,
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  useReactTable,
  type ColumnDef,
  type SortingState,
} from '@tanstack/react-table'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'

import { t } from '../text/text'

export interface Column<Row> {
  id: string
  head: string
  cell: (row: Row) => ReactNode
  sort?: (row: Row) => string | number // by this; left out: not sortable
  figures?: boolean // right-aligned
  wide?: boolean // left out on a phone
}

interface RowsProps<Row> {
  label: string // for who cannot see it
  rows: Row[]
  columns: Column<Row>[]
  id: (row: Row) => string
  open?: (row: Row) => string // the address that the row leads to
  end?: () => void // the last row came into sight
}

const row_px = 38

export function Rows<Row>({ label, rows, columns, id, open, end }: RowsProps<Row>) {
  const navigate = useNavigate()
  const [sorting, setSorting] = useState<SortingState>([])
  const [at, setAt] = useState(-1)
  const body = useRef<HTMLTableSectionElement>(null)
  const [top, setTop] = useState(0)
  useLayoutEffect(() => setTop(body.current?.getBoundingClientRect().top ?? 0 + window.scrollY), [])

  const make = createColumnHelper<Row>()
  const defs = columns.map((c) =>
    make.accessor((r) => c.sort?.(r), {
      id: c.id,
      header: c.head,
      cell: (x) => c.cell(x.row.original),
      enableSorting: !!c.sort,
      sortDescFirst: c.figures ?? false,
    }),
  ) as ColumnDef<Row>[]
  const table = useReactTable({
    data: rows,
    columns: defs,
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: id,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  })
  const all = table.getRowModel().rows
  const virtual = useWindowVirtualizer({
    count: all.length,
    estimateSize: () => row_px,
    overscan: 12,
    scrollMargin: top,
    getItemKey: (i) => all[i]?.id ?? i,
  })
  const shown = virtual.getVirtualItems()
  const last = shown.at(-1)?.index ?? -1
  useEffect(() => {
    if (end && last >= 0 && last >= all.length - 1) end()
  }, [last, all.length, end])

  useEffect(() => {
    function key(e: KeyboardEvent) {
      const typing = (e.target as HTMLElement).closest('input, textarea, select, [role=dialog], [role=listbox]')
      if (typing || e.ctrlKey || e.metaKey || e.altKey) return
      if (e.key === 'j' || e.key === 'k') {
        const next = Math.min(all.length - 1, Math.max(0, at + (e.key === 'j' ? 1 : -1)))
        setAt(next)
        virtual.scrollToIndex(next, { align: 'auto' })
        requestAnimationFrame(() =>
          body.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus({ preventScroll: true }),
        )
        e.preventDefault()
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [all.length, at, virtual])

  const before = shown[0] ? shown[0].start - top : 0
  const after = virtual.getTotalSize() - ((shown.at(-1)?.end ?? top) - top)
  const classes = (c?: Column<Row>) => [c?.figures && 'figures', c?.wide && 'wide'].filter(Boolean).join(' ') || undefined
  const column = (name: string) => columns.find((c) => c.id === name)
  return (
    <table className="rows" aria-label={label} aria-rowcount={all.length + 1}>
      <thead>
        <tr aria-rowindex={1}>
          {table.getFlatHeaders().map((h) => {
            const sorted = h.column.getIsSorted()
            const c = column(h.id)
            return (
              <th
                key={h.id}
                scope="col"
                className={classes(c)}
                aria-sort={sorted ? (sorted === 'asc' ? 'ascending' : 'descending') : undefined}
              >
                {h.column.getCanSort() ? (
                  <button type="button" onClick={h.column.getToggleSortingHandler()} title={t('table.sort', { column: c?.head ?? '' })}>
                    {c?.head}
                    <span aria-hidden>{sorted ? (sorted === 'asc' ? ' ↑' : ' ↓') : ''}</span>
                  </button>
                ) : (
                  c?.head
                )}
              </th>
            )
          })}
        </tr>
      </thead>
      <tbody ref={body}>
        {before > 0 && (
          <tr aria-hidden>
            <td colSpan={columns.length} style={{ height: before }} />
          </tr>
        )}
        {shown.map((v) => {
          const row = all[v.index]
          if (!row) return null
          return (
            <tr
              key={row.id}
              data-index={v.index}
              aria-rowindex={v.index + 2}
              className={v.index === at ? 'at' : undefined}
              onClick={(e) => {
                if (!open || (e.target as HTMLElement).closest('a, button, input')) return
                void navigate({ to: open(row.original) })
              }}
            >
              {row.getVisibleCells().map((cell) => (
                <td key={cell.id} className={classes(column(cell.column.id))}>
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </td>
              ))}
            </tr>
          )
        })}
        {after > 0 && (
          <tr aria-hidden>
            <td colSpan={columns.length} style={{ height: after }} />
          </tr>
        )}
      </tbody>
    </table>
  )
}
