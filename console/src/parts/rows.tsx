// The one table: any number of rows, of which only those in sight are drawn. `j` and `k` move,
// Enter opens, a click on the row too; a row's first cell is a link, so that it has an address.
// Sorted by TanStack Table where all rows are here (Rows); lists that come by pages keep their order (Grid).
import {
  createColumnHelper,
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
  text?: boolean // sentences: may be wider
}

interface Shown<Row> {
  label: string // for who cannot see it
  columns: Column<Row>[]
  id: (row: Row) => string
  open?: (row: Row) => string // the address that the row leads to
}

const row_px = 38

// All rows are here: sorted by any column that can be.
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

interface GridProps<Row> extends Shown<Row> {
  count: number
  row: (index: number) => Row | undefined // undefined: it is on its way
  seen?: (first: number, last: number) => void // these came into sight; called again while they stay
  head?: (c: Column<Row>) => ReactNode
  sorted?: (c: Column<Row>) => 'asc' | 'desc' | false
}

// Of so many rows those in sight are drawn, as they come.
export function Grid<Row>({ label, columns, id, open, count, row, seen, head, sorted }: GridProps<Row>) {
  const navigate = useNavigate()
  const [at, setAt] = useState(-1)
  const body = useRef<HTMLTableSectionElement>(null)
  const [top, setTop] = useState(0)
  useLayoutEffect(() => setTop((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY), [])
  const virtual = useWindowVirtualizer({ count, estimateSize: () => row_px, overscan: 12, scrollMargin: top })
  const shown = virtual.getVirtualItems()
  const first = shown[0]?.index ?? 0
  const last = shown.at(-1)?.index ?? -1
  useEffect(() => {
    if (last >= 0) seen?.(first, last)
  }, [first, last, count, seen])

  useEffect(() => {
    function key(e: KeyboardEvent) {
      const typing = (e.target as HTMLElement).closest('input, textarea, select, [role=dialog], [role=listbox], .xterm')
      if (typing || e.ctrlKey || e.metaKey || e.altKey) return
      if (e.key === 'j' || e.key === 'k') {
        const next = Math.min(count - 1, Math.max(0, at + (e.key === 'j' ? 1 : -1)))
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
  }, [count, at, virtual])

  const before = shown[0] ? shown[0].start - top : 0
  const after = virtual.getTotalSize() - ((shown.at(-1)?.end ?? top) - top)
  const classes = (c: Column<Row>) => [c.figures && 'figures', c.wide && 'wide', c.text && 'text'].filter(Boolean).join(' ') || undefined
  const order = (c: Column<Row>) => {
    const s = sorted?.(c)
    return s ? (s === 'asc' ? 'ascending' : 'descending') : undefined
  }
  return (
    <table className="rows" aria-label={label} aria-rowcount={count + 1}>
      <thead>
        <tr aria-rowindex={1}>
          {columns.map((c) => (
            <th key={c.id} scope="col" className={classes(c)} aria-sort={order(c)}>
              {head ? head(c) : c.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {before > 0 && <Gap columns={columns.length} height={before} />}
        {shown.map((v) => {
          const r = row(v.index)
          return (
            <tr
              key={r ? id(r) : `blank-${v.index}`}
              data-index={v.index}
              data-blank={r ? undefined : ''}
              aria-rowindex={v.index + 2}
              className={v.index === at ? 'at' : undefined}
              onClick={(e) => {
                if (!r || !open || (e.target as HTMLElement).closest('a, button, input')) return
                void navigate({ to: open(r) })
              }}
            >
              {columns.map((c) => (
                <td key={c.id} className={classes(c)}>
                  {r && c.cell(r)}
                </td>
              ))}
            </tr>
          )
        })}
        {after > 0 && <Gap columns={columns.length} height={after} />}
      </tbody>
    </table>
  )
}

// The rows that are not drawn.
function Gap({ columns, height }: { columns: number; height: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={columns} style={{ height }} />
    </tr>
  )
}
