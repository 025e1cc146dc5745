// Work for the bench: small jobs submitted so many a second, or as many as go. Over plain sockets, a
// request at a time on each, since http.request() takes a core for what this does in a tenth of one.
import { connect } from 'node:net'

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
const sockets = 48

class Line {
  constructor(url) {
    this.socket = connect(Number(url.port), url.hostname)
    this.socket.setNoDelay(true)
    this.text = ''
    this.waiting = null
    this.socket.on('data', (d) => {
      this.text += d.toString('latin1')
      const head = this.text.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = Number(/content-length: *(\d+)/i.exec(this.text)?.[1] ?? 0)
      if (this.text.length < head + 4 + length) return
      const { done, fail } = this.waiting
      const status = Number(this.text.slice(9, 12))
      const body = Buffer.from(this.text.slice(head + 4), 'latin1').toString()
      this.text = ''
      this.waiting = null
      if (status < 300) done(body)
      else fail(new Error(`${status} ${body}`))
    })
    this.socket.on('error', (e) => this.waiting?.fail(e))
  }
  ask(bytes) {
    return new Promise((done, fail) => {
      this.waiting = { done, fail }
      this.socket.write(bytes)
    })
  }
}

export class Load {
  constructor(address, key) {
    this.url = new URL(address)
    this.key = key
    this.free = []
    this.lines = 0
    this.submitted = 0
    this.timer = null
    this.refused = 0
  }

  request(name) {
    const gpus = this.submitted % 2 ? 'h100:1' : 'a100-80:1'
    const body = JSON.stringify({
      name,
      image: 'localhost/ampacity-tiny',
      command: ['true'],
      resources: { gpus, cpus: '0.1', memory: '64MiB' },
      project: 'demo',
      job_class: this.submitted % 3 ? 'on_demand' : 'spot',
    })
    return `POST /v1/jobs HTTP/1.1\r\nHost: ${this.url.host}\r\nAuthorization: Bearer ${this.key}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }

  async one(name) {
    const line = this.free.pop() ?? (this.lines++, new Line(this.url))
    try {
      return await line.ask(this.request(name))
    } finally {
      this.free.push(line)
    }
  }

  // So many a second until end(); what the server cannot take in time is left out.
  begin(perSecond) {
    let owed = 0
    let last = performance.now()
    this.timer = setInterval(() => {
      const now = performance.now()
      owed = Math.min(sockets, owed + ((now - last) / 1000) * perSecond)
      last = now
      for (; owed >= 1 && (this.free.length || this.lines < sockets); owed -= 1) {
        this.one(`load-${this.submitted++}`).catch(() => this.refused++)
      }
    }, 8)
  }
  async end() {
    clearInterval(this.timer)
    while (this.free.length < this.lines) await sleep(10)
  }

  // So many, as fast as they are taken.
  async all(n) {
    let left = n
    const one = async () => {
      while (left-- > 0) await this.one(`many-${this.submitted++}`).catch(() => (this.refused++, sleep(50)))
    }
    await Promise.all(Array.from({ length: sockets }, one))
  }
}
