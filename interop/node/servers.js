// Where the servers under test are, as run.py wrote it down.
import { readFileSync } from 'node:fs'

const path = process.env.GATEPOST_INTEROP
if (!path) throw new Error('GATEPOST_INTEROP is not set; run the suites with: make interop')
const described = JSON.parse(readFileSync(path, 'utf8'))

/** The program under test. */
export const gatepost = described.gatepost

/** The `gatepost dev` server, its demo client and its bookings API. */
export const dev = described.dev
dev.doors = { origin: dev.token_url, standard: dev.standard_token_url }
dev.scopes = Array.isArray(dev.scopes) ? dev.scopes : dev.scopes.split(' ')

/** The `gatepost serve` server with an API for each profile and algorithm. */
export const serve = { base: new URL(described.serve.public_url).origin, apis: described.serve.apis, data: described.serve.data }
serve.doors = { origin: `${serve.base}/api/oauth/token`, standard: `${serve.base}/oauth2/token` }

export const doors = ['origin', 'standard']
export const passportApi = serve.apis.find((api) => api.profile === 'passport')
export const rfc9068Apis = serve.apis.filter((api) => api.profile === 'rfc9068')

/** The status with which the guarded API answers this token. */
export async function statusOfBookings(token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {}
  const answer = await fetch(`${dev.api_url}/bookings`, { headers })
  await answer.arrayBuffer()
  return answer.status
}

/** A token by plain fetch, for tests whose subject is the verifier. */
export async function tokenFor(url, api) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: api.client_id,
    client_secret: api.client_secret,
  })
  const answer = await fetch(url, { method: 'POST', body })
  const content = await answer.json()
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(content)}`)
  return content.access_token
}
