//! This file is where secrets are: text that can't be printed, its form with a checksum, and the one-way tag that is stored.

pub mod stored;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::{constant_time, hmac};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A text that must not be seen: can't be printed, compared, cloned or serialized, and is wiped when dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Makes a secret of `kind` from random bytes: 40 base62 digits (238 bits) and a checksum.
    ///
    /// Bytes above 247 are passed over so that every digit is equally likely; `None` when the bytes run out.
    pub fn generate(kind: SecretKind, random: impl IntoIterator<Item = u8>) -> Option<Self> {
        let digits = random.into_iter().filter(|byte| *byte < 248).map(|byte| usize::from(byte % 62));
        let mut text = kind.prefix().to_owned();
        text.extend(digits.take(RANDOM_DIGITS).filter_map(|digit| BASE62.get(digit)).map(|b| char::from(*b)));
        if text.len() != kind.prefix().len().saturating_add(RANDOM_DIGITS) {
            return None;
        }
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Some(Self::new(text))
    }

    /// What the text says of itself.
    pub fn form(&self) -> SecretForm {
        let text = self.expose();
        let Some(kind) = SecretKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix())) else {
            return SecretForm::Foreign;
        };
        let length = kind.prefix().len().saturating_add(RANDOM_DIGITS).saturating_add(CHECKSUM_DIGITS);
        let body = text.get(kind.prefix().len()..).unwrap_or_default();
        if text.len() != length || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return SecretForm::Foreign;
        }
        let (said, sum) = text.split_at(length.saturating_sub(CHECKSUM_DIGITS));
        if checksum(said) == sum { SecretForm::Ours(kind) } else { SecretForm::Mistyped }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a text tells about itself before anything is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// Made here, whole.
    Ours(SecretKind),
    /// Has our form, but the checksum is wrong: mistyped, cut or invented.
    Mistyped,
    /// Not of our form; an imported secret may look like this.
    Foreign,
}

/// What a secret is for; its prefix tells people and scanners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Of a client that does real business.
    Live,
    /// Of a client marked `is_test`.
    Test,
    /// Of an API, for introspection and the revocation feed.
    Api,
}

impl SecretKind {
    const ALL: [Self; 3] = [Self::Live, Self::Test, Self::Api];

    /// The text that secrets of this kind begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Live => "gp_live_",
            Self::Test => "gp_test_",
            Self::Api => "gp_api_",
        }
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_DIGITS: usize = 40;
const CHECKSUM_DIGITS: usize = 6;

/// CRC-32 (ISO-HDLC) of the text as six base62 digits, zero-padded.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.get(usize::try_from(rest % 62).unwrap_or(0)).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// The one-way form in which a secret is stored: HMAC-SHA-256 under the pepper that `pepper` names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretTag {
    /// Which pepper made the tag.
    pub pepper: String,
    /// The tag, 32 bytes.
    pub tag: Vec<u8>,
}

/// The keys that turn secrets into tags; they live outside the database.
pub struct Peppers {
    current: Pepper,
    older: Vec<Pepper>,
    used: AtomicU64,
}

/// One such key with the name that stored tags carry.
pub struct Pepper {
    /// The pepper's name.
    pub id: String,
    key: hmac::Key,
}

impl Pepper {
    /// A pepper from its 32 bytes.
    pub fn new(id: String, bytes: &[u8; 32]) -> Self {
        Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }
}

impl Peppers {
    /// New tags are made with `current`; tags that name one of `older` are still understood.
    pub fn new(current: Pepper, older: Vec<Pepper>) -> Self {
        Self { current, older, used: AtomicU64::new(0) }
    }

    /// The tag of a secret under the current pepper.
    pub fn tag(&self, secret: &Secret) -> SecretTag {
        self.used.fetch_add(1, Ordering::Relaxed);
        let tag = hmac::sign(&self.current.key, secret.expose().as_bytes());
        SecretTag { pepper: self.current.id.clone(), tag: tag.as_ref().to_vec() }
    }

    /// The tag of a secret under the pepper named `id`; `None` if there is no such pepper.
    pub fn tag_under(&self, id: &str, secret: &Secret) -> Option<SecretTag> {
        let pepper = self.older.iter().find(|pepper| pepper.id == id)?;
        self.used.fetch_add(1, Ordering::Relaxed);
        let tag = hmac::sign(&pepper.key, secret.expose().as_bytes());
        Some(SecretTag { pepper: pepper.id.clone(), tag: tag.as_ref().to_vec() })
    }

    /// Whether `id` names the pepper that new tags are made with.
    pub fn is_current(&self, id: &str) -> bool {
        self.current.id == id
    }

    /// How many tags have been computed: shows that every refusal costs the same.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peppers({})", self.current.id)
    }
}

impl SecretTag {
    /// Whether both were made from the same secret by the same pepper; takes the same time either way.
    pub fn matches(&self, other: &Self) -> bool {
        let same = constant_time::verify_slices_are_equal(&self.tag, &other.tag).is_ok();
        same & (self.pepper == other.pepper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(kind: SecretKind) -> Secret {
        Secret::generate(kind, 0..=255).unwrap()
    }

    #[test]
    fn a_secret_has_prefix_forty_digits_and_the_checksum_of_all_before() {
        let secret = secret(SecretKind::Live);

        assert_eq!(secret.expose().len(), 8 + 46);
        assert_eq!(secret.form(), SecretForm::Ours(SecretKind::Live));
        assert_eq!(checksum("123456789"), "3jZRME", "CRC-32 check value cbf43926 in base62");
    }

    #[test]
    fn one_changed_character_is_seen_without_a_look_up() {
        let whole = secret(SecretKind::Test);
        for at in 8..whole.expose().len() {
            let mut text = whole.expose().to_owned().into_bytes();
            text[at] = if text[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(Secret::new(String::from_utf8(text).unwrap()).form(), SecretForm::Mistyped, "{at}");
        }
    }

    #[test]
    fn text_of_another_form_is_foreign_not_mistyped() {
        let long = format!("{}x", secret(SecretKind::Api).expose());
        for text in ["", "s3cret", "gp_live_", "gp_live_short", long.as_str()] {
            assert_eq!(Secret::new(text.to_owned()).form(), SecretForm::Foreign, "{text}");
        }
    }

    #[test]
    fn too_few_random_bytes_make_no_secret() {
        assert!(Secret::generate(SecretKind::Live, vec![7; 39]).is_none());
        assert!(Secret::generate(SecretKind::Live, vec![255; 400]).is_none());
    }

    #[test]
    fn tags_differ_by_secret_and_by_pepper() {
        let peppers =
            Peppers::new(Pepper::new("p2".into(), &[2; 32]), vec![Pepper::new("p1".into(), &[1; 32])]);
        let (a, b) = (Secret::new("a".into()), Secret::new("b".into()));

        assert!(peppers.tag(&a).matches(&peppers.tag(&a)));
        assert!(!peppers.tag(&a).matches(&peppers.tag(&b)));
        assert!(!peppers.tag(&a).matches(&peppers.tag_under("p1", &a).unwrap()));
        assert_eq!(peppers.used(), 6);
    }

    /// Does not compile when the type has one of these abilities: then two ways lead to `is_it`.
    macro_rules! lacks {
        ($type:ty: $($ability:path),+) => {
            $({
                trait Perhaps<Way> {
                    fn is_it() {}
                }
                struct Able;
                impl<T> Perhaps<()> for T {}
                impl<T: $ability> Perhaps<Able> for T {}
                <$type as Perhaps<_>>::is_it();
            })+
        };
    }

    #[test]
    fn a_secret_can_not_be_compared_cloned_or_written_out() {
        lacks!(Secret: Clone, PartialEq, PartialOrd, std::hash::Hash, fmt::Display, Serialize);
        lacks!(Peppers: Clone, PartialEq, fmt::Display, Serialize);
    }

    #[test]
    fn a_secret_shows_nothing_when_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "Secret(…)");
    }
}
