//! This file is where audit lines are chained: each carries the hash of the one before, so that a changed, missing or
//! moved line shows.
//!
//! The hash covers a canonical form in which every field is preceded by its length; no two different lines share it.

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use crate::change::AuditedChange;

/// The hash that the first line names as its predecessor's.
pub const FIRST: [u8; 32] = [0; 32];

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditLine {
    /// Its place, from 1, in the order of commits; followers of the news count by it.
    pub seq: i64,
    /// When, in microseconds since the epoch.
    pub at: i64,
    /// Who, as JSON.
    pub actor: String,
    /// What happened: `noun.verb`.
    pub action: String,
    /// What kind of thing it happened to.
    pub noun: String,
    /// Which one.
    pub id: String,
    /// More about it, as JSON.
    pub details: String,
    /// The hash of the line before.
    pub previous: [u8; 32],
    /// The hash of this line.
    pub hash: [u8; 32],
}

impl AuditLine {
    /// The line for `audited` at place `seq`, behind the line with the hash `previous`.
    pub fn chain(seq: i64, previous: [u8; 32], audited: &AuditedChange) -> Self {
        let subject = audited.change.subject();
        let mut line = Self {
            seq,
            at: audited.at.micros(),
            actor: serde_json::json!(audited.actor).to_string(),
            action: audited.change.action().to_owned(),
            noun: subject.noun().to_owned(),
            id: subject.id(),
            details: audited.change.details().to_string(),
            previous,
            hash: FIRST,
        };
        line.hash = line.computed_hash();
        line
    }

    /// Whether the line is as it was written.
    pub fn is_whole(&self) -> bool {
        self.hash == self.computed_hash()
    }

    fn computed_hash(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        let (seq, at) = (self.seq.to_be_bytes(), self.at.to_be_bytes());
        let texts =
            [&self.actor, &self.action, &self.noun, &self.id, &self.details].map(|text| text.as_bytes());
        for field in [&seq[..], &at[..]].into_iter().chain(texts).chain([&self.previous[..]]) {
            context.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(field);
        }
        context.finish().as_ref().try_into().unwrap_or(FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::change::Change;
    use crate::partners::PartnerId;
    use crate::time::Timestamp;

    fn line() -> AuditLine {
        let change = Change::PartnerDeleted(PartnerId(uuid::Uuid::nil()));
        AuditLine::chain(1, FIRST, &change.by(Actor::System, Timestamp::from_micros(5)))
    }

    #[test]
    fn any_changed_field_breaks_the_line() {
        type Mutation = fn(&mut AuditLine);
        let mutations: [Mutation; 8] = [
            |l| l.seq = 2,
            |l| l.at = 6,
            |l| l.actor.push(' '),
            |l| l.action.push('x'),
            |l| l.noun.push('x'),
            |l| l.id.push('x'),
            |l| l.details = "[]".into(),
            |l| l.previous[0] = 1,
        ];
        assert!(line().is_whole());
        for mutate in mutations {
            let mut changed = line();
            mutate(&mut changed);
            assert!(!changed.is_whole(), "{changed:?}");
        }
    }

    #[test]
    fn text_can_not_move_from_one_field_to_the_next() {
        let (mut a, mut b) = (line(), line());
        (a.noun, a.id) = ("ab".into(), "c".into());
        (b.noun, b.id) = ("a".into(), "bc".into());

        assert_ne!(a.computed_hash(), b.computed_hash());
    }
}
