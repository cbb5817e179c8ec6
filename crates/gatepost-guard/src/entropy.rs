//! This file is where the guard draws chance: to keep many guards from asking all at once, and for nothing else.

/// A fraction from a half up to one, evenly spread; one if there is no chance to be had.
pub(crate) fn from_half_to_one() -> f64 {
    let mut drawn = [0_u8; 1];
    match aws_lc_rs::rand::fill(&mut drawn) {
        Ok(()) => (f64::from(u8::from_le_bytes(drawn)) + 256.0) / 511.0,
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spread_between_a_half_and_one() {
        let drawn: Vec<f64> = (0..1_000).map(|_| from_half_to_one()).collect();
        assert!(drawn.iter().all(|fraction| (0.5..=1.0).contains(fraction)));
        assert!(drawn.iter().any(|fraction| *fraction < 0.6) && drawn.iter().any(|fraction| *fraction > 0.9));
    }
}
