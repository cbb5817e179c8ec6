// oauth4webapi and openid-client sign assertions with keys of each algorithm, named and unnamed, and get tokens by them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { exportJWK, exportSPKI, generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { gatepost, rfc9068Apis, serve } from './servers.js'

const plain = { [oauth.allowInsecureRequests]: true } // the servers under test speak HTTP on 127.0.0.1
const options = { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] }
const algorithms = ['RS256', 'PS256', 'ES256']
let folder

before(async () => { folder = await mkdtemp(join(tmpdir(), 'gatepost-keys-')) })
after(() => rm(folder, { recursive: true }))

/** Gives a client a public key by the command line, as its operator would; the way to take it away again. */
async function added(client, flag, name, text, more = []) {
  const file = join(folder, name)
  await writeFile(file, text)
  const run = (...words) => promisify(execFile)(gatepost, ['client', 'key', ...words, '--data', serve.data, '--json'])
  const { stdout } = await run('add', client, flag, file, ...more)
  return () => run('remove', client, JSON.parse(stdout).key_id, '--force')
}

async function discovered() {
  const issuer = new URL(serve.base)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }))
}

async function tokenBy(server, client_id, way) {
  const client = { client_id }
  const answer = await oauth.clientCredentialsGrantRequest(server, client, way, {}, plain)
  return oauth.processClientCredentialsResponse(server, client, answer)
}

/** The token, as soon as the running server has taken up what the command changed. */
async function soon(ask) {
  const deadline = Date.now() + 5000
  for (;;) {
    try {
      return await ask()
    } catch (refusal) {
      if (refusal.status !== 401 || Date.now() > deadline) throw refusal
    }
  }
}

test('the metadata offer private_key_jwt and its algorithms', async () => {
  const server = await discovered()
  assert.ok(server.token_endpoint_auth_methods_supported.includes('private_key_jwt'))
  for (const alg of algorithms) assert.ok(server.token_endpoint_auth_signing_alg_values_supported.includes(alg))
})

for (const [index, alg] of algorithms.entries()) {
  const client_id = rfc9068Apis[index].client_id

  test(`an ${alg} key given as PEM lets both libraries in, whatever they call it`, async () => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const remove = await added(client_id, '--pem-file', `${alg}.pem`, await exportSPKI(publicKey), ['--alg', alg])
    const server = await discovered()
    const unnamed = await soon(() => tokenBy(server, client_id, oauth.PrivateKeyJwt(privateKey)))
    assert.equal(unnamed.token_type, 'bearer')
    await tokenBy(server, client_id, oauth.PrivateKeyJwt({ key: privateKey, kid: 'mine' }))

    const way = openid.PrivateKeyJwt(privateKey)
    const config = await openid.discovery(new URL(serve.base), client_id, undefined, way, options)
    assert.ok((await openid.clientCredentialsGrant(config)).access_token)
    await remove()
  })
}

test('a key given as JWK is found by its kid and by no other', async () => {
  const client_id = rfc9068Apis[0].client_id
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = JSON.stringify({ ...(await exportJWK(publicKey)), kid: '2026-11', alg: 'ES256' })
  const remove = await added(client_id, '--jwk-file', 'key.json', jwk)
  const server = await discovered()
  await soon(() => tokenBy(server, client_id, oauth.PrivateKeyJwt({ key: privateKey, kid: '2026-11' })))
  await assert.rejects(tokenBy(server, client_id, oauth.PrivateKeyJwt({ key: privateKey, kid: 'other' })), { status: 401 })
  await remove()
})
