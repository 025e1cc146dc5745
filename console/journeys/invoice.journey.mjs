// An operator issues an invoice for what a customer used until now, sees it as a file, and records
// that it was paid.
import { cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium }) {
  const page = await chromium.person(cloud.owner)
  const sure = (button) => page.getByRole('dialog').getByRole('button', { name: button, exact: true })
  const fee = `Setting up rack ${Date.now()}` // one of its own each time
  const { items: orgs } = await cloud.ok('GET', '/v1/orgs')
  const org = orgs[0].name
  await cloud.ok('PATCH', '/v1/issuer', { name: 'Formosa Compute', country: 'TW' })
  await cloud.ok('POST', `/v1/orgs/${org}/lines`, { amount: '120.00', description: fee })

  await page.goto('/console/invoices')
  await page.getByRole('button', { name: 'Issue an invoice' }).first().click()
  await page.getByRole('dialog').getByLabel('Customer').click()
  await page.getByRole('option', { name: org, exact: true }).click()
  await page.getByRole('dialog').getByLabel('Month').click()
  await page.getByRole('option', { name: new Date().toISOString().slice(0, 7) }).click()
  await page.getByRole('dialog').getByText(fee).waitFor()
  await sure('Issue an invoice').click()
  await page.waitForURL(/\/console\/invoices\/\d{4}-\d+/)
  const number = page.url().split('/').at(-1)
  await page.getByRole('heading', { name: number }).waitFor()
  const issued = await cloud.ok('GET', `/v1/invoices/${number}`)
  expect(issued.state === 'issued' && Number(issued.open) >= 120, `issued: ${JSON.stringify(issued).slice(0, 300)}`)

  const file = await page.request.get(`/v1/invoices/${number}/document?format=pdf`)
  expect(file.ok() && (await file.body()).subarray(0, 5).toString() === '%PDF-', `a PDF: ${file.status()}`)

  await page.getByRole('button', { name: 'Record a payment' }).click()
  await page.getByRole('dialog').getByLabel('Amount', { exact: false }).fill('not money')
  await sure('Record a payment').click()
  await page.getByRole('dialog').locator('[aria-invalid=true]').or(page.getByRole('dialog').getByRole('alert')).first().waitFor()
  expect((await page.getByRole('dialog').getByLabel('Amount', { exact: false }).inputValue()) === 'not money', 'what was typed is kept')
  page.complaints.length = 0 // the refusal, as the browser logs it
  await page.getByRole('dialog').getByLabel('Amount', { exact: false }).fill(issued.open)
  await sure('Record a payment').click()
  await page.getByText('paid', { exact: true }).waitFor()
  expect((await cloud.ok('GET', `/v1/invoices/${number}`)).state === 'paid', 'paid')
  quiet(page, 'invoice')
}
