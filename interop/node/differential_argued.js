// Where each difference between introspection's verdicts and jose's is argued; all are stricter here.
const stricter = (reason, ...kinds) => ({ kinds, verdicts: 'refused here, valid there', reason })

export const ARGUED = [
  stricter(
    'jose reads base64 by the platform, which forgives padding, white space and unused bits; RFC 7515 section 2 has one spelling',
    'spelling: signature padded', 'spelling: unused bits set', 'spelling: a line break after the token', 'spelling: a blank in the signature',
  ),
  stricter(
    'jose ignores parameters that bring a key along or change what the token is; here none is ever looked into (RFC 8725 section 3.10)',
    'header: cty "JWT"', 'header: jwk {"kty":"oct","k":"AAAA"}', 'header: jku "https://evil.example/jwks"', 'header: x5c ["AAAA"]',
    'header: zip "DEF"', 'header: enc "A128GCM"',
  ),
  stricter(
    'jose asks only whether these claims are there; RFC 9068 section 2.2 has them say who and which, as texts',
    'claims: sub ""', 'claims: sub null', 'claims: sub 1', 'claims: client_id ""', 'claims: client_id null', 'claims: client_id 1',
    'claims: jti ""', 'claims: jti null', 'claims: jti 1',
  ),
  stricter(
    'jose does not read scopes; RFC 6749 section 3.3 has texts of visible ASCII between single blanks, and rfc9068 has no list',
    'claims: scope null', 'claims: scope 1', 'claims: scope ["a"]', 'claims: scope " a"', 'claims: scope "a  b"', 'claims: scope "a\\"b"',
    'claims: scopes ["a"]',
  ),
  stricter(
    'jose has no longest lifetime unless asked; a token that would live longer than 24 hours was not issued here',
    'claims: exp 4102444800', 'claims: exp 1e+300', 'claims: iat -1',
  ),
  stricter(
    'jose judges iat only with maxTokenAge; a token from the future was made by nobody (RFC 9068 has iat say when it was issued)',
    'claims: iat 4102444800', 'claims: issued beyond the leeway',
  ),
  stricter('RFC 7519 allows a fraction; the dates of rfc9068 tokens are whole seconds here', 'claims: expiry with a fraction'),
  stricter('jose ignores cnf; a bound token must not pass as a bearer token (RFC 7800 section 3.1)', 'claims: cnf {"jkt":"AAAA"}'),
  stricter('control characters are refused in any text, because claims end up in logs and headers', 'claims: x "\\u0007"'),
  stricter('RFC 7519 section 4.1.3 has an audience of texts alone; jose looks for its own among anything', 'claims: aud among numbers'),
  stricter(
    'JSON.parse keeps the last of repeated members, other readers the first: one token, two meanings (RFC 8725 section 2.6)',
    'header: x again', 'header: kid again', 'claims: exp again', 'claims: sub again',
  ),
  stricter(
    'the platform takes a PSS signature of fewer octets than the modulus has, if the number is right; RFC 8017 section 8.1.2 refuses it',
    'signature: a leading zero left out',
  ),
  stricter('the platform drops a byte order mark; RFC 8259 section 8.1 has none', 'claims: after a byte order mark'),
]
