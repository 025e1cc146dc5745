// A newcomer picks hardware, sees the price, launches, reads the log, and sees what it cost.
import { cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium }) {
  const page = await chromium.person(cloud.customer)
  await page.goto('/console/offers')
  await page.getByRole('link', { name: 'h100', exact: true }).click()
  await page.getByRole('heading', { name: 'Prices' }).waitFor()
  await page.getByRole('link', { name: 'Rent', exact: true }).click()

  // The quote follows the pick; another class is another price, and the address says what is picked.
  const price = page.locator('.quote-price .figures')
  await price.waitFor()
  const onDemand = await price.textContent()
  await page.getByText('spot', { exact: true }).first().click()
  await page.waitForFunction((before) => document.querySelector('.quote-price .figures')?.textContent !== before, onDemand)
  expect(page.url().includes('job_class=spot'), `the pick is in the address: ${page.url()}`)
  await page.getByText('ampacity run', { exact: false }).first().waitFor()

  await page.getByRole('button', { name: /^cpu/ }).click()
  await page.getByLabel('Image').fill('localhost/ampacity-tiny')
  await page.getByLabel('Name', { exact: true }).fill('first-steps')
  await page.getByLabel('Command', { exact: true }).fill('echo hello; echo from the console')
  await page.getByRole('button', { name: /^More/ }).click()
  await page.getByLabel('vCPUs', { exact: true }).fill('0.1')
  await page.getByLabel('Memory', { exact: true }).fill('64MiB')

  // What is wrong is said at its field before anything is launched, and nothing typed is lost.
  await page.getByLabel('Time limit').fill('soon')
  await page.locator('[aria-invalid=true]').first().waitFor()
  await page.getByLabel('Time limit').fill('10m')
  await page.waitForFunction(() => !document.querySelector('[aria-invalid=true]'))
  const line = await page.locator('.copyable pre').first().textContent()
  expect(line === "ampacity run --image localhost/ampacity-tiny --name first-steps --cpus 0.1 --memory 64MiB --time 10m -- sh -c 'echo hello; echo from the console'", line)
  page.complaints.length = 0 // the quote of a wrong time was refused: Chromium says so

  await page.getByRole('complementary').getByRole('button', { name: 'Launch', exact: true }).click()
  await page.waitForURL(/\/workloads\/job-/)
  await page.getByRole('tab', { name: 'Log' }).click()
  await page.getByText('from the console').first().waitFor()
  await page.getByText('succeeded').first().waitFor()
  await page.getByRole('tab', { name: 'Receipt' }).click()
  await page.getByRole('heading', { name: 'Transfers' }).waitFor()
  quiet(page, 'launch')
}
