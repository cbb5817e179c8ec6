//! This file is where a token is laid open: header, claims, and its dates in words. Nothing of it is verified here.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_operations::clock::{self, Clock as _, SystemClock};
use gatepost_operations::core::secret::Secret;
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::jose::{Micros, base64url};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::ending::Trouble;
use crate::output::Output;
use crate::output::escaping::printable;

const DATES: [&str; 3] = ["iat", "nbf", "exp"];

/// What a token says of itself, digit for digit.
#[derive(Serialize)]
struct Inside {
    verified: bool,
    header: Box<RawValue>,
    claims: Box<RawValue>,
    dates: BTreeMap<&'static str, String>,
}

/// Prints what a token says.
pub(super) fn run(token: &Secret, output: Output) -> Result<(), Trouble> {
    let inside = open(token.expose()).map_err(|why| {
        let fix =
            "give the three parts of the token with the dots between them, as they came as access_token";
        Trouble::usage("token.unreadable", "this is no JWT", why, fix)
    })?;
    output.note(
        "Not verified: anyone can write such a token. `gatepost token verify` says whether it is ours.",
    );
    if output.is_json() {
        return output.document(&inside);
    }
    output.text(&told(&inside, SystemClock.now()))
}

fn open(token: &str) -> Result<Inside, &'static str> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("it has not three parts between two dots");
    };
    let claims = json(claims)?;
    Ok(Inside { verified: false, header: json(header)?, dates: dates(&claims), claims })
}

fn json(part: &str) -> Result<Box<RawValue>, &'static str> {
    let bytes = base64url::decode(part).ok_or("a part is not base64url")?;
    let text = String::from_utf8(bytes).map_err(|_| "a part is not text")?;
    serde_json::from_str(&text).map_err(|_| "a part is not JSON")
}

/// The dates that can be read, as people and programs write them; what is no date is left to be seen in the claims.
fn dates(claims: &RawValue) -> BTreeMap<&'static str, String> {
    let written = |(name, at): (&'static str, Micros)| (name, clock::written(Timestamp::from_micros(at.0)));
    instants(claims).into_iter().map(written).collect()
}

fn instants(claims: &RawValue) -> Vec<(&'static str, Micros)> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(claims.get()).unwrap_or_default();
    let instant = |name: &'static str| Some((name, Micros::from_json(members.get(name)?.get()).ok()?));
    DATES.into_iter().filter_map(instant).collect()
}

fn told(inside: &Inside, now: Timestamp) -> String {
    let mut text =
        format!("header  {}\nclaims  {}\n", printable(inside.header.get()), printable(inside.claims.get()));
    for (name, at) in instants(&inside.claims) {
        let at = Timestamp::from_micros(at.0);
        text += &format!("{name:6}  {} ({})\n", clock::written(at), distance(at, now));
    }
    text
}

/// How far away an instant is, in words.
fn distance(at: Timestamp, now: Timestamp) -> String {
    match (span(at.since(now)), span(now.since(at))) {
        (None, None) => "now".to_owned(),
        (Some(ahead), _) => format!("in {ahead}"),
        (None, Some(behind)) => format!("{behind} ago"),
    }
}

/// The two largest units of a time of a second or more.
fn span(time: Duration) -> Option<String> {
    let seconds = time.as_secs();
    let units = [
        ("d", seconds / 86_400),
        ("h", seconds / 3_600 % 24),
        ("min", seconds / 60 % 60),
        ("s", seconds % 60),
    ];
    let told = units.iter().skip_while(|(_, count)| *count == 0).take(2).filter(|(_, count)| *count > 0);
    let words: Vec<String> = told.map(|(unit, count)| format!("{count} {unit}")).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()))
    }

    #[test]
    fn dates_keep_their_microseconds_and_are_told_in_words() {
        let inside =
            open(&token(r#"{"alg":"RS256"}"#, r#"{"iat":1700000000.000100,"exp":1700003600.000100}"#))
                .unwrap();
        let text = told(&inside, Timestamp::from_micros(1_700_000_060_000_100));

        assert!(text.contains(r#"{"iat":1700000000.000100,"#), "{text}");
        assert!(text.contains("iat     2023-11-14T22:13:20Z (1 min ago)"), "{text}");
        assert!(text.contains("exp     2023-11-14T23:13:20Z (in 59 min)"), "{text}");
    }

    #[test]
    fn what_is_no_date_does_no_harm() {
        let inside = open(&token("{}", r#"{"iat":"soon","nbf":null,"exp":1e400}"#)).unwrap();
        assert!(inside.dates.is_empty());
        assert!(open(&token("{}", "[]")).unwrap().dates.is_empty());
    }

    #[test]
    fn text_that_is_no_token_is_refused_with_the_reason() {
        let cases = [
            ("a.b", "it has not three parts between two dots"),
            ("a.b.c.d", "it has not three parts between two dots"),
            ("e30.?.c2ln", "a part is not base64url"),
            ("e30.YQ.c2ln", "a part is not JSON"),
        ];
        for (text, why) in cases {
            assert_eq!(open(text).err(), Some(why), "{text}");
        }
    }

    #[test]
    fn a_time_is_told_in_its_two_largest_units() {
        let told = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(told(90_061), Some("1 d 1 h".to_owned()));
        assert_eq!(told(3_601), Some("1 h".to_owned()));
        assert_eq!(told(61), Some("1 min 1 s".to_owned()));
        assert_eq!(told(0), None);
    }
}
