//! This file is where everything that is drawn in a run comes from: the same for the same seed.

/// Draws from Steele, Lea and Flood's splitmix64, for which every seed is a good one.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// At least 0 and below 1, all alike.
    pub(crate) fn below_one(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of two, alike.
    pub(crate) fn either(&mut self) -> bool {
        self.draw() >> 63 == 1
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }
}

/// The mixing step alone: another number for every number.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_two_comes_about_half_the_time_and_the_seed_decides() {
        let drawn = |seed| {
            let mut chance = Chance::of(seed);
            (0..1000).map(|_| chance.either()).collect::<Vec<bool>>()
        };
        let first = drawn(1).into_iter().filter(|first| *first).count();
        assert!((400..600).contains(&first), "{first}");
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}
