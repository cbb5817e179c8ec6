// Tokens made of real ones: good, changed and left so, changed and signed again by a key of the API's own set.
import { createHmac } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'

const text = new TextEncoder()
const encoded = (value) => Buffer.from(value).toString('base64url')
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Numbers below a limit, always the same ones (mulberry32). */
export function seeded(seed) {
  return (limit) => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** One bit of one part flipped; the eighth bit of a letter would make it no ASCII. */
function flipped(part, below) {
  const bytes = Buffer.from(part)
  bytes[below(bytes.length)] ^= 1 << below(7)
  return bytes.toString('latin1')
}

/** Bit flips in each part of a token. */
export function* flips(token, below, count) {
  const [header, payload, signature] = token.split('.')
  for (let turn = 0; turn < count; turn++) {
    yield ['flip: header', `${flipped(header, below)}.${payload}.${signature}`]
    yield ['flip: claims', `${header}.${flipped(payload, below)}.${signature}`]
    yield ['flip: decoded signature', `${header}.${payload}.${flippedBytes(signature, below)}`]
  }
}

function flippedBytes(signature, below) {
  const bytes = Buffer.from(signature, 'base64url')
  bytes[below(bytes.length)] ^= 1 << below(8)
  return bytes.toString('base64url')
}

/** Other texts made of a token, and of another one of the same API, without its key. */
export function* forgeries(token, other, publicPem, below) {
  const [header, payload, signature] = token.split('.')
  const [, otherPayload, otherSignature] = other.split('.')
  const signed = `${header}.${payload}`
  const bytes = Buffer.from(signature, 'base64url')
  const named = (members) => encoded(JSON.stringify({ ...decodeProtectedHeader(token), ...members }))
  yield ['signature: of another token', `${signed}.${otherSignature}`]
  yield ["signature: with another token's claims", `${header}.${otherPayload}.${signature}`]
  yield ['signature: a byte short', `${signed}.${encoded(bytes.subarray(0, -1))}`]
  yield ['signature: a zero byte more', `${signed}.${encoded(Buffer.concat([bytes, Buffer.from([0])]))}`]
  yield ['signature: all zero', `${signed}.${encoded(Buffer.alloc(bytes.length))}`]
  yield ['signature: none', `${named({ alg: 'none' })}.${payload}.`]
  const keyed = `${named({ alg: 'HS256' })}.${payload}`
  yield ['signature: HMAC with the public key', `${keyed}.${createHmac('sha256', publicPem).update(keyed).digest('base64url')}`]
  yield ['spelling: signature padded', `${token}${'='.repeat((4 - (signature.length % 4)) % 4)}`]
  yield ['spelling: header padded', `${header}=.${payload}.${signature}`]
  yield ['spelling: claims padded', `${header}.${payload}=.${signature}`]
  const last = alphabet.indexOf(signature.at(-1))
  yield ['spelling: unused bits set', `${signed}.${signature.slice(0, -1)}${alphabet[last + 1]}`]
  const ordinary = signature.replaceAll('-', '+').replaceAll('_', '/')
  if (ordinary !== signature) yield ['spelling: signature in ordinary base64', `${signed}.${ordinary}`]
  yield ['spelling: a blank in the signature', `${signed}.${signature.slice(0, 9)} ${signature.slice(9)}`]
  yield ['spelling: a line break after the token', `${token}\n`]
  yield ['spelling: a blank before the token', ` ${token}`]
  yield ['text: two parts', signed]
  yield ['text: four parts', `${token}.${payload}`]
  yield ['text: an empty header', `.${payload}.${signature}`]
  yield ['text: empty claims', `${header}..${signature}`]
  yield ['text: cut off', token.slice(0, below(token.length - 1) + 1)]
  yield ['text: parts turned round', `${payload}.${header}.${signature}`]
}

const now = () => Math.floor(Date.now() / 1000)
const headerValues = {
  typ: ['JWT', 'AT+JWT', 'application/at+jwt', 'rt+jwt', '', 5, null, undefined],
  kid: ['other', '', 7, null, undefined],
  crit: [['exp'], ['b64'], [], 'exp', null],
  cty: ['JWT'],
  jku: ['https://evil.example/jwks'],
  jwk: [{ kty: 'oct', k: 'AAAA' }],
  x5c: [['AAAA']],
  zip: ['DEF'],
  enc: ['A128GCM'],
  x: [1, null, 'é'],
}
const claimValues = {
  iss: ['https://evil.example', '', null, 1, undefined],
  aud: ['https://evil.example', '', [], null, 1, undefined],
  sub: ['', null, 1, undefined],
  client_id: ['', null, 1, 'unknown', undefined],
  jti: ['', null, 1, undefined],
  scope: ['', null, 1, ['a'], ' a', 'a  b', 'a"b', undefined],
  exp: [-1, 0, '4102444800', null, true, {}, 4102444800, 1e300, undefined],
  nbf: [-1, 0, '1', null, [], 4102444800, undefined],
  iat: [-1, '1', null, 4102444800, undefined],
  cnf: [{ jkt: 'AAAA' }],
  scopes: [['a']],
  x: [null, 1.5, 'é', '\u0007'],
}

/** Changes to one member of the header or the claims; `undefined` takes it out. */
export function* changes(issuer, audience) {
  for (const [member, values] of Object.entries(headerValues)) {
    for (const value of values) yield changed('header', member, value)
  }
  for (const [member, values] of Object.entries(claimValues)) {
    for (const value of values) yield changed('claims', member, value)
  }
  yield { kind: 'claims: iss in a list', half: 'claims', member: 'iss', value: [issuer] }
  yield { kind: 'claims: iss with a slash more', half: 'claims', member: 'iss', value: `${issuer}/` }
  yield { kind: 'claims: aud in a list', half: 'claims', member: 'aud', value: [audience] }
  yield { kind: 'claims: aud among others', half: 'claims', member: 'aud', value: ['https://evil.example', audience] }
  yield { kind: 'claims: aud among numbers', half: 'claims', member: 'aud', value: [1, audience] }
  for (const [kind, member, offset] of [
    ['expired within the leeway', 'exp', -20],
    ['expired before the leeway', 'exp', -120],
    ['not yet valid within the leeway', 'nbf', 20],
    ['not yet valid beyond the leeway', 'nbf', 120],
    ['issued within the leeway', 'iat', 20],
    ['issued beyond the leeway', 'iat', 120],
    ['expiry with a fraction', 'exp', 600.5],
  ]) yield { kind: `claims: ${kind}`, half: 'claims', member, value: now() + offset }
}

function changed(half, member, value) {
  const said = value === undefined ? 'removed' : JSON.stringify(value)
  return { kind: `${half}: ${member} ${said}`, half, member, value }
}

/** A token of these members, with one change, signed by the right key. */
export function resigned(key, header, claims, change) {
  const half = change && { [change.member]: change.value }
  const members = { header: { ...header, ...(change?.half === 'header' && half) }, claims: { ...claims, ...(change?.half === 'claims' && half) } }
  return signedText(key, JSON.stringify(members.header), JSON.stringify(members.claims))
}

/** Documents that JSON.stringify does not write, signed by the right key. */
export async function* documents(key, header, claims) {
  const [head, body] = [header, claims].map((members) => JSON.stringify(members))
  const again = (json, more) => `${json.slice(0, -1)},${more}}`
  for (const [kind, headerText, claimsText] of [
    ['header: kid again', again(head, `"kid":${JSON.stringify(header.kid)}`), body],
    ['header: x again', again(head, '"x":1,"x":2'), body],
    ['claims: sub again', head, again(body, `"sub":${JSON.stringify(claims.sub)}`)],
    ['claims: exp again', head, again(body, `"\\u0065xp":${claims.exp}`)],
    ['claims: an array', head, `[${body}]`],
    ['claims: a text', head, JSON.stringify(body)],
    ['claims: cut off', head, body.slice(0, -1)],
    ['claims: followed by more', head, `${body}{}`],
    ['claims: between white space', head, ` \r\n${body}\t`],
    ['claims: after a byte order mark', head, `\ufeff${body}`],
  ]) yield [kind, await signedText(key, headerText, claimsText)]
}

/** A token whose signature begins with a zero byte, without that byte: the same number, in too few octets. */
export async function leadingZeroLeftOut(key, header, claims) {
  for (let turn = 0; ; turn++) {
    const [head, body, signature] = (await resigned(key, header, { ...claims, jti: `zero-${turn}` })).split('.')
    const bytes = Buffer.from(signature, 'base64url')
    // One of 256 begins so.
    if (bytes[0] === 0) return ['signature: a leading zero left out', `${head}.${body}.${encoded(bytes.subarray(1))}`]
  }
}

/** The raw signature by the library's own key, of texts that its signer would refuse to write. */
async function signedText(key, headerText, claimsText) {
  const input = `${encoded(headerText)}.${encoded(claimsText)}`
  const signature = await crypto.subtle.sign(key.way, key.privateKey, text.encode(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

/** How the platform signs what JOSE calls by these names. */
export const ways = {
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
}
