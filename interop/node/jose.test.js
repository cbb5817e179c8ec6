// jose verifies tokens of both profiles with the keys that a resource server is given.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, importSPKI, jwtVerify } from 'jose'
import { doors, passportApi, rfc9068Apis, serve, tokenFor } from './servers.js'

const joint = () => createRemoteJWKSet(new URL(`${serve.base}/.well-known/jwks.json`))
const ofApi = (api) => createRemoteJWKSet(new URL(`${serve.base}/.well-known/jwks/${api.name}.json`))

function checkPassport({ payload, protectedHeader }) {
  assert.deepEqual(protectedHeader, { typ: 'JWT', alg: 'RS256' })
  const names = ['aud', 'jti', 'iat', 'nbf', 'exp', 'sub', 'scopes', 'user_id', 'partner_id', 'is_test']
  assert.deepEqual(Object.keys(payload), names)
  assert.match(payload.jti, /^[0-9a-f]{80}$/)
  assert.equal(payload.sub, '')
  assert.deepEqual(payload.scopes, [passportApi.scope])
}

// jose reads its clock in whole seconds, and a passport token is valid from a microsecond on: within its first
// second it would be "not yet valid" without a tolerance of one second.
const passport = { typ: 'JWT', algorithms: ['RS256'], audience: passportApi.client_id, clockTolerance: 1 }

for (const door of doors) {
  test(`a passport token of the ${door} door verifies by the exported PEM`, async () => {
    const key = await importSPKI(passportApi.public_key, 'RS256')
    checkPassport(await jwtVerify(await tokenFor(serve.doors[door], passportApi), key, passport))
  })

  test(`a passport token of the ${door} door verifies by the single-key document`, async () => {
    checkPassport(await jwtVerify(await tokenFor(serve.doors[door], passportApi), ofApi(passportApi), passport))
  })

  for (const api of rfc9068Apis) {
    for (const [name, keys] of Object.entries({ 'joint document': joint(), "API's document": ofApi(api) })) {
      test(`an ${api.alg} token of the ${door} door verifies by the ${name}`, async () => {
        const token = await tokenFor(serve.doors[door], api)
        const { payload, protectedHeader } = await jwtVerify(token, keys, {
          typ: 'at+jwt',
          algorithms: [api.alg],
          issuer: serve.base,
          audience: api.audience,
          requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
        })
        assert.equal(protectedHeader.kid.length, 43)
        assert.equal(payload.sub, api.client_id)
        assert.equal(payload.client_id, api.client_id)
        assert.equal(payload.scope, api.scope)
        assert.ok(Number.isInteger(payload.iat) && Number.isInteger(payload.exp))
      })
    }
  }
}

test('a changed token is refused', async () => {
  const [header, payload, signature] = (await tokenFor(serve.doors.standard, rfc9068Apis[0])).split('.')
  const changed = `${header}.${payload}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`
  await assert.rejects(jwtVerify(changed, joint()), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
})

test("another API's audience is refused", async () => {
  const token = await tokenFor(serve.doors.standard, rfc9068Apis[0])
  const options = { audience: rfc9068Apis[1].audience }
  await assert.rejects(jwtVerify(token, joint(), options), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
})
