//! This file is where the primes of a key are drawn and its other numbers follow from them (RFC 8017 section 3.2).
//!
//! The rules for drawing are those that FIPS 186-5 appendix A.1.3 has for two primes, carried over to four.

use std::ops::{Deref, DerefMut};

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;
use zeroize::Zeroizing;

use crate::der;

/// How long the modulus of a new key is.
pub(super) const MODULUS_BITS: i32 = 4096;
const PRIME_BITS: i32 = 1024;
/// Primes that lie closer together than their length less this can be found from the modulus.
const APART_BITS: i32 = PRIME_BITS - 100;
const EXPONENT: u32 = 65_537;
/// About one draw in six does not suit; so many in a row do not happen.
const DRAWS: usize = 100;

/// A number that nobody else may learn: wiped when dropped, and calculated with in constant time.
pub(super) struct Hidden(BigNum);

impl Hidden {
    fn new() -> Result<Self, ErrorStack> {
        Self::of(BigNum::new()?)
    }

    pub(super) fn of(mut number: BigNum) -> Result<Self, ErrorStack> {
        number.set_const_time();
        Ok(Self(number))
    }
}

impl Deref for Hidden {
    type Target = BigNum;

    fn deref(&self) -> &BigNum {
        &self.0
    }
}

impl DerefMut for Hidden {
    fn deref_mut(&mut self) -> &mut BigNum {
        &mut self.0
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// A new key of four primes as RSAPrivateKey; none if chance refused a hundred times.
pub(super) fn generate() -> Result<Option<Zeroizing<Vec<u8>>>, ErrorStack> {
    for _ in 0..DRAWS {
        let primes = draw()?;
        if suit(&primes)? {
            return rsa_private_key(&primes).map(Some);
        }
    }
    Ok(None)
}

/// Four primes, the largest first. OpenSSL sets the two highest bits and tests each 64 times (Miller-Rabin).
fn draw() -> Result<Vec<Hidden>, ErrorStack> {
    let mut primes = Vec::with_capacity(4);
    for _ in 0..4 {
        let mut prime = Hidden::new()?;
        prime.generate_prime(PRIME_BITS, false, None, None)?;
        primes.push(prime);
    }
    primes.sort_by(|one, other| other.ucmp(one));
    Ok(primes)
}

/// Whether these make a key; if not, all are drawn anew, so that those that do are equally likely.
fn suit(primes: &[Hidden]) -> Result<bool, ErrorStack> {
    for (index, prime) in primes.iter().enumerate() {
        // The exponent is a prime itself, so it divides the prime less one or has no factor in common with it.
        if prime.mod_word(EXPONENT)? == 1 {
            return Ok(false);
        }
        for smaller in primes.iter().skip(index.saturating_add(1)) {
            let mut distance = Hidden::new()?;
            distance.checked_sub(prime, smaller)?;
            if distance.num_bits() <= APART_BITS {
                return Ok(false);
            }
        }
    }
    let numbers = Numbers::of(primes)?;
    // A short private exponent can be found from the public key (Wiener 1990).
    Ok(numbers.modulus.num_bits() == MODULUS_BITS && numbers.exponent.num_bits() > MODULUS_BITS / 2)
}

/// Modulus and private exponent.
struct Numbers {
    modulus: BigNum,
    exponent: Hidden,
}

impl Numbers {
    /// n, and d as the inverse of e modulo the least common multiple of the primes less one.
    fn of(primes: &[Hidden]) -> Result<Self, ErrorStack> {
        let mut context = BigNumContext::new()?;
        let mut modulus = BigNum::from_u32(1)?;
        let mut multiple = Hidden::of(BigNum::from_u32(1)?)?;
        for prime in primes {
            let mut product = BigNum::new()?;
            product.checked_mul(&modulus, prime, &mut context)?;
            modulus = product;
            multiple = least_common_multiple(&multiple, &*less_one(prime)?, &mut context)?;
        }
        let mut exponent = Hidden::new()?;
        exponent.mod_inverse(&*BigNum::from_u32(EXPONENT)?, &multiple, &mut context)?;
        Ok(Self { modulus, exponent })
    }
}

fn less_one(number: &BigNumRef) -> Result<Hidden, ErrorStack> {
    let mut less = Hidden::of(number.to_owned()?)?;
    less.sub_word(1)?;
    Ok(less)
}

fn least_common_multiple(
    one: &BigNumRef,
    other: &BigNumRef,
    context: &mut BigNumContext,
) -> Result<Hidden, ErrorStack> {
    let (mut product, mut divisor, mut multiple) = (Hidden::new()?, Hidden::new()?, Hidden::new()?);
    product.checked_mul(one, other, context)?;
    divisor.gcd(one, other, context)?;
    multiple.checked_div(&product, &divisor, context)?;
    Ok(multiple)
}

/// RSAPrivateKey (RFC 8017 appendix A.1.2) of these primes, two or more, with the exponent 65537.
pub(super) fn rsa_private_key(primes: &[Hidden]) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let Numbers { modulus, exponent } = Numbers::of(primes)?;
    let (leading, further) = primes.split_at(primes.len().min(2));
    let several = u8::from(!further.is_empty());

    let mut parts = vec![der::integer(&[several]), number(&modulus)];
    parts.extend([number(&*BigNum::from_u32(EXPONENT)?), number(&exponent)]);
    parts.extend(leading.iter().map(|prime| number(prime)));
    for prime in leading {
        parts.push(remainder(&exponent, &*less_one(prime)?)?);
    }
    if let [first, second] = leading {
        parts.push(inverse(second, first)?);
    }
    if !further.is_empty() {
        parts.push(other_prime_infos(primes, &exponent)?);
    }
    Ok(der::sequence(&parts))
}

/// For each prime from the third on: itself, its exponent, and the inverse of the product of those before it.
fn other_prime_infos(primes: &[Hidden], exponent: &BigNumRef) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut context = BigNumContext::new()?;
    let mut before = Hidden::of(BigNum::from_u32(1)?)?;
    let mut infos = Vec::new();
    for (index, prime) in primes.iter().enumerate() {
        if index >= 2 {
            let exponent = remainder(exponent, &*less_one(prime)?)?;
            infos.push(der::sequence(&[number(prime), exponent, inverse(&before, prime)?]));
        }
        let mut product = Hidden::new()?;
        product.checked_mul(&before, prime, &mut context)?;
        before = product;
    }
    Ok(der::sequence(&infos))
}

fn remainder(number_: &BigNumRef, modulus: &BigNumRef) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut rest = Hidden::new()?;
    rest.checked_rem(number_, modulus, &mut *BigNumContext::new()?)?;
    Ok(number(&rest))
}

fn inverse(of: &BigNumRef, modulus: &BigNumRef) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut inverse = Hidden::new()?;
    inverse.mod_inverse(of, modulus, &mut *BigNumContext::new()?)?;
    Ok(number(&inverse))
}

fn number(number: &BigNumRef) -> Zeroizing<Vec<u8>> {
    der::integer(&Zeroizing::new(number.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    /// Numbers of the right length that are far apart; whether they are primes is not what `suit` looks at.
    fn far_apart() -> Vec<Hidden> {
        let of = |top: u32| {
            let mut number = BigNum::from_u32(top).unwrap();
            let low = number.to_owned().unwrap();
            number.lshift(&low, PRIME_BITS - 8).unwrap();
            number.add_word(3).unwrap();
            Hidden::of(number).unwrap()
        };
        [0xfc, 0xf4, 0xec, 0xe4].map(of).into()
    }

    fn is_refused(change: impl FnOnce(&mut Vec<Hidden>)) -> bool {
        let mut primes = far_apart();
        change(&mut primes);
        !suit(&primes).unwrap()
    }

    #[test]
    fn new_primes_are_four_different_ones_of_the_right_length() {
        let mut context = BigNumContext::new().unwrap();
        let primes = draw().unwrap();
        assert_eq!(primes.len(), 4);
        for (one, other) in primes.iter().zip(primes.iter().skip(1)) {
            assert_eq!(one.ucmp(other), Ordering::Greater);
        }
        for prime in &primes {
            assert_eq!(prime.num_bits(), PRIME_BITS);
            assert!(prime.is_bit_set(PRIME_BITS - 2));
            assert!(prime.is_prime(64, &mut context).unwrap());
        }
    }

    #[test]
    fn primes_that_are_the_same_or_close_are_drawn_anew() {
        assert!(is_refused(|primes| primes[1] = Hidden::of(primes[0].to_owned().unwrap()).unwrap()));
        assert!(is_refused(|primes| {
            let mut close = primes[2].to_owned().unwrap();
            close.set_bit(APART_BITS - 1).unwrap();
            primes[1] = Hidden::of(close).unwrap();
        }));
        assert!(!is_refused(|_| ()));
    }

    #[test]
    fn a_prime_that_the_exponent_divides_but_one_is_drawn_anew() {
        assert!(is_refused(|primes| {
            let rest = primes[3].mod_word(EXPONENT).unwrap();
            primes[3].sub_word(u32::try_from(rest).unwrap()).unwrap();
            primes[3].add_word(1).unwrap();
        }));
    }

    #[test]
    fn a_modulus_one_bit_short_is_drawn_anew() {
        assert!(is_refused(|primes| {
            for prime in primes {
                prime.clear_bit(PRIME_BITS - 3).unwrap();
                prime.clear_bit(PRIME_BITS - 4).unwrap();
            }
        }));
    }
}
