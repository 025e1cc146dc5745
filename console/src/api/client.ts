// The API as the OpenAPI document types it: get('/v1/jobs/{job}', …), send('post', …).
// A refusal is thrown as a Problem, whatever cut the connection as a Problem of status 0.
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Id = string

type Json<R> = R extends { content: { 'application/json': infer B } } ? B : undefined
type Ok<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 | 204 ? Json<R[S]> : never }[keyof R]
  : never
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : undefined
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : never

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never
}[keyof paths]
export type Operation<M extends Method, P extends keyof paths> = M extends keyof paths[P] ? paths[P][M] : never
export type Answer<M extends Method, P extends keyof paths> = Ok<Operation<M, P>>
export type Sent<M extends Method, P extends keyof paths> = Body<Operation<M, P>>

export interface Where<M extends Method, P extends keyof paths> {
  path?: Record<string, string>
  query?: Query<Operation<M, P>>
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly body: Partial<Schemas['Problem']>,
  ) {
    super(body.detail ?? body.title ?? `status ${status}`)
    this.name = 'Problem'
  }
  // What is wrong with a field: wrong('resources.gpus').
  wrong(field: string): string | undefined {
    return this.body.wrong?.find((w) => w.field === field)?.message
  }
}

export function address(path: string, where: { path?: Record<string, string>; query?: object } = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(where.path?.[name] ?? ''))
  const query = new URLSearchParams()
  for (const [k, v] of Object.entries(where.query ?? {})) if (v !== undefined && v !== '') query.set(k, String(v))
  const text = query.toString()
  return text ? `${filled}?${text}` : filled
}

// Told whenever the server says that nobody is signed in (any more).
let onSignedOut = () => {}
export function whenSignedOut(f: () => void) {
  onSignedOut = f
}

async function call(method: string, url: string, body?: unknown, idempotency?: string, signal?: AbortSignal) {
  const headers: Record<string, string> = { 'Ampacity-Console': '1' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (idempotency) headers['Idempotency-Key'] = idempotency
  let response: Response
  try {
    response = await fetch(url, {
      method: method.toUpperCase(),
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    })
  } catch (e) {
    if (signal?.aborted) throw e
    throw new Problem(0, { code: 'unavailable' })
  }
  if (response.ok) return response.status === 204 ? undefined : response.json()
  const problem = await response.json().catch(() => ({}))
  if (response.status === 401) onSignedOut()
  throw new Problem(response.status, problem)
}

export function get<P extends PathOf<'get'>>(path: P, where?: Where<'get', P>, signal?: AbortSignal) {
  return call('get', address(path, where), undefined, undefined, signal) as Promise<Answer<'get', P>>
}

// `idempotency`: the same for each try of one intent, so that a repeat changes nothing.
export function send<M extends Exclude<Method, 'get'>, P extends PathOf<M>>(
  method: M,
  path: P,
  where: Where<M, P> & { body?: Sent<M, P>; idempotency?: string } = {},
) {
  return call(method, address(path, where as Parameters<typeof address>[1]), where.body, where.idempotency) as Promise<Answer<M, P>>
}
