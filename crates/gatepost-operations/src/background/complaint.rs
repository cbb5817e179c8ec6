//! This file is where a failure that goes on is told once: when it begins, not each time.

use crate::failure::Failure;

/// Whether something that is done again and again fails at present.
#[derive(Default)]
pub(super) struct Complaint {
    is_told: bool,
}

impl Complaint {
    /// Takes up how it went; `tell` is called when it begins to fail.
    pub(super) fn hear<T>(&mut self, outcome: &Result<T, Failure>, tell: impl FnOnce(&Failure)) {
        if let (Err(failure), false) = (outcome, self.is_told) {
            tell(failure);
        }
        self.is_told = outcome.is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_on_and_on_is_told_once_and_anew_after_it_worked() {
        let (mut complaint, mut told) = (Complaint::default(), Vec::new());
        for (turn, works) in [true, false, false, true, false].into_iter().enumerate() {
            let outcome = if works { Ok(()) } else { Err(Failure::internal("a.b", "why")) };
            complaint.hear(&outcome, |_| told.push(turn));
        }
        assert_eq!(told, [1, 4]);
    }
}
