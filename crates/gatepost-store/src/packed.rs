//! This file is where a client's record becomes a few bytes, and these a record again.
//!
//! Clients of a partner are mostly alike but for who they are. What they have in common, their terms, is a record
//! without anyone in it, and is kept once; what is a client's own is written one after the other, so that it tells by
//! itself where it ends: about 90 bytes where the record takes a kilobyte.

use gatepost_core::clients::{Client, ClientId, ClientRecord, SecretId, StoredSecret, UserId};
use gatepost_core::name::Name;
use gatepost_core::secret::SecretTag;
use gatepost_core::time::Timestamp;
use uuid::Uuid;

/// A record in two parts.
pub(crate) struct Packed {
    /// What others may have in common with the client.
    pub(crate) terms: ClientRecord,
    /// What is its own.
    pub(crate) own: Vec<u8>,
}

/// The record in its parts; one with keys has none, for no other client has the same.
pub(crate) fn packed(record: &ClientRecord) -> Option<Packed> {
    if !record.keys.is_empty() {
        return None;
    }
    let client = &record.client;
    let mut own = Vec::with_capacity(128);
    own.extend_from_slice(client.user_id.0.as_bytes());
    number(&mut own, client.created.micros());
    number(&mut own, client.version);
    text(&mut own, client.name.as_str().as_bytes())?;
    instant(&mut own, client.expires);
    for secret in &record.secrets {
        own.extend_from_slice(secret.id.0.as_bytes());
        number(&mut own, secret.created.micros().wrapping_sub(client.created.micros()));
        instant(&mut own, secret.not_before);
        instant(&mut own, secret.expires);
        text(&mut own, &secret.tag.tag)?;
        // No label is empty.
        text(&mut own, secret.label.as_ref().map_or(b"", |label| label.as_str().as_bytes()))?;
    }
    Some(Packed { terms: terms(record)?, own })
}

/// The record of that client.
pub(crate) fn unpacked(id: &ClientId, terms: &ClientRecord, own: &[u8]) -> Option<ClientRecord> {
    let mut own = Own(own);
    let user_id = UserId(own.uuid()?);
    let created = own.number()?;
    let version = own.number()?;
    let name = named(own.text()?)?;
    let expires = own.instant()?;
    let created_at = Timestamp::from_micros(created);
    let who = Who { id: id.clone(), user_id, name, created: created_at, version, expires };
    let mut secrets = Vec::with_capacity(terms.secrets.len());
    for like in &terms.secrets {
        secrets.push(StoredSecret {
            id: SecretId(own.uuid()?),
            created: Timestamp::from_micros(created.wrapping_add(own.number()?)),
            not_before: own.instant()?,
            expires: own.instant()?,
            tag: SecretTag { pepper: like.tag.pepper.clone(), tag: own.text()?.to_vec() },
            label: match own.text()? {
                b"" => None,
                label => Some(named(label)?),
            },
            ended: like.ended,
        });
    }
    Some(put_together(terms, who, secrets))
}

/// What tells a client from others of the same terms.
struct Who {
    id: ClientId,
    user_id: UserId,
    name: Name,
    created: Timestamp,
    version: i64,
    expires: Option<Timestamp>,
}

fn terms(record: &ClientRecord) -> Option<ClientRecord> {
    let nobody = Who {
        id: ClientId::from_uuid(Uuid::nil()),
        user_id: UserId(Uuid::nil()),
        name: Name::parse("-").ok()?,
        created: Timestamp::from_micros(0),
        version: 0,
        expires: None,
    };
    let blank = |like: &StoredSecret| StoredSecret {
        id: SecretId(Uuid::nil()),
        created: Timestamp::from_micros(0),
        not_before: None,
        expires: None,
        tag: SecretTag { pepper: like.tag.pepper.clone(), tag: Vec::new() },
        label: None,
        ended: like.ended,
    };
    Some(put_together(record, nobody, record.secrets.iter().map(blank).collect()))
}

// Every member is named, so that a new one can't be forgotten here.
fn put_together(terms: &ClientRecord, who: Who, secrets: Vec<StoredSecret>) -> ClientRecord {
    let like = &terms.client;
    let client = Client {
        id: who.id,
        user_id: who.user_id,
        name: who.name,
        created: who.created,
        version: who.version,
        partner_id: like.partner_id,
        is_test: like.is_test,
        apis: like.apis.clone(),
        scopes: like.scopes.clone(),
        default_scopes: like.default_scopes.clone(),
        ungranted_scope: like.ungranted_scope,
        lifetime: like.lifetime,
        allow: like.allow.clone(),
        auth_method: like.auth_method,
        grant_types: like.grant_types.clone(),
        status: like.status,
        expires: who.expires,
    };
    ClientRecord {
        client,
        partner_status: terms.partner_status,
        partner_expires: terms.partner_expires,
        secrets,
        keys: terms.keys.clone(),
        limits: terms.limits.clone(),
    }
}

/// Seven bits a byte, the lowest first, the last without the highest bit; near 0 is short, above or below.
fn number(own: &mut Vec<u8>, value: i64) {
    let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while left >= 0x80 {
        own.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    own.push(left as u8);
}

/// A byte that says whether there is one, and its number.
fn instant(own: &mut Vec<u8>, at: Option<Timestamp>) {
    own.push(u8::from(at.is_some()));
    if let Some(at) = at {
        number(own, at.micros());
    }
}

fn named(text: &[u8]) -> Option<Name> {
    Name::parse(std::str::from_utf8(text).ok()?).ok()
}

fn text(own: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    number(own, i64::try_from(bytes.len()).ok()?);
    own.extend_from_slice(bytes);
    Some(())
}

/// What was not read yet.
struct Own<'a>(&'a [u8]);

impl<'a> Own<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (these, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(these)
    }

    fn uuid(&mut self) -> Option<Uuid> {
        Uuid::from_slice(self.bytes(16)?).ok()
    }

    fn number(&mut self) -> Option<i64> {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let [byte] = *self.bytes(1)? else {
                return None;
            };
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
            shift += 7;
        }
    }

    fn instant(&mut self) -> Option<Option<Timestamp>> {
        match self.bytes(1)? {
            [0] => Some(None),
            _ => Some(Some(Timestamp::from_micros(self.number()?))),
        }
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.bytes(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back_and_small_ones_are_short() {
        for value in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN, 1_795_000_000_000_000] {
            let mut own = Vec::new();
            number(&mut own, value);
            assert_eq!(Own(&own).number(), Some(value));
            assert_eq!(own.len() == 1, (-64..64).contains(&value), "{value}");
        }
        assert_eq!(Own(&[0x80]).number(), None, "cut off");
        assert_eq!(Own(&[0xff; 11]).number(), None, "without end");
    }
}
