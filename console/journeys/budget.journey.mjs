// A budget that stops: set by hand, what runs ends inside it, and nothing new begins.
import { cloud, expect } from './browser.mjs'

// It mostly waits, on a project and a key of its own: others go on meanwhile.
export const beside = true

export default async function ({ chromium }) {
  await cloud.ok('POST', '/v1/projects', { name: 'capped', org: 'acme' })
  await cloud.ok('POST', '/v1/credits', { project: 'capped', amount: '10.00' })
  const { secret } = await cloud.ok('POST', '/v1/keys', { project: 'capped', user: 'ann', label: 'of the budget journey' })
  const before = await cloud.ok('GET', '/v1/policy')
  await cloud.ok('PATCH', '/v1/policy', { quantum: '1m' }) // credit is held in steps of a minute, not ten
  try {
    const page = await chromium.person(secret)
    await page.goto('/console/cost/budgets')
    await page.getByRole('button', { name: 'Set a budget' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Limit').fill('0.09') // a minute of one H100 is 0.0797
    await dialog.getByLabel('Name').fill('tight')
    await dialog.getByLabel('Stops what runs, inside it').check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('tight', { exact: true }).first().waitFor()

    const job = await cloud.ok('POST', '/v1/jobs', {
      name: 'too-long', image: 'localhost/ampacity-tiny', command: ['sleep', '600'], time: '10m', grace: '1s',
      resources: { gpus: 'h100:1', cpus: '0.1', memory: '64MiB' },
    }, secret)
    await page.goto(`/console/workloads/${job.id}`)
    await page.getByText('running').first().waitFor({ timeout: 30_000 })
    await page.getByText('its budget is used up').first().waitFor({ timeout: 90_000 })
    await page.getByText('cancelled').first().waitFor({ timeout: 30_000 })

    await page.goto('/console/cost/budgets')
    await page.getByText('tight', { exact: true }).first().waitFor()
    const [budget] = (await cloud.ok('GET', '/v1/budgets', undefined, secret)).items
    expect(Number(budget.used) > 0 && Number(budget.used) <= 0.09, `used within the limit: ${JSON.stringify(budget)}`)

    // Another is refused where it would be launched, and nothing typed is lost.
    await page.goto('/console/launch?gpu=h100')
    await page.getByLabel('Image').fill('localhost/ampacity-tiny')
    await page.getByRole('complementary').getByRole('button', { name: 'Launch', exact: true }).click()
    await page.getByRole('alert').filter({ hasText: 'tight' }).waitFor()
    expect((await page.getByLabel('Image').inputValue()) === 'localhost/ampacity-tiny', 'what was typed is kept')
  } finally {
    await cloud.ok('PATCH', '/v1/policy', { quantum: `${before.quantum_s}s` })
  }
}
