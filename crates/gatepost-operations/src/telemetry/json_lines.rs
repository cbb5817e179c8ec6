//! This file is where an event becomes one line of JSON, written straight into the bytes that leave the program.
//!
//! The line is what `tracing-subscriber` writes with its fields flattened: time, level, fields, target.
//! Nothing is allocated for it: the buffer stays with the thread, the date is written once a second, and text without
//! anything to escape is copied as it is.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::fmt::Write as _;
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::log_queue::LogQueue;
use super::log_writer::harmless;
use crate::clock::{Clock as _, SystemClock};

thread_local! {
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// Writes events as lines of JSON.
pub(super) struct JsonLines(LogQueue);

impl JsonLines {
    pub(super) fn new(queue: LogQueue) -> Self {
        Self(queue)
    }
}

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Taken, not borrowed: a field that logs while it is shown finds an empty buffer of its own.
        let mut line = LINE.take();
        line.clear();
        let is_plain = write(event, &mut line);
        if is_plain {
            self.0.push(&line);
        } else {
            self.0.push(&harmless(&line));
        }
        LINE.set(line);
    }
}

/// Writes the line; whether all its text is printable ASCII.
fn write(event: &Event<'_>, line: &mut Vec<u8>) -> bool {
    let about = event.metadata();
    line.extend_from_slice(b"{\"timestamp\":\"");
    push_time(line);
    line.extend_from_slice(b"\",\"level\":\"");
    line.extend_from_slice(level(about.level()).as_bytes());
    line.push(b'"');
    let mut fields = Fields { line, is_plain: true };
    event.record(&mut fields);
    fields.text("target", about.target());
    let is_plain = fields.is_plain;
    line.extend_from_slice(b"}\n");
    is_plain
}

fn level(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

/// RFC 3339 in UTC, to the microsecond.
fn push_time(line: &mut Vec<u8>) {
    let now = SystemClock.now();
    let second = now.seconds();
    SECOND.with_borrow_mut(|(known, text)| {
        if *known != second {
            let date = jiff::Timestamp::from_second(second).map(|date| date.to_string()).unwrap_or_default();
            text.clear();
            text.push_str(date.trim_end_matches('Z'));
            *known = second;
        }
        line.extend_from_slice(text.as_bytes());
    });
    // Writing into memory does not fail.
    let _ = write!(line, ".{:06}Z", now.micros().rem_euclid(1_000_000));
}

struct Fields<'a> {
    line: &'a mut Vec<u8>,
    is_plain: bool,
}

impl Fields<'_> {
    fn name(&mut self, name: &str) {
        self.line.extend_from_slice(b",\"");
        self.line.extend_from_slice(name.as_bytes());
        self.line.extend_from_slice(b"\":");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.line.push(b'"');
        self.inside(text);
        self.line.push(b'"');
    }

    /// Text between its quotes.
    fn inside(&mut self, text: &str) {
        let needs_nothing = |byte: &u8| (0x20..0x7f).contains(byte) && *byte != b'"' && *byte != b'\\';
        // Without a way out in the middle the compiler looks at many bytes at once.
        if text.as_bytes().iter().fold(true, |so_far, byte| so_far & needs_nothing(byte)) {
            return self.line.extend_from_slice(text.as_bytes());
        }
        self.is_plain = false;
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let escaped = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
        self.line.extend_from_slice(escaped.as_bytes());
    }

    /// Into memory, which takes everything.
    fn json<T: serde::Serialize + ?Sized>(&mut self, value: &T) {
        let _ = serde_json::to_writer(&mut *self.line, value);
    }
}

/// What is shown by its own code, piece by piece.
struct Inside<'a, 'b>(&'a mut Fields<'b>);

impl fmt::Write for Inside<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.inside(text);
        Ok(())
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field.name());
        self.line.push(b'"');
        let _ = write!(Inside(self), "{value:?}");
        self.line.push(b'"');
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field.name());
        self.json(&value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field.name());
        self.json(&value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field.name());
        self.json(&value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.name(field.name());
        self.json(&value);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{Registry, fmt};

    use super::super::log_queue::{LogCounts, Reader};
    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Reader for Paper {
        fn lines(&mut self, text: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(())
        }

        fn idle(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.lines(bytes).map(|()| bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What we write, and what `tracing-subscriber` writes.
    fn both(say: impl FnOnce()) -> [String; 2] {
        let (ours, theirs) = (Paper::default(), Paper::default());
        let (queue, mut thread) = LogQueue::start(100, LogCounts::default(), ours.clone());
        let writer = theirs.clone();
        let reference =
            fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
        let lines = Registry::default()
            .with(JsonLines::new(queue))
            .with(reference.with_writer(move || writer.clone()));
        tracing::subscriber::with_default(lines, say);
        assert!(thread.end(Duration::from_secs(20)));
        [ours, theirs].map(|paper| String::from_utf8(paper.0.lock().unwrap().clone()).unwrap())
    }

    #[test]
    fn a_line_is_what_tracing_subscriber_would_write() {
        let [ours, theirs] = both(|| {
            let (none, some) = (None::<&str>, Some("x"));
            tracing::info!(a = "plain", b = "q\"u\\o\nte", c = "caf\u{e9}", none, some, "a message");
            tracing::warn!(
                n = -5,
                u = u64::MAX,
                f = 0.25,
                whole = 2.0,
                nan = f64::NAN,
                yes = true,
                "é \"{}\"",
                7
            );
            tracing::error!(shown = %"a\tb", debugged = ?vec!["x", "\u{1}"], "");
        });
        let behind_time = |line: &str| line.split_once("\",\"level\"").unwrap().1.to_owned();
        let each = |text: &str| text.lines().map(behind_time).collect::<Vec<_>>();
        assert_eq!(each(&ours), each(&theirs));
        assert_eq!(each(&ours).len(), 3);
    }

    #[test]
    fn the_time_is_written_to_the_microsecond() {
        let [ours, theirs] = both(|| tracing::info!("now"));
        let (ours, theirs) = (&ours[..42], &theirs[..42]);
        let without_digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
        assert_eq!(without_digits(ours), without_digits(theirs));
        assert_eq!(ours[..25], theirs[..25], "the day");
    }
}
