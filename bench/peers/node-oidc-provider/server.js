// node-oidc-provider with one client of client_credentials, in memory, whose tokens are RS256 JWTs of the measured key.
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { Provider } from 'oidc-provider'

const bits = Number(process.env.BITS ?? 4096)
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
const jwk = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export({ format: 'jwk' })
const secret = randomBytes(30).toString('base64url')
const audience = 'https://api.example'

const provider = new Provider('http://127.0.0.1', {
  clients: [
    {
      client_id: 'bench',
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'bench:read',
    },
  ],
  scopes: ['bench:read'],
  jwks: { keys: [{ ...jwk, use: 'sig', alg: 'RS256' }] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({
        scope: 'bench:read',
        audience,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
})

const server = provider.listen(0, '127.0.0.1', () => {
  const address = `127.0.0.1:${server.address().port}`
  const ready = { address, token: '/token', keys: '/jwks', client_id: 'bench', client_secret: secret }
  process.stdout.write(`${JSON.stringify(ready)}\n`)
})
