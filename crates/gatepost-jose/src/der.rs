//! This file is where the few DER structures of RSA keys are read and written (X.690, RFC 8017 appendix A.1, RFC 5280).

#[cfg(feature = "multi-prime")]
use zeroize::Zeroizing;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;

/// AlgorithmIdentifier of rsaEncryption with its NULL.
const RSA_ENCRYPTION: [u8; 13] =
    [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Modulus and exponent of an RSAPublicKey, big-endian without leading zeros.
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, rest) = element(SEQUENCE, der)?;
    let (n, after) = element(INTEGER, body)?;
    let (e, end) = element(INTEGER, after)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    Some((magnitude(n)?, magnitude(e)?))
}

/// The RSAPublicKey inside a SubjectPublicKeyInfo.
pub(crate) fn rsa_spki(der: &[u8]) -> Option<&[u8]> {
    let (body, rest) = element(SEQUENCE, der)?;
    let (algorithm, after) = element(SEQUENCE, body)?;
    let (bits, end) = element(BIT_STRING, after)?;
    if !rest.is_empty() || !end.is_empty() || algorithm != RSA_ENCRYPTION {
        return None;
    }
    // The first byte counts unused bits; a whole DER structure leaves none.
    bits.strip_prefix(&[0])
}

/// The RSAPrivateKey inside a PrivateKeyInfo (RFC 5958).
pub(crate) fn rsa_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let (body, _) = element(SEQUENCE, der)?;
    let (_version, after) = element(INTEGER, body)?;
    let (algorithm, after) = element(SEQUENCE, after)?;
    let (inner, _) = element(OCTET_STRING, after)?;
    (algorithm == RSA_ENCRYPTION).then_some(inner)
}

/// Of how many primes an RSAPrivateKey says that it is (RFC 8017 appendix A.1.2).
pub(crate) fn rsa_primes(der: &[u8]) -> Option<usize> {
    /// n, e, d, p, q, and the two exponents and the coefficient that follow from them.
    const OF_TWO: usize = 8;
    let (body, _) = element(SEQUENCE, der)?;
    let (version, mut rest) = element(INTEGER, body)?;
    for _ in 0..OF_TWO {
        (_, rest) = element(INTEGER, rest)?;
    }
    match version {
        [0] => Some(2),
        [1] => {
            let (mut infos, _) = element(SEQUENCE, rest)?;
            let mut count = 2_usize;
            while !infos.is_empty() {
                (_, infos) = element(SEQUENCE, infos)?;
                count = count.saturating_add(1);
            }
            Some(count)
        }
        _ => None,
    }
}

/// A positive INTEGER from its big-endian bytes.
#[cfg(feature = "multi-prime")]
pub(crate) fn integer(magnitude: &[u8]) -> Zeroizing<Vec<u8>> {
    let sign = magnitude.first().is_none_or(|first| *first >= 0x80);
    let length = magnitude.len().saturating_add(usize::from(sign));
    let mut written = head(INTEGER, length);
    written.extend(sign.then_some(0));
    written.extend_from_slice(magnitude);
    written
}

/// A SEQUENCE of elements that are written already.
#[cfg(feature = "multi-prime")]
pub(crate) fn sequence(parts: &[Zeroizing<Vec<u8>>]) -> Zeroizing<Vec<u8>> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut written = head(SEQUENCE, length);
    for part in parts {
        written.extend_from_slice(part);
    }
    written
}

/// Tag and length, with room for the content, so that no half of it stays behind in memory.
#[cfg(feature = "multi-prime")]
fn head(tag: u8, length: usize) -> Zeroizing<Vec<u8>> {
    let mut written = Zeroizing::new(Vec::with_capacity(length.saturating_add(8)));
    written.push(tag);
    let bytes = length.to_be_bytes();
    let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    if length >= 0x80 {
        written.push(0x80 | u8::try_from(significant.len()).unwrap_or(0x7f));
    }
    written.extend(if length == 0 { vec![0] } else { significant });
    written
}

/// The content of one element with this tag, and what follows it.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = input.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = length(rest)?;
    rest.split_at_checked(length)
}

/// A definite length in its shortest form, up to two bytes: no RSA key needs more.
fn length(input: &[u8]) -> Option<(usize, &[u8])> {
    match input {
        [short @ 0..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, byte @ 0x80..=0xff, rest @ ..] => Some((usize::from(*byte), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}

/// A positive INTEGER without its sign byte.
fn magnitude(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
        [1..=0x7f, ..] => Some(integer),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An RSAPrivateKey in which the lowest bits of one INTEGER are changed, counted from the version on.
    #[cfg(feature = "multi-prime")]
    pub(crate) fn with_changed_number(der: &[u8], index: usize) -> Vec<u8> {
        let (body, _) = element(SEQUENCE, der).unwrap();
        let mut rest = body;
        for _ in 0..=index {
            (_, rest) = element(INTEGER, rest).unwrap();
        }
        let mut changed = der.to_vec();
        let last = der.len() - rest.len() - 1;
        changed[last] ^= 2;
        changed
    }

    #[test]
    #[cfg(feature = "multi-prime")]
    fn what_is_written_is_read() {
        let long = [0x81; 300];
        for magnitude in [&[1][..], &[0x80], &[0x7f, 1], &long[..127], &long[..128], &long] {
            let written = sequence(&[integer(magnitude), integer(&[3])]);
            assert_eq!(rsa_public_key(&written), Some((magnitude, &[3][..])));
        }
        assert_eq!(*integer(&[]), [2, 1, 0]);
        assert_eq!(*sequence(&[]), [0x30, 0]);
    }

    #[test]
    fn the_primes_of_a_private_key_are_counted() {
        let numbers = [0x02, 0x01, 0x03].repeat(8);
        let key = |version: u8, infos: &[u8]| {
            let body = [&[0x02, 0x01, version][..], &numbers, infos].concat();
            [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
        };
        assert_eq!(rsa_primes(&key(0, &[])), Some(2));
        assert_eq!(rsa_primes(&key(1, &[0x30, 0x04, 0x30, 0x00, 0x30, 0x00])), Some(4));
        assert_eq!(rsa_primes(&key(1, &[0x30, 0x02, 0x30, 0x00])), Some(3));
        assert_eq!(rsa_primes(&key(1, &[])), None);
        assert_eq!(rsa_primes(&key(2, &[])), None);
        assert_eq!(rsa_primes(&key(1, &[0x30, 0x02, 0x02, 0x00])), None);
    }

    #[test]
    fn a_small_key_is_read() {
        let der = [0x30, 0x08, 0x02, 0x02, 0x00, 0x81, 0x02, 0x02, 0x01, 0x01];
        assert_eq!(rsa_public_key(&der), Some((&[0x81][..], &[1, 1][..])));
    }

    #[test]
    fn anything_but_shortest_der_is_refused() {
        let cases: [&[u8]; 9] = [
            &[],
            &[0x30],
            &[0x30, 0x80, 0x02, 0x01, 0x03, 0x02, 0x01, 0x03],
            &[0x30, 0x81, 0x06, 0x02, 0x01, 0x03, 0x02, 0x01, 0x03],
            &[0x30, 0x06, 0x02, 0x01, 0x83, 0x02, 0x01, 0x03],
            &[0x30, 0x07, 0x02, 0x02, 0x00, 0x03, 0x02, 0x01, 0x03],
            &[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x03],
            &[0x30, 0x06, 0x02, 0x01, 0x03, 0x02, 0x01, 0x03, 0x00],
            &[0x30, 0x07, 0x02, 0x01, 0x03, 0x02, 0x01, 0x03, 0x00],
        ];
        for der in cases {
            assert_eq!(rsa_public_key(der), None, "{der:02x?}");
        }
    }
}
