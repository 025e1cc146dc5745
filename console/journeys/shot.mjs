// Pictures of any addresses while a page is made, with what axe says of them:
//   AMPACITY_URL=http://127.0.0.1:4173 node journeys/shot.mjs /workloads '/workloads?state=all'
// in build/screenshots/try-…; AMPACITY_KEY signs in, unless the proxy of vite does (vite.config.ts).
import { cloud, launch, look, phone } from './browser.mjs'

const chromium = await launch()
for (const [size, options] of [['', {}], ['-phone', { size: phone }]]) {
  const page = await chromium.person(process.env.AMPACITY_KEY ?? null, options)
  for (const path of process.argv.slice(2)) {
    await page.goto(`${cloud.url}/console${path}`)
    await page.waitForTimeout(2000)
    const name = `try${path.replace(/\W+/g, '-')}${size}`
    await look(page, name).catch((e) => console.log(e.message))
    console.log(name, page.complaints.splice(0).join('\n'))
  }
}
await chromium.close()
