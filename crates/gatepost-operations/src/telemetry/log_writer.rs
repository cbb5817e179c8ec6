//! This file is where log lines are handed to the queue and from there to their reader, one line each whatever is in them.
//!
//! Every line is made harmless last of all, so that no field, whoever wrote it, can forge a second
//! line or move a terminal's cursor.
//! When the queue had no room for some lines, a line says how many were lost once there is room again.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use super::log_queue::{LogCounts, LogQueue, Reader};

/// Losses are reported at most this often, so that the report does not itself add to the flood.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// The side of the requests: hands a line of text to the queue and returns.
pub(super) struct Entrance(pub(super) LogQueue);

impl<'a> MakeWriter<'a> for Entrance {
    type Writer = &'a Entrance;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Entrance {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(&harmless(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The side of the reader: writes the lines, and now and then how many were lost.
pub(super) struct Exit<W: Write> {
    writer: W,
    counts: LogCounts,
    json: bool,
    reported: u64,
    last_report: Option<Instant>,
}

impl<W: Write> Exit<W> {
    pub(super) fn new(writer: W, counts: LogCounts, json: bool) -> Self {
        Self { writer, counts, json, reported: 0, last_report: None }
    }

    fn report_losses(&mut self) -> io::Result<()> {
        let dropped = self.counts.dropped();
        if dropped == self.reported {
            return Ok(());
        }
        self.last_report = Some(Instant::now());
        self.writer.write_all(loss_line(dropped.saturating_sub(self.reported), self.json).as_bytes())?;
        self.reported = dropped;
        Ok(())
    }
}

impl<W: Write + Send + 'static> Reader for Exit<W> {
    fn lines(&mut self, text: &[u8]) -> io::Result<()> {
        self.writer.write_all(text)
    }

    /// There is room again.
    fn idle(&mut self) -> io::Result<()> {
        if self.last_report.is_none_or(|last| last.elapsed() >= REPORT_EVERY) {
            self.report_losses()?;
        }
        self.writer.flush()
    }
}

impl<W: Write> Drop for Exit<W> {
    fn drop(&mut self) {
        // The last word; if the reader is gone there is nobody to tell.
        let _ = self.report_losses();
        let _ = self.writer.flush();
    }
}

fn loss_line(lost: u64, json: bool) -> String {
    let mut time = String::new();
    // Formatting into a string does not fail; without the time the line is still worth having.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    let message = "log lines were dropped because their reader is too slow";
    if json {
        format!(
            "{{\"timestamp\":\"{time}\",\"level\":\"WARN\",\"message\":\"{message}\",\"dropped\":{lost}}}\n"
        )
    } else {
        format!("{time}  WARN {message} dropped={lost}\n")
    }
}

/// The line with every character escaped that could end it, steer a terminal or turn its text around.
///
/// The escape is JSON's, so that a JSON line stays one.
pub(super) fn harmless(line: &[u8]) -> Cow<'_, [u8]> {
    let body = line.strip_suffix(b"\n").unwrap_or(line);
    if body.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return Cow::Borrowed(line);
    }
    let text = String::from_utf8_lossy(body);
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_harmful(character) {
            // All harmful characters are in the basic plane: four digits do.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped.push('\n');
    Cow::Owned(escaped.into_bytes())
}

/// Control characters, line separators, and those that hide text or change its direction.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::harmless;

    fn escaped(line: &str) -> String {
        String::from_utf8(harmless(line.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn a_line_stays_one_line_whatever_is_in_it() {
        for (line, expected) in [
            ("plain\n", "plain\n"),
            ("a\nb\n", "a\\u000ab\n"),
            ("a\rb\n", "a\\u000db\n"),
            ("\u{1b}[2Jgone\n", "\\u001b[2Jgone\n"),
            ("\u{9b}31m\n", "\\u009b31m\n"),
            ("abc\u{202e}cba\n", "abc\\u202ecba\n"),
            ("a\u{2028}b\n", "a\\u2028b\n"),
            ("caf\u{e9} \u{1f600}\n", "caf\u{e9} \u{1f600}\n"),
        ] {
            assert_eq!(escaped(line), expected);
        }
    }
}
