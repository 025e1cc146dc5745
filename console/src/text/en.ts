// Every text of the console in English, by `place.what`; a file for each page's places, so that a new
// page adds its own.
import app from './en/app'
import cost from './en/cost'
import customers from './en/customers'
import events from './en/events'
import fleet from './en/fleet'
import invoices from './en/invoices'
import money from './en/money'
import offers from './en/offers'
import prices from './en/prices'
import queue from './en/queue'
import reservations from './en/reservations'
import settings from './en/settings'
import sites from './en/sites'
import words from './en/words'
import workloads from './en/workloads'

const en = {
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

export default en
