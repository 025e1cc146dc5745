// Signing in: what the cookie is, that it alone changes nothing, that it ends with its key.
import { cloud, expect } from './browser.mjs'

export default async function ({ chromium }) {
  const made = await cloud.ok('POST', '/v1/keys', { project: 'demo', user: 'ann', label: 'to be revoked' })
  const page = await chromium.person(null)
  await page.goto('/console/workloads?state=all')
  await page.getByLabel('API key').fill('amp_wrong')
  await page.keyboard.press('Enter')
  await page.getByText('checksum').waitFor()
  expect((await page.getByLabel('API key').inputValue()) === 'amp_wrong', 'what was typed is kept')
  await page.getByLabel('API key').fill(made.secret)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Workloads' }).waitFor()
  expect(page.url().endsWith('/console/workloads?state=all'), `signed in, where she was: ${page.url()}`)

  const cookies = await page.context().cookies()
  const [session] = cookies
  expect(cookies.length === 1 && session.httpOnly && session.sameSite === 'Strict', `one strict cookie: ${JSON.stringify(cookies)}`)
  expect(await page.evaluate(() => document.cookie === ''), 'no script sees it')
  const bare = await fetch(`${cloud.url}/v1/jobs`, {
    method: 'POST', body: '{}', headers: { Cookie: `${session.name}=${session.value}` } })
  expect(bare.status === 403, `the cookie alone changes nothing: ${bare.status}`)
  const foreign = await fetch(`${cloud.url}/v1/jobs`, {
    method: 'POST', body: '{}',
    headers: { Cookie: `${session.name}=${session.value}`, Origin: 'http://evil.example', 'Ampacity-Console': '1' } })
  expect(foreign.status === 403, `nor from another origin: ${foreign.status}`)

  await cloud.ok('DELETE', `/v1/keys/${made.id}`)
  const after = await fetch(`${cloud.url}/v1/whoami`, { headers: { Cookie: `${session.name}=${session.value}` } })
  expect(after.status === 401, `a revoked key's session is over: ${after.status}`)
}
