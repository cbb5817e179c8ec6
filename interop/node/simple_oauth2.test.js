// simple-oauth2 gets tokens at both doors with each way that it can send the credentials.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientCredentials } from 'simple-oauth2'
import { dev, doors, statusOfBookings } from './servers.js'

const ways = {
  'Basic, percent-encoded': { authorizationMethod: 'header', credentialsEncodingMode: 'strict' },
  'Basic, as is': { authorizationMethod: 'header', credentialsEncodingMode: 'loose' },
  'form body': { authorizationMethod: 'body', bodyFormat: 'form' },
  'JSON body': { authorizationMethod: 'body', bodyFormat: 'json' },
}

function clientAt(door, options, secret = dev.client_secret) {
  const url = new URL(dev.doors[door])
  return new ClientCredentials({
    client: { id: dev.client_id, secret },
    auth: { tokenHost: url.origin, tokenPath: url.pathname },
    options,
  })
}

for (const door of doors) {
  for (const [way, options] of Object.entries(ways)) {
    test(`a token of the ${door} door by ${way} opens the guarded API`, async () => {
      const { token } = await clientAt(door, options).getToken({})
      assert.equal(token.token_type, 'Bearer')
      assert.equal(token.expires_in, 3600)
      assert.equal(await statusOfBookings(token.access_token), 200)
    })

    test(`a wrong secret at the ${door} door by ${way} is told as invalid_client`, async () => {
      await assert.rejects(clientAt(door, options, 'not the secret').getToken({}), (refusal) => {
        assert.equal(refusal.output.statusCode, 401)
        assert.equal(refusal.data.payload.error, 'invalid_client')
        return true
      })
    })
  }

  test(`one scope can be asked for at the ${door} door`, async () => {
    const { token } = await clientAt(door, ways['form body']).getToken({ scope: dev.scopes.slice(0, 1) })
    assert.equal(await statusOfBookings(token.access_token), 200)
  })
}
