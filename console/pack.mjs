// Puts the built files into one: build/console/console.pack, as src/console/pack.h describes it.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, '../build/console/dist')
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

const parts = []
let at = 0
function add(bytes) {
  const start = at
  parts.push(bytes)
  at += bytes.length
  return start
}

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((e) => e.isFile())
  .map((e) => relative(dist, join(e.parentPath ?? e.path, e.name)))
  .sort()
  .map((path) => {
    const type = types[extname(path)]
    if (!type) throw new Error(`no content type for ${path}: say it in pack.mjs`)
    const plain = readFileSync(join(dist, path))
    const gzip = gzipSync(plain, { level: 9 })
    const worth = gzip.length < plain.length * 0.9
    return {
      path,
      type,
      etag: createHash('sha256').update(plain).digest('hex').slice(0, 20),
      immutable: path.startsWith('assets/'),
      plain_at: add(plain),
      plain_bytes: plain.length,
      gzip_at: worth ? add(gzip) : 0,
      gzip_bytes: worth ? gzip.length : 0,
    }
  })

const pack = join(dist, '../console.pack')
writeFileSync(`${pack}.new`, Buffer.concat([Buffer.from(JSON.stringify({ files }) + '\n'), ...parts]))
renameSync(`${pack}.new`, pack)
const first = /src="\/console\/(assets\/[^"]+)"|href="\/console\/(assets\/[^"]+)"/g
const loaded = [...readFileSync(join(dist, 'index.html'), 'utf8').matchAll(first)].map((m) => m[1] ?? m[2])
const gz = files.filter((f) => loaded.includes(f.path)).reduce((sum, f) => sum + f.gzip_bytes, 0)
console.log(`${files.length} files; the first load is ${Math.round(gz / 1024)} KiB gzip`)
