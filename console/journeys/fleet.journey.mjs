// An operator finds a node, drains it, cordons it, and gives it back; the picture follows.
import { cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium }) {
  const page = await chromium.person(cloud.owner)
  await page.goto('/console/fleet')
  await page.getByRole('img', { name: /32 GPUs/ }).waitFor()
  await page.getByLabel('Find a node, rack or SKU').fill('emulated-h100-3')
  await page.getByRole('link', { name: 'emulated-h100-3' }).click()
  await page.getByRole('heading', { name: 'emulated-h100-3' }).waitFor()

  await page.getByRole('button', { name: 'Cordon' }).click()
  await page.getByRole('button', { name: 'Return to service' }).waitFor()
  const cordoned = await cloud.ok('GET', '/v1/nodes/emulated-h100-3')
  expect(cordoned.state === 'cordoned', `cordoned: ${cordoned.state}`)
  await page.getByText('node emulated-h100-3 is cordoned').waitFor()
  await page.getByRole('button', { name: 'Return to service' }).click()
  await page.getByRole('button', { name: 'Cordon' }).waitFor()

  await page.getByRole('button', { name: 'Drain' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
  await page.getByText(/^Drained: /).waitFor()
  await page.getByText('drain', { exact: true }).waitFor()
  await page.goto('/console/fleet')
  await page.getByRole('list', { name: 'What the colours say' }).getByText('maintenance').waitFor()
  await page.goBack()
  await page.getByRole('button', { name: 'Take work again' }).click()
  await page.getByRole('button', { name: 'Drain' }).waitFor()
  const windows = await cloud.ok('GET', '/v1/maintenance')
  expect((windows.items ?? []).length === 0, `no window is left: ${JSON.stringify(windows)}`)
  quiet(page, 'fleet')
}
