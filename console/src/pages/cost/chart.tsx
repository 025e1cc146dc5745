// Spend by day as bars (uPlot, fetched with the page). The table says the same for who cannot see it.
import { useMantineColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

import { moneyText } from '../../parts/money'
import { language, t } from '../../text/text'

interface Props {
  days: string[]
  amounts: number[]
  currency: string
  height?: number
  pick?: (day: string) => void
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

export function SpendChart({ days, amounts, currency, height = 220, pick }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const { colorScheme } = useMantineColorScheme()
  const latest = useRef({ days, amounts, pick })
  latest.current = { days, amounts, pick }
  const plot = useRef<uPlot | null>(null)
  const text = days.join() + amounts.join()

  useEffect(() => {
    const here = box.current!
    function draw() {
      plot.current?.destroy()
      plot.current = new uPlot(options(here.clientWidth, height, currency, latest), dataOf(latest.current), here)
    }
    draw()
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: here.clientWidth, height }))
    sizes.observe(here)
    // Colours are drawn in: once more when they change.
    const colours = new MutationObserver(draw)
    colours.observe(document.documentElement, { attributeFilter: ['data-mantine-color-scheme'] })
    return () => {
      sizes.disconnect()
      colours.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [currency, height, colorScheme, days.length])

  useEffect(() => plot.current?.setData(dataOf(latest.current)), [text])
  return <div ref={box} className="chart" role="img" aria-label={t('cost.chart')} />
}

function dataOf({ days, amounts }: { days: string[]; amounts: number[] }): uPlot.AlignedData {
  return [days.map((_, i) => i), amounts]
}

type Latest = { current: { days: string[]; amounts: number[]; pick?: (day: string) => void } }

function options(width: number, height: number, currency: string, latest: Latest): uPlot.Options {
  const line = colour('--c-line')
  const ink = colour('--mantine-color-dimmed')
  const font = '12px system-ui, sans-serif'
  const dayName = (i: number) => {
    const day = latest.current.days[i]
    return day ? new Date(day + 'T00:00:00Z').toLocaleDateString(language(), { month: 'short', day: 'numeric', timeZone: 'UTC' }) : ''
  }
  const money = (at: number[]) => {
    const places = (at.at(-1) ?? 0) < 10 ? 2 : 0
    return at.map((v) => moneyText(v.toFixed(places), currency, places))
  }
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: { x: { time: false, range: (_, min, max) => [min - 0.6, max + 0.6] }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { stroke: ink, font, size: 34, grid: { show: false }, ticks: { stroke: line, size: 4 }, incrs: [1, 2, 5, 7, 10, 14, 30], values: (_, at) => at.map(dayName) },
      { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 64, values: (_, at) => money(at) },
    ],
    series: [{}, { label: '', fill: colour('--c-busy'), stroke: colour('--c-busy'), width: 0, paths: uPlot.paths.bars!({ size: [0.72, 48], radius: 0.15 }), points: { show: false } }],
    hooks: {
      init: [
        (u) => {
          const tip = document.createElement('div')
          tip.className = 'chart-tip'
          tip.hidden = true
          u.over.append(tip)
          u.over.addEventListener('click', () => {
            const i = u.cursor.idx
            const day = typeof i === 'number' ? latest.current.days[i] : undefined
            if (day) latest.current.pick?.(day)
          })
          u.over.addEventListener('mouseleave', () => (tip.hidden = true))
        },
      ],
      setCursor: [
        (u) => {
          const tip = u.over.querySelector<HTMLElement>('.chart-tip')
          const i = u.cursor.idx
          const day = typeof i === 'number' ? latest.current.days[i] : undefined
          if (!tip || typeof i !== 'number' || !day) return
          tip.hidden = false
          tip.textContent = `${day}  ${moneyText(String(latest.current.amounts[i]?.toFixed(6) ?? 0), currency, 2)}`
          const left = u.valToPos(i, 'x')
          tip.style.left = `${Math.min(Math.max(0, left - 70), u.over.clientWidth - 150)}px`
        },
      ],
    },
  }
}
