// An OpenID Connect provider for the tests: panva's oidc-provider, with people and their groups, and
// with logins for whom it tells lies that a client must not believe. Prints its issuer; ends when
// its standard input does.
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { createServer } from 'node:http'

import Provider from 'oidc-provider'

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
const key = { ...pair(), kid: 'of-the-tests', alg: 'RS256', use: 'sig' }
const strangers = pair()

const people = {
  olga: { groups: ['admins'] },
  ann: { groups: ['ml', 'runners'] },
  una: { groups: ['ml'], email_verified: false },
}
const now = () => Math.floor(Date.now() / 1000)
const lies = {
  late: (claims) => ({ ...claims, iat: now() - 500, exp: now() - 300 }),
  audience: (claims) => ({ ...claims, aud: 'another-client' }),
  nonce: (claims) => ({ ...claims, nonce: randomUUID() }),
  issuer: (claims) => ({ ...claims, iss: 'https://evil.example' }),
  forged: (claims) => claims, // by another key of the same name
}

const base64url = (value) => Buffer.from(value).toString('base64url')
function signed(claims, jwk) {
  const text = `${base64url(JSON.stringify({ alg: 'RS256', kid: key.kid, typ: 'JWT' }))}.${base64url(JSON.stringify(claims))}`
  return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey({ key: jwk, format: 'jwk' })).toString('base64url')}`
}

const page = `<!doctype html><html lang="en"><title>Example ID</title>
<form method="post"><label>Who are you? <input name="login" autofocus></label> <button>Continue</button></form>`

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'ampacity',
        client_secret: process.env.AMPACITY_OIDC_CLIENT_SECRET,
        application_type: 'native', // any port on loopback
        redirect_uris: ['http://127.0.0.1/v1/session/oidc/back'],
        grant_types: ['authorization_code'],
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: [randomUUID()] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
    async findAccount(_, id) {
      const claims = () => ({ sub: id, email: `${id}@example.org`, email_verified: true, groups: [], ...people[id] })
      return { accountId: id, claims }
    },
    async loadExistingGrant(ctx) {
      const { Grant } = ctx.oidc.provider
      const grant = new Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
      grant.addOIDCScope('openid email groups')
      await grant.save()
      return grant
    },
  })
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.path !== '/token' || !ctx.body?.id_token) return
    const claims = JSON.parse(Buffer.from(ctx.body.id_token.split('.')[1], 'base64url'))
    if (lies[claims.sub]) ctx.body.id_token = signed(lies[claims.sub](claims), claims.sub === 'forged' ? strangers : key)
  })
  const rest = provider.callback()
  server.on('request', async (request, response) => {
    if (request.url === '/favicon.ico') return response.writeHead(204).end()
    if (!request.url.startsWith('/login/')) return rest(request, response)
    if (request.method === 'GET') return response.setHeader('Content-Type', 'text/html').end(page)
    let body = ''
    for await (const piece of request) body += piece
    const accountId = new URLSearchParams(body).get('login')
    await provider.interactionFinished(request, response, { login: { accountId }, consent: {} })
  })
  console.log(issuer)
})
process.stdin.on('end', () => process.exit(0)).resume()
