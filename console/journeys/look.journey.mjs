import { cloud, expect, look, phone, quiet, zoomed } from './browser.mjs'
import { pages } from './pages.mjs'

// Each person looks at their pages one after another, all persons at once; what is wrong on any page is
// told together at the end. Nothing may be so wide that a whole page goes sideways.
const persons = [
  { role: 'nobody' },
  { role: 'owner', only: (i) => i % 2 === 0 },
  { role: 'owner', only: (i) => i % 2 === 1 },
  { role: 'customer' },
  { role: 'customer', suffix: '-phone', size: phone },
  { role: 'customer', suffix: '-zoom', size: zoomed, some: true },
  { role: 'owner', suffix: '-zoom', size: zoomed, some: true },
  { role: 'customer', suffix: '-zh', locale: 'zh-TW', some: true },
  { role: 'owner', suffix: '-zh', locale: 'zh-TW', some: true },
]

export default async function ({ chromium, seed }) {
  const wrong = []
  const visit = async (page, [name, path, , ready], { suffix = '', some }, tries = 3) => {
    try {
      page.cut = false
      await page.goto('/console' + path.replace(/\{(\w+)\}/g, (_, k) => seed[k]))
      await page.locator(ready).first().waitFor({ timeout: 10_000 })
      await look(page, name + suffix, some)
      if (name !== 'not-found') quiet(page, name + suffix)
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      expect(wide <= 0, `the page is ${wide} pixels wider than the window`)
    } catch (e) {
      page.complaints.length = 0
      if (page.cut && tries > 1) return visit(page, [name, path, , ready], { suffix, some }, tries - 1)
      wrong.push(`${name}${suffix}: ${e.message}`)
    }
    page.complaints.length = 0
    console.log(`  ${name}${suffix}`)
  }
  const person = async (p) => {
    const page = await chromium.person(p.role === 'nobody' ? null : cloud[p.role], p)
    const theirs = pages.filter(([, , of, , main]) => of === p.role && (main || !p.some))
    for (const [i, of] of theirs.entries()) if (!p.only || p.only(i)) await visit(page, of, p)
    await page.context().close()
  }
  // Three at work at once: more only wait for each other.
  const waiting = [...persons]
  const next = async () => {
    for (let p; (p = waiting.shift()); ) await person(p)
  }
  await Promise.all([next(), next(), next()])
  if (wrong.length) throw new Error(`${wrong.length} pages\n${wrong.join('\n')}`)
}
