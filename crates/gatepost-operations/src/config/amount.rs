//! This file is where durations and sizes are read and written the way people write them: `15s`, `24h`, `64KiB`.

use std::time::Duration;

const DURATION_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads `500ms`, `15s`, `90m`, `24h`, `30d`, also several in a row (`1h30m`); `0` alone is no time at all.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const SHAPE: &str = "a duration is a whole number with a unit: 500ms, 15s, 10m, 24h, 30d";
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let (part, after) = next_part(rest, &DURATION_UNITS).ok_or(SHAPE)?;
        millis = millis.checked_add(part).ok_or("the duration is too long")?;
        rest = after;
    }
    if text.is_empty() { Err(SHAPE) } else { Ok(Duration::from_millis(millis)) }
}

/// Reads `65536`, `64KiB`, `1MiB` or `10MB`.
pub fn parse_size(text: &str) -> Result<u64, &'static str> {
    const SHAPE: &str = "a size is a whole number of bytes, or one with a unit: 64KiB, 1MiB, 10MB";
    if let Ok(bytes) = text.parse() {
        return Ok(bytes);
    }
    match next_part(text, &SIZE_UNITS) {
        Some((bytes, "")) => Ok(bytes),
        Some(_) | None => Err(SHAPE),
    }
}

/// The first number with its unit, multiplied out, and what follows it.
fn next_part<'t>(text: &'t str, units: &[(&str, u64)]) -> Option<(u64, &'t str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = text.split_at_checked(digits)?;
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at_checked(letters)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    Some((number.parse::<u64>().ok()?.checked_mul(*factor)?, after))
}

/// Writes a duration in the largest unit that holds it whole.
pub fn write_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let (unit, factor) = DURATION_UNITS
        .into_iter()
        .rev()
        .find(|(_, factor)| millis.is_multiple_of(u128::from(*factor)))
        .unwrap_or(("ms", 1));
    format!("{}{unit}", millis / u128::from(factor))
}

/// Writes a size in the largest binary unit that holds it whole.
pub fn write_size(bytes: u64) -> String {
    match [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
    {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_the_way_people_write_them() {
        for (text, millis) in [
            ("500ms", 500),
            ("15s", 15_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("30d", 2_592_000_000),
            ("1h30m", 5_400_000),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn a_duration_without_a_unit_or_with_a_strange_one_is_refused() {
        for text in
            ["", "15", "s", "1.5h", "-1s", "15 s", "1w", "1h30", "99999999999999999999s", "9999999999999999d"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_in_bytes_and_in_units() {
        for (text, bytes) in
            [("65536", 65_536), ("64KiB", 65_536), ("1MiB", 1 << 20), ("10MB", 10_000_000), ("5B", 5)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "KiB", "64kib", "1.5MiB", "-1", "64KiB1", "64 KiB", "99999999999GiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for millis in [0, 1, 500, 1_000, 90_000, 3_600_000, 86_400_000] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&write_duration(duration)), Ok(duration));
        }
        assert_eq!(write_duration(Duration::from_secs(5_400)), "90m");
        assert_eq!(write_size(65_536), "64KiB");
        assert_eq!(write_size(100), "100 bytes");
    }
}
