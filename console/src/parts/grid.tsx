// The one table: any number of rows, of which only those in sight are drawn. `j` and `k` move,
// Enter opens, a click on the row too; a row's first cell is a link, so that it has an address.
// Lists that come by pages keep their order; where all rows are here, Rows (rows.tsx) sorts them.
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useNavigate, useRouter } from '@tanstack/react-router'
import { memo, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'

export interface Column<Row> {
  id: string
  head: string
  cell: (row: Row) => ReactNode
  sort?: (row: Row) => string | number // by this; left out: not sortable
  figures?: boolean // right-aligned
  wide?: boolean // left out on a phone
  text?: boolean // sentences: may be wider
}

export interface Shown<Row> {
  label: string // for who cannot see it
  columns: Column<Row>[]
  id: (row: Row) => string
  open?: (row: Row) => string // the address that the row leads to
}

const row_px = 38

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
  const virtual = useWindowVirtualizer({ count, estimateSize: () => row_px, overscan: 6, scrollMargin: top })
  const shown = virtual.getVirtualItems()
  const first = shown[0]?.index ?? 0
  const last = shown.at(-1)?.index ?? -1
  // Before it is painted: what is missing is asked for as early as can be.
  useLayoutEffect(() => {
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
        const had = document.activeElement
        requestAnimationFrame(() => {
          const now = document.activeElement
          if (now !== had && !body.current?.contains(now)) return // another key took the focus since
          body.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus({ preventScroll: true })
        })
        e.preventDefault()
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [count, at, virtual])

  const before = shown[0] ? shown[0].start - top : 0
  const after = virtual.getTotalSize() - ((shown.at(-1)?.end ?? top) - top)
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
          return <Line key={r ? id(r) : `blank-${v.index}`} index={v.index} row={r} columns={columns} at={v.index === at} open={open} navigate={navigate} />
        })}
        {after > 0 && <Gap columns={columns.length} height={after} />}
      </tbody>
    </table>
  )
}

interface LineProps<Row> {
  index: number
  row: Row | undefined
  columns: Column<Row>[]
  at: boolean
  open?: (row: Row) => string
  navigate: ReturnType<typeof useNavigate>
}

// Drawn anew only when what it shows is another: while one scrolls, most lines stay.
function drawLine<Row>({ index, row, columns, at, open, navigate }: LineProps<Row>) {
  return (
    <tr
      data-index={index}
      data-blank={row ? undefined : ''}
      aria-rowindex={index + 2}
      className={at ? 'at' : undefined}
      onClick={(e) => {
        if (!row || !open || (e.target as HTMLElement).closest('a, button, input')) return
        void navigate({ to: open(row) })
      }}
    >
      {row ? (
        columns.map((c) => (
          <td key={c.id} className={classes(c)}>
            {c.cell(row)}
          </td>
        ))
      ) : (
        <td colSpan={columns.length} />
      )}
    </tr>
  )
}
const Line = memo(drawLine, (a, b) => a.row === b.row && a.index === b.index && a.columns === b.columns && a.at === b.at) as typeof drawLine

function classes<Row>(c: Column<Row>) {
  return [c.figures && 'figures', c.wide && 'wide', c.text && 'text'].filter(Boolean).join(' ') || undefined
}

// The rows that are not drawn.
function Gap({ columns, height }: { columns: number; height: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={columns} style={{ height }} />
    </tr>
  )
}

// A row's link: of the router's own, a list of them takes most of what drawing it costs.
export function RowLink({ to, children }: { to: string; children: ReactNode }) {
  const router = useRouter()
  const soon = () => void router.preloadRoute({ to }).catch(() => {})
  return (
    <a
      href={router.basepath + to}
      onPointerEnter={soon}
      onFocus={soon}
      onClick={(e) => {
        if (e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
        e.preventDefault()
        void router.navigate({ to })
      }}
    >
      {children}
    </a>
  )
}
