// A customer asks for more than is there: the server says when, one press takes that; and it is ended.
import { cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium }) {
  const page = await chromium.person(cloud.customer)
  await page.goto('/console/reservations')
  await page.getByRole('button', { name: 'Reserve GPUs' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('How many GPUs').fill('999')
  await dialog.getByLabel('Name').fill('by-hand')
  await dialog.getByRole('button', { name: 'Reserve', exact: true }).click()
  await dialog.getByRole('alert').waitFor()
  expect((await dialog.getByLabel('Name').inputValue()) === 'by-hand', 'what was typed is kept')
  page.complaints.length = 0 // the refusal

  // Eight from now on are free; where they are not, the earliest start is offered.
  await dialog.getByLabel('How many GPUs').fill('8')
  await dialog.getByLabel('How long').fill('2h')
  await dialog.getByRole('button', { name: 'Reserve', exact: true }).click()
  const offered = dialog.getByRole('button', { name: /^Reserve from/ })
  const row = page.getByRole('row').filter({ hasText: 'by-hand' })
  await offered.or(row).first().waitFor()
  if (await offered.isVisible()) await offered.click()
  await row.waitFor()
  await page.getByRole('img', { name: /^by-hand/ }).waitFor()
  const made = (await cloud.ok('GET', '/v1/reservations', undefined, cloud.customer)).items.find((r) => r.name === 'by-hand')
  expect(made?.gpus === 8, `eight are kept: ${JSON.stringify(made)}`)

  await row.getByRole('button', { name: /^End/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click()
  await row.waitFor({ state: 'detached' })
  page.complaints.length = 0
  quiet(page, 'reserve')
}
