//! This file is where the few DER structures of RSA public keys are read (X.690, RFC 8017 appendix A.1.1, RFC 5280).

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

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

/// The content of one element with this tag, and what follows it.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = input.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = length(rest)?;
    rest.split_at_checked(length)
}

/// A definite length in its shortest form, up to two bytes: no RSA public key needs more.
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
mod tests {
    use super::*;

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
