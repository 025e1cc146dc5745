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
  // UBL: a file, or, where the issuer lacks what its rules want, what that is, on the page.
  const taken = page.waitForEvent('download').then((d) => d.suggestedFilename(), () => '')
  await page.getByRole('button', { name: 'UBL', exact: true }).click()
  const said = page.getByRole('alert').filter({ hasText: 'cannot be written as UBL' }).waitFor().then(() => 'said', () => '')
  const ubl = await Promise.race([taken, said])
  expect(ubl === 'said' || ubl === `invoice-${seed.invoice}.xml`, `UBL: ${ubl}`)
  if (ubl === 'said') page.complaints.length = 0 // the refusal
  quiet(page, 'cost')
}
