//! This file is where a certificate tells how long it is valid (RFC 5280 section 4.1.2.5), and no more than that.
//!
//! Who it is for and whether to trust it is the client's question; a server only has to notice in
//! time that its own is about to end.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// From and until when a certificate is valid, in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Reads the validity of a certificate in DER; nothing if it is none.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let mut certificate = Der(Der(certificate).take(SEQUENCE)?);
    let mut body = Der(certificate.take(SEQUENCE)?);
    // The version is left out in version 1.
    let _ = body.take(EXPLICIT_VERSION);
    body.take(INTEGER)?;
    body.take(SEQUENCE)?;
    body.take(SEQUENCE)?;
    let mut validity = Der(body.take(SEQUENCE)?);
    Some(Validity { not_before: validity.time()?, not_after: validity.time()? })
}

/// A run of DER elements.
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    /// The content of the next element, if it has that tag; otherwise it stays.
    fn take(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (first, rest) = self.0.split_first()?;
        if *first != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    fn time(&mut self) -> Option<i64> {
        if let Some(text) = self.take(UTC_TIME) {
            // RFC 5280: years from 50 are in the last century.
            let (year, rest) = number(text, 2)?;
            return seconds(if year >= 50 { 1900 + year } else { 2000 + year }, rest);
        }
        let (year, rest) = number(self.take(GENERALIZED_TIME)?, 4)?;
        seconds(year, rest)
    }
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    Some((digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest))
}

/// `MMDDHHMMSSZ` of that year.
fn seconds(year: i16, text: &[u8]) -> Option<i64> {
    let (month, text) = number(text, 2)?;
    let (day, text) = number(text, 2)?;
    let (hour, text) = number(text, 2)?;
    let (minute, text) = number(text, 2)?;
    let (second, text) = number(text, 2)?;
    if text != b"Z" {
        return None;
    }
    let small = |number: i16| i8::try_from(number).ok();
    let date =
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0)
            .ok()?;
    Some(TimeZone::UTC.to_timestamp(date).ok()?.as_second())
}

fn number(text: &[u8], digits: usize) -> Option<(i16, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = std::str::from_utf8(number).ok()?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((number.parse().ok()?, rest))
}
