//! This file is where it is decided whether a client that asks again gets the token that it has.

use crate::time::Timestamp;

/// The longest that a client may ask for the token it has, in seconds.
pub const LONGEST_WINDOW: u32 = 3_600;

/// The seconds that a token issued then still lives, if it may be handed out again: the window is not over, and at least
/// half of its life is left. `None` also when the clock went back behind its issue.
pub fn life_left(issued: Timestamp, lifetime: u32, window: u32, now: Timestamp) -> Option<u32> {
    if now < issued {
        return None;
    }
    let age = now.since(issued);
    let used = u32::try_from(age.as_secs()).ok()?.saturating_add(u32::from(age.subsec_nanos() > 0));
    let left = lifetime.checked_sub(used)?;
    (age.as_secs() < u64::from(window) && left >= lifetime.div_ceil(2)).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(lifetime: u32, window: u32, after_millis: i64) -> Option<u32> {
        let issued = Timestamp::from_micros(1_795_000_000_000_000);
        let now = Timestamp::from_micros(issued.micros() + after_millis * 1_000);
        life_left(issued, lifetime, window, now)
    }

    #[test]
    fn within_the_window_the_life_left_is_told_rounded_down() {
        assert_eq!(left(3_600, 300, 0), Some(3_600));
        assert_eq!(left(3_600, 300, 1), Some(3_599));
        assert_eq!(left(3_600, 300, 1_000), Some(3_599));
        assert_eq!(left(3_600, 300, 299_999), Some(3_300));
        assert_eq!(left(3_600, 300, 300_000), None);
    }

    #[test]
    fn a_token_with_less_than_half_its_life_is_not_handed_out_again() {
        assert_eq!(left(60, 300, 30_000), Some(30));
        assert_eq!(left(60, 300, 30_001), None);
        assert_eq!(left(1, 300, 0), Some(1));
        assert_eq!(left(1, 300, 1), None);
    }

    #[test]
    fn a_clock_that_went_back_gives_nothing_again_and_no_window_is_none() {
        assert_eq!(left(3_600, 300, -1), None);
        assert_eq!(left(3_600, 0, 0), None);
    }
}
