// Traditional Chinese; the same keys as en.ts, file by file.
import app from './zh-TW/app'
import cost from './zh-TW/cost'
import customers from './zh-TW/customers'
import events from './zh-TW/events'
import fleet from './zh-TW/fleet'
import invoices from './zh-TW/invoices'
import money from './zh-TW/money'
import offers from './zh-TW/offers'
import prices from './zh-TW/prices'
import queue from './zh-TW/queue'
import reservations from './zh-TW/reservations'
import settings from './zh-TW/settings'
import sites from './zh-TW/sites'
import words from './zh-TW/words'
import workloads from './zh-TW/workloads'
import type { Words } from './text'

const zh: Words = {
  ...app,
  ...words,
  ...offers,
  ...workloads,
  ...reservations,
  ...cost,
  ...invoices,
  ...settings,
  ...fleet,
  ...sites,
  ...queue,
  ...money,
  ...prices,
  ...customers,
  ...events,
}

export default zh
