// An operator finds a node, cordons it, gives it back, drains it, and gives it back.
import { cloud, expect, quiet } from './browser.mjs'

const name = 'emulated-h100-3'

export default async function ({ chromium }) {
  const page = await chromium.person(cloud.owner)
  const press = (button) => page.getByRole('button', { name: button, exact: true }).click()
  const sure = (button) => page.getByRole('dialog').getByRole('button', { name: button, exact: true }).click()
  const state = async () => (await cloud.ok('GET', `/v1/nodes/${name}`)).state
  await page.goto('/console/fleet?view=table')
  await page.getByRole('table').waitFor()
  await page.goto(`/console/fleet/nodes/${name}`)
  await page.getByRole('heading', { name }).waitFor()

  await press('Cordon')
  await sure('Cordon')
  await page.getByRole('button', { name: 'Return to service' }).waitFor()
  expect((await state()) === 'cordoned', `cordoned: ${await state()}`)
  await press('Return to service')
  await page.getByRole('button', { name: 'Cordon', exact: true }).waitFor()
  expect((await state()) === 'active', `active again: ${await state()}`)

  await press('Drain')
  await sure('Drain')
  await page.getByText('Nothing runs here: it is free for work on it.').waitFor()
  await press('Return to service')
  await page.getByRole('button', { name: 'Drain', exact: true }).waitFor()
  const windows = await cloud.ok('GET', '/v1/maintenance')
  expect((windows.items ?? []).length === 0, `no window is left: ${JSON.stringify(windows)}`)
  quiet(page, 'fleet')
}
