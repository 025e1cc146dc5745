// The main ways through the console without a pointer: every step is a key, what has the focus is
// seen, a dialog keeps it until it is closed and gives it back.
import { cloud, expect, quiet } from './browser.mjs'

const most_tabs = 90

export default async function ({ chromium }) {
  await customer(await chromium.person(cloud.customer))
  await operator(await chromium.person(cloud.owner))
}

async function customer(page) {
  const keys = handsOn(page)
  await page.goto('/console/offers')
  await page.getByRole('table').waitFor()
  await keys.press('Tab')
  await keys.on(page.getByRole('link', { name: 'Skip to content' }), 'the first Tab offers to skip the navigation')
  await keys.press('Enter')
  await keys.inside(page.locator('#content'), 'and skips it')

  await keys.press('j')
  await keys.press('j')
  await keys.on(page.locator('tr.at a').first(), 'j goes down a table')
  await keys.press('/')
  await keys.on(page.getByLabel('Filter by SKU, GPU, generation'), '/ goes to the filter')
  await page.keyboard.type('cpu')
  await page.waitForURL(/q=cpu/)

  // The palette: opened, left again, and taken.
  await keys.press('Control+k')
  await keys.on(page.getByRole('searchbox').or(page.getByPlaceholder('Search or jump to…')), 'Ctrl K asks what to do')
  await keys.press('Escape')
  await keys.on(page.getByLabel('Filter by SKU, GPU, generation'), 'and Escape goes back to where it was')
  await keys.press('Control+k')
  await page.keyboard.type('launch a work')
  await keys.press('Enter')
  await page.waitForURL(/\/console\/launch/)

  await keys.tabTo(page.getByRole('button', { name: /^cpu/ }))
  await keys.press('Enter')
  await keys.tabTo(page.getByLabel('Image'))
  await page.keyboard.type('localhost/ampacity-tiny')
  await keys.tabTo(page.getByLabel('Name', { exact: true }))
  await page.keyboard.type('by-keys')
  await keys.tabTo(page.getByLabel('Command', { exact: true }))
  await page.keyboard.type('echo by keys')
  await keys.tabTo(page.getByRole('button', { name: /^More/ }))
  await keys.press('Enter')
  for (const [label, text] of [['vCPUs', '0.1'], ['Memory', '64MiB']]) {
    await keys.tabTo(page.getByLabel(label, { exact: true }))
    await page.keyboard.type(text)
  }
  await keys.press('Enter')
  await page.waitForURL(/\/workloads\/job-/)
  await page.getByRole('heading', { name: 'by-keys' }).waitFor()
  await page.getByText('succeeded').first().waitFor()

  // A reservation: the dialog holds the focus, gives it back, and keeps what was typed.
  await keys.press('g')
  await keys.press('r')
  await page.waitForURL(/\/reservations/)
  const make = page.getByRole('button', { name: 'Reserve GPUs' }).first()
  await keys.tabTo(make)
  await keys.press('Enter')
  const dialog = page.getByRole('dialog')
  await keys.on(dialog.getByLabel('How many GPUs'), 'a dialog begins at its first field')
  for (let i = 0; i < 14; ++i) {
    await keys.press('Tab')
    await keys.inside(dialog, 'Tab stays inside the dialog')
  }
  await keys.tabTo(dialog.getByLabel('Name'))
  await page.keyboard.type('by-keys')
  await keys.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await keys.on(make, 'closed, the focus is where it was')
  await keys.press('Enter')
  expect((await dialog.getByLabel('Name').inputValue()) === 'by-keys', 'what was typed is kept')
  await keys.on(dialog.getByLabel('How many GPUs'), 'a dialog begins at its first field')
  await keys.press('Control+a')
  await page.keyboard.type('1')
  await keys.tabTo(dialog.getByLabel('How long'))
  await keys.press('Control+a')
  await page.keyboard.type('30m')
  await keys.press('Enter')
  const offered = dialog.getByRole('button', { name: /^Reserve from/ })
  const row = page.getByRole('row').filter({ hasText: 'by-keys' })
  await offered.or(row).first().waitFor()
  if (await offered.isVisible()) {
    await keys.tabTo(offered)
    await keys.press('Enter')
  }
  await row.waitFor()
  await keys.inside(page.locator('#content'), 'after it is made, the focus is on the page')
  const end = row.getByRole('button', { name: /^End/ })
  await keys.tabTo(end)
  await keys.press('Enter')
  await keys.on(dialog.getByRole('button', { name: 'Cancel' }), 'a question begins at the answer that does nothing')
  await keys.tabTo(dialog.getByRole('button', { name: 'End', exact: true }))
  await keys.press('Enter')
  await row.waitFor({ state: 'detached' })
  await keys.inside(page.locator('body'), 'and then on the page again')

  await keys.press('?')
  await page.getByRole('dialog').getByText('Ctrl').first().waitFor()
  await keys.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  page.complaints.length = 0 // a refusal, where there was no room
}

async function operator(page) {
  const keys = handsOn(page)
  await page.goto('/console/fleet')
  const picture = page.getByRole('application')
  await picture.waitFor()
  await keys.tabTo(picture)
  await keys.press('ArrowRight')
  await keys.press('ArrowDown')
  await keys.press('Enter')
  await page.waitForURL(/\/fleet\/nodes\//)
  await page.getByRole('button', { name: 'Drain', exact: true }).waitFor()
  await keys.press('g')
  await keys.press('q')
  await page.waitForURL(/\/queue/)
  const change = page.getByRole('button', { name: 'Change the policy' })
  await change.waitFor()
  await keys.tabTo(change)
  await keys.press('Enter')
  const dialog = page.getByRole('dialog')
  await keys.inside(dialog, 'the dialog has the focus')
  await keys.tabTo(dialog.getByLabel('Notice for spot'))
  const before = (await cloud.ok('GET', '/v1/policy')).spot_grace_s
  await keys.press('Control+a')
  await page.keyboard.type('soon')
  await keys.press('Enter')
  await dialog.locator('[aria-invalid=true]').waitFor()
  page.complaints.length = 0 // the refusal
  await keys.tabTo(dialog.getByLabel('Notice for spot'))
  await keys.press('Control+a')
  await page.keyboard.type('45s')
  await keys.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  await keys.on(change, 'saved, the focus is where it was')
  expect((await cloud.ok('GET', '/v1/policy')).spot_grace_s === 45, 'the policy is changed')
  await cloud.ok('PATCH', '/v1/policy', { spot_grace: `${before}s` })
  quiet(page, 'keyboard')
}

function handsOn(page) {
  const said = () => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 160) ?? 'nothing')
  const has = (target, inside) => target.evaluate((e, i) => e === document.activeElement || (i && e.contains(document.activeElement)), inside).catch(() => false)
  const until = async (target, inside, what) => {
    for (let i = 0; i < 100; ++i) {
      if ((await target.count()) === 1 && (await has(target, inside))) return
      await page.waitForTimeout(30)
    }
    throw new Error(`${what}; the focus is on ${await said()}`)
  }
  return {
    press: (key) => page.keyboard.press(key),
    on: (target, what) => until(target, false, what),
    inside: (target, what) => until(target, true, what),
    // Forward, as often as it takes; what comes to have the focus must be seen to have it.
    async tabTo(target) {
      await target.waitFor()
      for (let i = 0; i < most_tabs; ++i) {
        if (await has(target, false)) {
          expect(await target.isVisible(), `it is seen: ${await said()}`)
          return
        }
        await page.keyboard.press('Tab')
      }
      throw new Error(`no Tab leads to ${target}; the focus is on ${await said()}`)
    },
  }
}
