//! This file is where an instant's day and month are: of the UTC calendar, as quotas count.

use crate::time::Timestamp;
use crate::usage::Hour;

const DAY_SECONDS: i64 = 86_400;
/// Days of 400 Gregorian years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;

/// A day of the UTC calendar, counted from the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day in which `instant` is.
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.seconds().div_euclid(DAY_SECONDS))
    }

    /// When it begins.
    pub fn begins(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(DAY_SECONDS).saturating_mul(1_000_000))
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// When the next one begins.
    pub fn ends(self) -> Timestamp {
        self.next().begins()
    }

    /// Its first hour.
    pub fn first_hour(self) -> Hour {
        Hour::of(self.begins())
    }
}

/// A month of the UTC calendar, counted from January of the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i64);

impl Month {
    /// The month in which `instant` is.
    ///
    /// Years are counted from March, so that the day that leap years add is the last of one
    /// (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    pub fn of(instant: Timestamp) -> Self {
        let days = Day::of(instant).0.saturating_add(719_468);
        let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
        let leaps =
            (day_of_era / 36_524).saturating_sub(day_of_era / 1_460).saturating_sub(day_of_era / 146_096);
        let year_of_era = day_of_era.saturating_add(leaps) / 365;
        let day_of_year = day_of_era.saturating_sub(days_before(year_of_era));
        let month_from_march = day_of_year.saturating_mul(5).saturating_add(2) / 153;
        let years = era.saturating_mul(400).saturating_add(year_of_era);
        Self(years.saturating_mul(12).saturating_add(month_from_march).saturating_add(2))
    }

    /// When it begins.
    pub fn begins(self) -> Timestamp {
        let from_march = self.0.saturating_sub(2);
        let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = month.saturating_mul(153).saturating_add(2) / 5;
        let days = era.saturating_mul(ERA_DAYS).saturating_add(days_before(year_of_era));
        Day(days.saturating_add(day_of_year).saturating_sub(719_468)).begins()
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// When the next one begins.
    pub fn ends(self) -> Timestamp {
        self.next().begins()
    }

    /// Its first hour.
    pub fn first_hour(self) -> Hour {
        Hour::of(self.begins())
    }
}

/// The days of the years of an era before that one.
fn days_before(year_of_era: i64) -> i64 {
    year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn months_begin_and_end_where_the_calendar_says() {
        for (inside, begins, ends) in [
            (0, 0, 2_678_400),                             // January 1970
            (951_782_400, 949_363_200, 951_868_800),       // 29 February 2000
            (1_709_251_199, 1_706_745_600, 1_709_251_200), // the last second of February 2024
            (1_795_392_000, 1_793_491_200, 1_796_083_200), // November 2026
            (1_798_761_599, 1_796_083_200, 1_798_761_600), // the last second of 2026
            (4_107_542_399, 4_105_123_200, 4_107_542_400), // February 2100, which has no 29th
            (-1, -2_678_400, 0),                           // December 1969
        ] {
            let month = Month::of(at(inside));
            assert_eq!((month.begins().seconds(), month.ends().seconds()), (begins, ends), "{inside}");
        }
    }

    #[test]
    fn the_last_microsecond_belongs_to_the_old_day_and_month_and_the_next_to_the_new() {
        let edge = at(1_796_083_200); // 1 December 2026
        let before = Timestamp::from_micros(edge.micros() - 1);
        assert_eq!((Month::of(before).ends(), Month::of(edge).begins()), (edge, edge));
        assert_eq!((Day::of(before).ends(), Day::of(edge).begins()), (edge, edge));
        assert_eq!(Month::of(edge).first_hour(), Hour(1_796_083_200 / 3_600));
    }

    #[test]
    fn each_month_begins_where_the_one_before_ends_for_eight_hundred_years() {
        let mut month = Month::of(at(-12_000_000_000));
        while month.begins().seconds() < 13_000_000_000 {
            let next = Month::of(month.ends());
            assert_eq!(next.begins(), month.ends());
            let days = (month.ends().seconds() - month.begins().seconds()) / 86_400;
            assert!((28..=31).contains(&days), "{days} days");
            month = next;
        }
    }
}
