//! This file is where a text is checked for being a whole secret, without asking anyone: prefix, length, digits, checksum.
//!
//! It says what is wrong but never shows the text. That a secret is whole does not say that it is anybody's.

use gatepost_operations::core::secret::{Secret, SecretForm, SecretKind};
use serde::Serialize;

use crate::ending::{Exit, Trouble};
use crate::output::Output;

/// Forty random digits and six of the checksum.
const DIGITS: usize = 46;

const KINDS: [SecretKind; 3] = [SecretKind::Live, SecretKind::Test, SecretKind::Api];

#[derive(Serialize)]
struct Whole {
    whole: bool,
    kind: &'static str,
    belongs_to: &'static str,
}

/// Says whether the text is whole, and what is wrong when it is not.
pub(super) fn run(secret: &Secret, output: Output) -> Result<(), Trouble> {
    let (code, why, fix) = match secret.form() {
        SecretForm::Ours(kind) => {
            let (kind, belongs_to) = described(kind);
            return output.show(&Whole { whole: true, kind, belongs_to });
        }
        SecretForm::Mistyped => (
            "secret.mistyped",
            "its checksum does not match: at least one character is wrong".to_owned(),
            "copy it again from where it was handed over, or add a new one with `gatepost secret add`",
        ),
        SecretForm::Foreign => (
            "secret.foreign",
            oddity(secret.expose()),
            "copy it again, whole; a secret that was imported from elsewhere has no form that could be checked",
        ),
    };
    Err(Trouble {
        exit: Exit::SaidNo,
        code,
        what: "this is no whole secret of Gatepost".to_owned(),
        why,
        fix: fix.to_owned(),
    })
}

const fn described(kind: SecretKind) -> (&'static str, &'static str) {
    match kind {
        SecretKind::Live => ("live", "a client"),
        SecretKind::Test => ("test", "a client for tests"),
        SecretKind::Api => ("api", "an API"),
    }
}

/// What keeps the text from having our form.
fn oddity(text: &str) -> String {
    let Some(kind) = KINDS.into_iter().find(|kind| text.starts_with(kind.prefix())) else {
        let lower = text.to_ascii_lowercase();
        return match KINDS.into_iter().find(|kind| lower.starts_with(kind.prefix())) {
            Some(kind) => format!("it must begin with {} in lower case", kind.prefix()),
            None => "it begins with none of gp_live_, gp_test_, gp_api_".to_owned(),
        };
    };
    let body = text.get(kind.prefix().len()..).unwrap_or_default();
    if let Some(at) = body.chars().position(|c| !c.is_ascii_alphanumeric()) {
        let place = at.saturating_add(kind.prefix().len()).saturating_add(1);
        return format!("character {place} is neither a digit nor a letter from A to Z");
    }
    let (length, whole) = (text.len(), kind.prefix().len().saturating_add(DIGITS));
    match length.checked_sub(whole) {
        Some(more) => format!("it has {length} characters, {more} too many"),
        None => format!("it has {length} characters, {} are missing", whole.saturating_sub(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_the_text() {
        let digits = "a".repeat(DIGITS);
        let cases = [
            ("hunter2".to_owned(), "it begins with none of gp_live_, gp_test_, gp_api_"),
            (format!("GP_LIVE_{digits}"), "it must begin with gp_live_ in lower case"),
            (format!("gp_live_{digits}b"), "it has 55 characters, 1 too many"),
            (format!("gp_api_{}", &digits[1..]), "it has 52 characters, 1 are missing"),
            (
                format!("gp_test_a-{}", &digits[2..]),
                "character 10 is neither a digit nor a letter from A to Z",
            ),
            (format!("gp_test_é{digits}"), "character 9 is neither a digit nor a letter from A to Z"),
        ];
        for (text, why) in cases {
            assert_eq!(oddity(&text), why, "{text}");
        }
    }
}
