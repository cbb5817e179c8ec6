// openid-client gets tokens after RFC 8414 discovery, by post and by Basic.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client from 'openid-client'
import { dev, statusOfBookings } from './servers.js'

const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }
const ways = { client_secret_post: client.ClientSecretPost, client_secret_basic: client.ClientSecretBasic }

for (const [name, way] of Object.entries(ways)) {
  test(`a token by ${name} opens the guarded API`, async () => {
    const secret = dev.client_secret
    const config = await client.discovery(new URL(dev.issuer), dev.client_id, undefined, way(secret), options)
    const answer = await client.clientCredentialsGrant(config, { scope: dev.scopes.join(' ') })
    // Not `expiresIn()`: that is what is left now, which may be a second less.
    assert.equal(answer.expires_in, 3600)
    assert.equal(await statusOfBookings(answer.access_token), 200)
  })
}
