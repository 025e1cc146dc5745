// An operator finds a node, cordons it, gives it back, drains it, and gives it back; and drains one on which a job runs on.
import { cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium, seed }) {
  const nodes = (await cloud.ok('GET', '/v1/nodes')).items
  const reserved = (await cloud.ok('GET', '/v1/reservations')).items.flatMap((r) => r.nodes ?? [])
  const name = nodes.find((n) => n.gpus > 0 && n.jobs.length === 0 && !reserved.includes(n.name)).name
  const busy = nodes.find((n) => n.jobs.includes(seed.running)).name
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

  const drain = async (node, says) => {
    await page.goto(`/console/fleet/nodes/${node}`)
    await press('Drain')
    await sure('Drain')
    await page.getByText(says).waitFor()
    await press('Return to service')
    await page.getByRole('button', { name: 'Drain', exact: true }).waitFor()
  }
  await drain(name, 'Nothing runs here: it is free for work on it.')
  await drain(busy, 'Still running here: 1.')
  const windows = await cloud.ok('GET', '/v1/maintenance')
  expect((windows.items ?? []).length === 0, `no window is left: ${JSON.stringify(windows)}`)
  const job = await cloud.ok('GET', `/v1/jobs/${seed.running}`)
  expect(job.state === 'running', `the job on the drained node: ${job.state}`)
  quiet(page, 'fleet')
}
