//! This file is where it is seen to that a test hears what its own thread logs, whatever other tests do meanwhile.

use std::sync::Once;

use tracing::span::{Attributes, Record};
use tracing::{Event, Id, Metadata, Subscriber};

/// Wants everything and keeps nothing.
struct Forgetful;

impl Subscriber for Forgetful {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Whether anybody wants a line is remembered for the whole process when the line is first reached. A test whose thread
/// listens for itself must not find that remembered as "nobody" by a test that does not listen.
pub(crate) fn somebody_always_listens() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Forgetful).unwrap());
}
