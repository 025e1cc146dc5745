// A workload as it lives: on the list at once, its log line by line, a shell in it, its end, its receipt.
import { cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium }) {
  const page = await chromium.person(cloud.customer)
  await page.goto('/console/workloads')
  await page.getByText('Live', { exact: true }).first().waitFor()
  const job = await cloud.ok('POST', '/v1/jobs', {
    name: 'watched', image: 'localhost/ampacity-tiny', resources: { cpus: '0.1', memory: '64MiB' },
    command: ['sh', '-c', 'for i in $(seq 300); do echo line $i; done; echo trouble >&2; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo bye'],
  }, cloud.customer)
  const row = page.getByRole('row').filter({ hasText: 'watched' })
  await row.getByText('running').waitFor()
  await row.getByRole('link').click()

  await page.getByRole('tab', { name: 'Log' }).click()
  await page.getByText('trouble').waitFor()
  await page.getByLabel('Search the log').fill('line 29')
  await page.getByText('11 of 301 lines').waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()])
  expect(download.suggestedFilename().startsWith('watched-job-'), download.suggestedFilename())

  await page.getByRole('tab', { name: 'Shell' }).click()
  await page.getByRole('button', { name: 'Open a shell' }).click()
  await page.locator('.xterm').waitFor()
  await page.locator('.xterm textarea').first().focus()
  await page.waitForFunction(() => /[#$]/.test(document.querySelector('.xterm-accessibility')?.textContent ?? ''))
  await page.keyboard.type('echo made-$((40+2)) && touch /tmp/go\n')
  await page.waitForFunction(() => document.querySelector('.xterm-accessibility')?.textContent.includes('made-42'))

  await page.getByText('succeeded').first().waitFor()
  expect((await page.locator('.xterm-accessibility').textContent()).includes('made-42'), 'what the shell said outlives the workload')
  await page.getByRole('tab', { name: 'Timeline' }).click()
  await page.getByText(/^placed on|^ran on/).first().waitFor()
  await page.getByRole('tab', { name: 'Receipt' }).click()
  await page.getByRole('heading', { name: 'Transfers' }).waitFor()
  const receipt = await cloud.ok('GET', `/v1/jobs/${job.id}/receipt`, undefined, cloud.customer)
  expect(receipt.intervals.length === 1, `one interval: ${receipt.intervals.length}`)
  quiet(page, 'workload')
}
