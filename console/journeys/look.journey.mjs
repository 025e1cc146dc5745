import { look, phone, quiet, cloud } from './browser.mjs'
import { pages } from './pages.mjs'

export default async function ({ chromium, seed }) {
  const people = {}
  for (const [size, options] of [['', {}], ['-phone', { size: phone }]]) {
    for (const [name, path, role, ready] of pages) {
      if (size && role !== 'customer') continue
      const who = role + size
      people[who] ??= await chromium.person(role === 'nobody' ? null : cloud[role], options)
      const page = people[who]
      await page.goto('/console' + path.replace(/\{(\w+)\}/g, (_, k) => seed[k]))
      await page.locator(ready).first().waitFor({ timeout: 10_000 })
      await look(page, name + size)
      if (name !== 'not-found') quiet(page, name)
      page.complaints.length = 0
      console.log(`  ${name}${size}`)
    }
  }
  const taipei = await chromium.person(cloud.customer, { locale: 'zh-TW' })
  await taipei.goto('/console/workloads')
  await taipei.getByRole('heading', { name: '工作負載' }).waitFor()
  await look(taipei, 'workloads-zh')
}
