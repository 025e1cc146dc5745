// Signing in through an OIDC provider: who is let in as what, and who is not, with a page that says why.
import { accessible, cloud, expect, quiet } from './browser.mjs'

export default async function ({ chromium }) {
  const begin = async (page, to = '/console/') => {
    await page.goto(to)
    await page.getByRole('link', { name: 'Sign in with Example ID' }).click()
  }
  const as = async (page, login) => {
    await page.getByLabel('Who are you?').fill(login)
    await page.getByRole('button', { name: 'Continue' }).click()
  }
  const me = (page) => page.evaluate(() => fetch('/v1/whoami').then((r) => (r.ok ? r.json() : r.status)))
  // Cookies know no ports: the provider's own are of the same host.
  const ours = async (page) => (await page.context().cookies(cloud.url)).filter((c) => c.name.includes('ampacity_'))
  // Of what a person sees who was not let in.
  const refused = async (login, why) => {
    const page = await chromium.person(null)
    await begin(page)
    await as(page, login)
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor()
    const said = await page.getByRole('alert').textContent()
    expect(said.includes(why), `${login}: ${said}`)
    expect((await ours(page)).length === 0, `${login} keeps no cookie of ours`)
    return page
  }

  // A customer, by a group: back where she was, with her project and no more.
  const ann = await chromium.person(null)
  await begin(ann, '/console/workloads?state=all')
  await as(ann, 'ann')
  await ann.getByRole('heading', { name: 'Workloads' }).waitFor()
  expect(ann.url() === `${cloud.url}/console/workloads?state=all`, `back where she was: ${ann.url()}`)
  const hers = await me(ann)
  expect(hers.role === 'customer' && hers.project === 'demo' && hers.sign_in === 'ann@example.org', `who she is: ${JSON.stringify(hers)}`)
  expect((await ann.getByRole('link', { name: 'Fleet' }).count()) === 0, 'no page of the operators is shown to her')
  const cookies = await ours(ann)
  expect(cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === 'Strict', `one strict cookie: ${JSON.stringify(cookies)}`)
  quiet(ann, 'ann')
  for (const path of ['nodes', 'orgs']) {
    const r = await fetch(`${cloud.url}/v1/${path}`, { headers: { Cookie: `${cookies[0].name}=${cookies[0].value}` } })
    expect(r.status === 403, `nor what they see answered: ${path} ${r.status}`)
  }

  // An operator, by another; who makes a key for somebody whom no group lets in.
  const olga = await chromium.person(null)
  await begin(olga)
  await as(olga, 'olga')
  await olga.getByRole('link', { name: 'Fleet' }).waitFor()
  expect((await me(olga)).role === 'owner', 'an operator')
  const unknown = await refused('sam', 'ampacity keys add --sign-in sam@example.org')
  await accessible(unknown, 'a refusal')
  expect(unknown.complaints.length === 1 && unknown.complaints[0].includes('403'), `only of its status: ${unknown.complaints}`)
  await olga.goto('/console/settings/keys?new=1')
  const dialog = olga.getByRole('dialog')
  await dialog.getByLabel('Project').click()
  await olga.getByRole('option', { name: 'demo' }).click()
  await dialog.getByLabel('User').click()
  await olga.getByRole('option', { name: 'ann', exact: true }).click()
  await dialog.getByLabel('Signs in as').fill('Sam@Example.org')
  await dialog.getByRole('button', { name: 'Make it' }).click()
  await olga.getByRole('row').filter({ hasText: 'sam@example.org' }).waitFor()
  await unknown.getByRole('link', { name: 'Back to signing in' }).click()
  await unknown.getByRole('link', { name: 'Sign in with Example ID' }).click()
  await as(unknown, 'sam')
  await unknown.locator('nav').first().waitFor({ state: 'attached' })
  expect((await me(unknown)).sign_in === 'sam@example.org', 'now he is let in')

  // Revoked, he is out, and stays out; signed out, so is she.
  await olga.getByRole('row').filter({ hasText: 'sam@example.org' }).getByRole('button', { name: /^Revoke/ }).click()
  await olga.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
  await olga.getByRole('row').filter({ hasText: 'sam@example.org' }).waitFor({ state: 'detached' })
  expect((await me(unknown)) === 401, 'his session is over')
  const [session] = await ours(olga)
  await olga.getByRole('button', { name: 'olga@example.org', exact: true }).click()
  await olga.getByRole('menuitem', { name: 'Sign out' }).click()
  await olga.getByRole('link', { name: 'Sign in with Example ID' }).waitFor()
  const after = await fetch(`${cloud.url}/v1/whoami`, { headers: { Cookie: `${session.name}=${session.value}` } })
  expect(after.status === 401, `a session that was signed out of is over: ${after.status}`)

  // What the provider says, and is not believed.
  for (const [login, why] of [
    ['una', 'not verified'],
    ['late', 'has expired'],
    ['audience', 'for another client'],
    ['nonce', 'not made for this sign-in'],
    ['issuer', 'another issuer'],
    ['forged', 'signature'],
    ['sam', 'was revoked here'],
  ])
    await refused(login, why)

  // A code is taken once; and only by who began, and asked for it.
  const bob = await chromium.person(null)
  await begin(bob)
  await bob.getByLabel('Who are you?').waitFor()
  const asked = bob.context().request
  const held = { maxRedirects: 0 }
  const on = await asked.post(bob.url(), { form: { login: 'ann' }, ...held })
  const back = (await asked.get(on.headers().location, held)).headers().location
  const [way] = await ours(bob)
  const come = async (url, cookie) => {
    const r = await fetch(url, { redirect: 'manual', headers: cookie ? { Cookie: `${way.name}=${way.value}` } : {} })
    return `${r.status} ${await r.text()}`
  }
  expect(way.httpOnly && way.sameSite === 'Lax', `the cookie of the way: ${JSON.stringify(way)}`)
  const without = await come(back, false)
  expect(without.startsWith('403') && without.includes('not begun in this browser'), without)
  const other = await come(back.replace(/state=\w+/, 'state=another'), true)
  expect(other.startsWith('403') && other.includes('another sign-in'), other)
  expect((await come(back, true)).startsWith('303'), 'the code is taken')
  const again = await come(back, true)
  expect(again.startsWith('403') && again.includes('was used before'), again)
}
