// What the launch page has picked and typed, as a request to the API, a line for the shell, and a file.
import type { Schemas } from '../../api/client'

export type JobRequest = Schemas['JobRequest']

export interface Picked {
  gpu: string // SKU; 'cpu': none
  n: string // GPUs of each node
  nodes: string
  share: string // of the one GPU: '0.5'; '': all of it
  job_class: string
  reservation: string
}

export interface Typed {
  name: string
  image: string
  command: string
  volumes: string[]
  cpus: string
  memory: string
  time: string
  expected: string
  start_by: string
  max_price: string
  grace: string
  retries: string
  site: string
  together: string
  project: string // operators say whose
}

export const nothingTyped: Typed = {
  name: '', image: '', command: '', volumes: [], cpus: '', memory: '', time: '', expected: '', start_by: '',
  max_price: '', grace: '', retries: '', site: '', together: '', project: '',
}

export function gpusText(p: Picked): string | undefined {
  if (!p.gpu || p.gpu === 'cpu') return undefined
  return `${p.gpu}:${p.n || '1'}${Number(p.nodes) > 1 ? `x${p.nodes}` : ''}`
}

// As a shell would take it: words and quotes; with anything that only a shell understands, a shell gets it.
export function commandOf(text: string): string[] {
  const line = text.trim()
  if (!line) return []
  if (/[|&;<>()$`*?~\n#\\]/.test(line)) return ['sh', '-c', line]
  const words: string[] = []
  const word = /"([^"]*)"|'([^']*)'|(\S+)/g
  for (let m = word.exec(line); m; m = word.exec(line)) words.push(m[1] ?? m[2] ?? m[3] ?? '')
  return words
}

export function environmentOf(text: string): Record<string, string> {
  const env: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) env[line.slice(0, at).trim()] = line.slice(at + 1)
  }
  return env
}

export function requestOf(p: Picked, d: Typed, env: Record<string, string> = {}): JobRequest {
  const resources: Schemas['Resources'] = {}
  const gpus = gpusText(p)
  if (gpus) resources.gpus = gpus
  if (d.cpus) resources.cpus = d.cpus
  if (d.memory) resources.memory = d.memory
  if (gpus && p.share && p.n === '1' && p.nodes === '1') resources.gpu_share = p.share
  const r: JobRequest = { image: d.image.trim() }
  if (d.name) r.name = d.name.trim()
  const command = commandOf(d.command)
  if (command.length) r.command = command
  if (Object.keys(resources).length) r.resources = resources
  if (Object.keys(env).length) r.env = env
  if (d.volumes.length) r.volumes = d.volumes
  if (d.time) r.time = d.time
  if (d.grace) r.grace = d.grace
  if (p.reservation) r.reservation = p.reservation
  else if (p.job_class && p.job_class !== 'on_demand') r.job_class = p.job_class as JobRequest['job_class']
  if (d.retries) r.retries = Number(d.retries)
  if (d.site || d.together)
    r.placement = {
      ...(d.site ? { sites: [d.site] } : {}),
      ...(d.together ? { together: d.together as NonNullable<JobRequest['placement']>['together'] } : {}),
    }
  if (d.max_price) r.max_price = d.max_price
  if (d.start_by) r.start_by = d.start_by
  if (d.expected) r.expected = d.expected
  if (d.project) r.project = d.project
  return r
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

// ampacity run …: the same thing.
export function lineOf(r: JobRequest): string {
  const words: [string, string | undefined][] = [
    ['--image', r.image || 'IMAGE'],
    ['--name', r.name],
    ['--gpus', r.resources?.gpus],
    ['--share', r.resources?.gpu_share],
    ['--cpus', r.resources?.cpus],
    ['--memory', r.resources?.memory],
    ['--class', r.job_class],
    ['--reservation', r.reservation],
    ['--time', r.time],
    ['--grace', r.grace],
    ['--expected', r.expected],
    ['--start-by', r.start_by],
    ['--max-price', r.max_price],
    ['--retries', r.retries?.toString()],
    ['--together', r.placement?.together],
    ['--project', r.project],
    ...(r.placement?.sites ?? []).map((s): [string, string] => ['--site', s]),
    ...(r.volumes ?? []).map((v): [string, string] => ['-v', v]),
    ...Object.entries(r.env ?? {}).map(([k, v]): [string, string] => ['-e', `${k}=${v}`]),
  ]
  const flags = words.filter(([, v]) => v).map(([flag, v]) => `${flag} ${quoted(v!)}`)
  const command = r.command?.length ? ` -- ${r.command.map(quoted).join(' ')}` : ''
  return `ampacity run ${flags.join(' ')}${command}`
}

// A job file for `ampacity run -f job.yaml`: strings as JSON writes them, which YAML reads.
export function fileOf(r: JobRequest): string {
  const { job_class, ...rest } = r
  const lines = yaml({ ...rest, ...(job_class ? { class: job_class } : {}), image: r.image || 'IMAGE' }, '')
  return lines.join('\n') + '\n'
}

function yaml(of: object, indent: string): string[] {
  return Object.entries(of).flatMap(([k, v]) => {
    if (v === undefined || v === null) return []
    if (Array.isArray(v)) return [`${indent}${k}: [${v.map(scalar).join(', ')}]`]
    if (typeof v === 'object') return [`${indent}${k}:`, ...yaml(v as object, `${indent}  `)]
    return [`${indent}${k}: ${scalar(v)}`]
  })
}

function scalar(v: unknown): string {
  return typeof v === 'string' && /^[A-Za-z_][\w./:-]*$/.test(v) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(v) && !v.endsWith(':')
    ? v
    : JSON.stringify(v)
}
