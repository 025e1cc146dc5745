import { look, phone, quiet, cloud } from './browser.mjs'
import { pages } from './pages.mjs'

// Each person looks at their pages one after another, all persons at once; what is wrong on any page is
// told together at the end.
export default async function ({ chromium, seed }) {
  const wrong = []
  const visit = async (page, name, path, ready) => {
    try {
      await page.goto('/console' + path.replace(/\{(\w+)\}/g, (_, k) => seed[k]))
      await page.locator(ready).first().waitFor({ timeout: 10_000 })
      await look(page, name)
      if (name.replace('-phone', '') !== 'not-found') quiet(page, name)
    } catch (e) {
      wrong.push(`${name}: ${e.message}`)
    }
    page.complaints.length = 0
    console.log(`  ${name}`)
  }
  const person = async (role, suffix = '', options = {}) => {
    const page = await chromium.person(role === 'nobody' ? null : cloud[role], options)
    for (const [name, path, of, ready] of pages) if (of === role) await visit(page, name + suffix, path, ready)
  }
  const taipei = async () => {
    const page = await chromium.person(cloud.customer, { locale: 'zh-TW' })
    await visit(page, 'workloads-zh', '/workloads', 'role=heading[name="工作負載"]')
  }
  await Promise.all([person('nobody').then(taipei), person('owner'), person('customer'), person('customer', '-phone', { size: phone })])
  if (wrong.length) throw new Error(`${wrong.length} pages\n${wrong.join('\n')}`)
}
