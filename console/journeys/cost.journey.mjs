// A customer sees what a month came to, an invoice by its lines, and takes its files.
import { cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium, seed }) {
  const page = await chromium.person(cloud.customer)
  await page.goto('/console/cost')
  await page.locator('.chart canvas').waitFor()
  await page.getByRole('link', { name: 'Invoices', exact: true }).click()
  await page.getByRole('link', { name: seed.invoice, exact: true }).click()
  await page.getByText('Onboarding').waitFor()
  const [pdf] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'PDF', exact: true }).click()])
  expect(pdf.suggestedFilename() === `invoice-${seed.invoice}.pdf`, pdf.suggestedFilename())
  const file = await page.evaluate(async (n) => {
    const r = await fetch(`/v1/invoices/${n}/document?format=ubl`)
    return r.ok ? (await r.text()).slice(0, 400) : `status ${r.status}`
  }, seed.invoice)
  expect(file.includes('Invoice'), `UBL by the session's cookie: ${file}`)
  quiet(page, 'cost')
}
