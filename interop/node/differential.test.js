// Thousands of tokens, good and mutated, get the same verdict from introspection and from jose, or the difference is argued.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, exportJWK, exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify } from 'jose'
import { ARGUED } from './differential_argued.js'
import { changes, documents, flips, forgeries, leadingZeroLeftOut, resigned, seeded, ways } from './differential_tokens.js'
import { gatepost, passportApi, rfc9068Apis, serve, tokenFor } from './servers.js'

const LEEWAY = 60
const AT_ONCE = 16
const found = new Map()
const counts = { valid: 0, refused: 0, differing: 0 }
let folder

before(async () => { folder = await mkdtemp(join(tmpdir(), 'gatepost-differential-')) })
after(() => rm(folder, { recursive: true }))

async function command(...words) {
  const { stdout } = await promisify(execFile)(gatepost, [...words, '--data', serve.data, '--json'])
  return JSON.parse(stdout)
}

/** Introspection with a new secret of this API's. */
async function introspection(api) {
  const { api_id } = await command('api', 'show', api.name)
  const { api_secret } = await command('api', 'secret', 'add', api.name)
  const authorization = `Basic ${Buffer.from(`${api_id}:${api_secret}`).toString('base64')}`
  return async (token) => {
    const body = new URLSearchParams({ token })
    const answer = await fetch(`${serve.base}/oauth2/introspect`, { method: 'POST', headers: { authorization }, body })
    const content = await answer.json()
    assert.equal(answer.status, 200, JSON.stringify(content))
    return content.active
  }
}

function byJose(key, options) {
  return (token) => jwtVerify(token, key, { ...options, clockTolerance: LEEWAY }).then(() => true, () => false)
}

/** Waits until a good token passes, for a running server takes up what a command changed a moment later. */
async function soonActive(isActive, token) {
  const deadline = Date.now() + 10_000
  while (!(await isActive(token).catch(() => false))) assert.ok(Date.now() < deadline, 'a good token is not active')
}

/** Asks both about each token and keeps the verdicts by the tokens' kind. */
async function judge(tokens, ours, theirs) {
  const waiting = tokens[Symbol.iterator]()
  const worker = async () => {
    for (const [kind, token] of waiting) {
      const verdicts = `${word(await ours(token))} here, ${word(await theirs(token))} there`
      found.set(kind, (found.get(kind) ?? new Set()).add(verdicts))
      counts[{ 'valid here, valid there': 'valid', 'refused here, refused there': 'refused' }[verdicts] ?? 'differing'] += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

const word = (verdict) => (verdict ? 'valid' : 'refused')

async function real(api, count) {
  return Promise.all(Array.from({ length: count }, () => tokenFor(serve.doors.standard, api)))
}

function mutated(tokens, publicPem, below) {
  const made = tokens.map((token) => ['good', token])
  tokens.forEach((token, index) => {
    made.push(...forgeries(token, tokens.at(index - 1), publicPem, below), ...flips(token, below, 6))
  })
  return made
}

test('passport tokens', async () => {
  const isActive = await introspection(passportApi)
  const key = await importSPKI(passportApi.public_key, 'RS256')
  const tokens = await real(passportApi, 10)
  await soonActive(isActive, tokens[0])
  const options = { typ: 'JWT', algorithms: ['RS256'], audience: passportApi.client_id, requiredClaims: ['exp', 'iat', 'jti'] }
  await judge(mutated(tokens, passportApi.public_key, seeded(1)), isActive, byJose(key, options))
})

for (const [index, api] of rfc9068Apis.entries()) {
  test(`${api.alg} tokens`, async () => {
    const isActive = await introspection(api)
    const { publicKey, privateKey } = await generateKeyPair(api.alg, { extractable: true })
    const file = join(folder, `${api.alg}.pem`)
    await writeFile(file, await exportPKCS8(privateKey))
    await command('key', 'import', '--api', api.name, '--pem-file', file)

    const tokens = await real(api, 10)
    const header = { typ: 'at+jwt', alg: api.alg, kid: await calculateJwkThumbprint(await exportJWK(publicKey)) }
    const issued = decodeJwt(tokens[0])
    // Issued a while ago, so that a token that has just expired still has its dates in order.
    const claims = { ...issued, iat: issued.iat - 300, nbf: issued.iat - 300 }
    const key = { privateKey, way: ways[api.alg] }
    await soonActive(isActive, await resigned(key, header, claims))
    const published = await (await fetch(`${serve.base}/.well-known/jwks/${api.name}.json`)).json()
    const options = { typ: 'at+jwt', algorithms: [api.alg], issuer: serve.base, audience: api.audience }
    const theirs = byJose(createLocalJWKSet(published), { ...options, requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'] })

    const made = mutated(tokens, await exportSPKI(publicKey), seeded(index + 2))
    for (let turn = 0; turn < 10; turn++) made.push(['good', await resigned(key, header, { ...claims, jti: `again-${turn}` })])
    for (const change of changes(serve.base, api.audience)) made.push([change.kind, await resigned(key, header, claims, change)])
    for await (const document of documents(key, header, claims)) made.push(document)
    if (api.alg === 'PS256') made.push(await leadingZeroLeftOut(key, header, claims))
    await judge(made, isActive, theirs)
  })
}

test('every verdict is the same, or the difference is argued', (context) => {
  const complaints = []
  const argued = new Map(ARGUED.flatMap(({ kinds, verdicts, reason }) => kinds.map((kind) => [kind, { verdicts, reason }])))
  for (const [kind, set] of found) {
    const verdicts = [...set].sort().join('; ')
    const alike = [...set].every((pair) => ['valid here, valid there', 'refused here, refused there'].includes(pair))
    const argument = argued.get(kind)
    if (argument ? argument.verdicts !== verdicts : !alike) complaints.push(`${kind}: ${verdicts}`)
  }
  for (const kind of argued.keys()) if (!found.has(kind)) complaints.push(`${kind}: argued, but no such token was made`)
  context.diagnostic(`${found.size} kinds: ${JSON.stringify(counts)}`)
  assert.deepEqual(complaints, [])
  assert.deepEqual([...found.get('good')], ['valid here, valid there'])
  assert.ok(counts.valid + counts.refused + counts.differing >= 2000, JSON.stringify(counts))
})
