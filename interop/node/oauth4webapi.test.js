// oauth4webapi finds the standard door by discovery and gets tokens by post and by Basic at both doors.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { dev, doors, statusOfBookings } from './servers.js'

const plain = { [oauth.allowInsecureRequests]: true } // the servers under test speak HTTP on 127.0.0.1
const client = { client_id: dev.client_id }
const ways = { client_secret_post: oauth.ClientSecretPost, client_secret_basic: oauth.ClientSecretBasic }

async function discovered() {
  const issuer = new URL(dev.issuer)
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain })
  return oauth.processDiscoveryResponse(issuer, answer)
}

async function serverAt(door) {
  const server = await discovered()
  return door === 'standard' ? server : { ...server, token_endpoint: dev.doors[door] }
}

async function tokenBy(server, way, secret, parameters = {}) {
  const answer = await oauth.clientCredentialsGrantRequest(server, client, way(secret), parameters, plain)
  return oauth.processClientCredentialsResponse(server, client, answer)
}

test('discovery names the standard door and the methods that it takes', async () => {
  const server = await discovered()
  assert.equal(server.issuer, dev.issuer)
  assert.equal(server.token_endpoint, dev.doors.standard)
  for (const method of Object.keys(ways)) assert.ok(server.token_endpoint_auth_methods_supported.includes(method))
  assert.ok(server.grant_types_supported.includes('client_credentials'))
})

for (const door of doors) {
  for (const [name, way] of Object.entries(ways)) {
    test(`a token of the ${door} door by ${name} opens the guarded API`, async () => {
      const answer = await tokenBy(await serverAt(door), way, dev.client_secret)
      assert.equal(answer.token_type, 'bearer')
      assert.equal(answer.expires_in, 3600)
      assert.equal(await statusOfBookings(answer.access_token), 200)
    })

    test(`a wrong secret at the ${door} door by ${name} is refused with 401`, async () => {
      await assert.rejects(tokenBy(await serverAt(door), way, 'not-the-secret'), (refusal) => {
        // A challenge is reported as such; an answer without one as the error of its body.
        assert.equal(refusal.status, 401)
        assert.ok(refusal instanceof oauth.WWWAuthenticateChallengeError || refusal.error === 'invalid_client')
        return true
      })
    })
  }

  test(`an unknown scope at the ${door} door is told as invalid_scope`, async () => {
    const asked = tokenBy(await serverAt(door), ways.client_secret_post, dev.client_secret, { scope: 'no:such:scope' })
    await assert.rejects(asked, { error: 'invalid_scope', status: 400 })
  })
}
