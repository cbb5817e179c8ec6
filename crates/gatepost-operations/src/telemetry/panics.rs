//! This file is where a panic becomes a log line: its place, and its message only when that is part of the program.
//!
//! A message that was put together at run time can hold what was being worked on, a secret among it.

use std::any::Any;
use std::panic::{Location, PanicHookInfo};

/// Has every panic of this process reported in the log, and no longer on standard error.
pub fn report_to_log() {
    std::panic::set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo<'_>) {
    let (file, line) = info.location().map_or(("unknown", 0), place);
    tracing::error!(file, line, message_text = fixed_message(info.payload()), "a thread panicked");
}

fn place<'l>(location: &'l Location<'_>) -> (&'l str, u32) {
    (location.file(), location.line())
}

/// The message, if it is a text of the program rather than one made at run time.
fn fixed_message(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("not shown: it was made at run time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_that_are_part_of_the_program_are_told() {
        let fixed = std::panic::catch_unwind(|| panic!("a fixed text")).unwrap_err();
        assert_eq!(fixed_message(&*fixed), "a fixed text");
        let secret = "gp_live_secret";
        let made = std::panic::catch_unwind(|| panic!("while working on {secret}")).unwrap_err();
        assert!(!fixed_message(&*made).contains(secret));
    }
}
