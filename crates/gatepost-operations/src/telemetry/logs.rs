//! This file is where logging is started: text on a terminal, JSON elsewhere, through a writer that drops rather than blocks.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

use super::json_lines::JsonLines;
pub use super::log_queue::LogCounts;
use super::log_queue::{LogQueue, LogThread};
use super::log_writer::{Entrance, Exit};
use crate::config::{LogFormat, LogLevel, LogSettings};

/// How long the end of the program waits for the last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Targets that are ours: they follow `log.level`, all others are libraries.
const OURS: [&str; 2] = ["gatepost", "bookings"];

/// Logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Something in this process already writes a log.
    #[error("logging is already started in this process; start it once, from main")]
    AlreadyStarted,
}

/// Keeps the log running; dropping it writes the lines that still wait.
#[must_use = "the log ends when its guard is dropped"]
pub struct LogGuard {
    thread: LogThread,
    counts: LogCounts,
}

/// Starts the log of this process.
///
/// Libraries never write below `warn`: what they tell about a request in detail may hold what a log must not.
pub fn start<W>(settings: &LogSettings, writer: W) -> Result<LogGuard, LogError>
where
    W: Write + IsTerminal + Send + 'static,
{
    let terminal = writer.is_terminal();
    let (subscriber, guard) = subscriber(settings, terminal, writer);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadyStarted)?;
    Ok(guard)
}

/// What [`start`] installs, for those who run more than one log in a process.
pub fn subscriber<W>(
    settings: &LogSettings,
    terminal: bool,
    writer: W,
) -> (Box<dyn Subscriber + Send + Sync>, LogGuard)
where
    W: Write + Send + 'static,
{
    let json = match settings.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let counts = LogCounts::default();
    let exit = Exit::new(writer, counts.clone(), json);
    let (queue, thread) = LogQueue::start(settings.buffer, counts.clone(), exit);
    let lines = lines(json, queue).with_filter(targets(settings.level));
    (Box::new(Registry::default().with(lines)), LogGuard { thread, counts })
}

fn lines(json: bool, queue: LogQueue) -> Box<dyn Layer<Registry> + Send + Sync> {
    if json {
        return Box::new(JsonLines::new(queue));
    }
    // Errors inside the log go nowhere: the only place left is standard error, which panics when it is closed.
    let lines = fmt::layer().with_writer(Entrance(queue)).with_ansi(false).log_internal_errors(false);
    Box::new(lines.with_target(false))
}

fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let libraries = Targets::new().with_default(level.min(LevelFilter::WARN));
    OURS.into_iter().fold(libraries, |targets, ours| targets.with_target(ours, level))
}

impl LogGuard {
    /// How many lines were lost so far.
    pub fn dropped(&self) -> u64 {
        self.counts.dropped()
    }

    /// The counts, for those who report them.
    pub fn counts(&self) -> LogCounts {
        self.counts.clone()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        // A pipe that nobody reads must not keep the program from ending: the thread then ends with the process.
        self.thread.end(LAST_LINES);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read};
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn settings(format: LogFormat, buffer: usize) -> LogSettings {
        LogSettings { format, level: LogLevel::Info, buffer }
    }

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written while `work` runs.
    fn written(settings: &LogSettings, terminal: bool, work: impl FnOnce()) -> String {
        let paper = Paper::default();
        let (subscriber, guard) = subscriber(settings, terminal, paper.clone());
        tracing::subscriber::with_default(subscriber, work);
        drop(guard);
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn auto_is_text_on_a_terminal_and_json_elsewhere() {
        let say = || tracing::info!(target: "gatepost", answer = 42, "hello");
        let text = written(&settings(LogFormat::Auto, 10), true, say);
        let json = written(&settings(LogFormat::Auto, 10), false, say);

        assert!(text.contains("INFO hello answer=42"), "{text}");
        let line: serde_json::Value = serde_json::from_str(json.trim_end()).unwrap();
        assert_eq!(line["message"], "hello");
        assert_eq!(line["answer"], 42);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn no_field_forges_a_line_in_either_form() {
        let say = || {
            let evil = "x\r\n2026-11-23 INFO forged \u{1b}[2J \u{202e}";
            tracing::info!(target: "gatepost", shown = %evil, debugged = ?evil, "{evil}");
        };
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = written(&settings(format, 10), false, say);
            let body = line.strip_suffix('\n').unwrap();
            assert!(body.contains("forged"), "{body}");
            assert!(!body.chars().any(char::is_control), "{body:?}");
            assert!(!body.contains('\u{202e}'), "{body:?}");
        }
    }

    #[test]
    fn libraries_are_quiet_below_warn_whatever_the_level() {
        let loud = LogSettings { level: LogLevel::Trace, ..settings(LogFormat::Text, 10) };
        let text = written(&loud, false, || {
            tracing::debug!(target: "gatepost_server::http", "ours");
            tracing::info!(target: "hyper::proto", "theirs");
            tracing::warn!(target: "hyper::proto", "serious");
        });
        assert!(text.contains("ours") && text.contains("serious"), "{text}");
        assert!(!text.contains("theirs"), "{text}");

        let off = LogSettings { level: LogLevel::Off, ..settings(LogFormat::Text, 10) };
        let silence = written(&off, false, || tracing::error!(target: "gatepost", "anything"));
        assert_eq!(silence, "");
    }

    #[test]
    fn a_pipe_that_nobody_reads_blocks_nobody_and_every_loss_is_told_when_room_returns() {
        const LINES: u64 = 20_000;
        let (reader, writer) = std::io::pipe().unwrap();
        let (subscriber, guard) = subscriber(&settings(LogFormat::Json, 64), false, writer);
        let began = Instant::now();
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..LINES {
                tracing::info!(target: "gatepost", number, "a line of ordinary length, as requests write them");
            }
        });
        assert!(began.elapsed() < SOON, "a full pipe must not block");
        let dropped = guard.dropped();
        assert!(dropped > 0 && dropped < LINES, "{dropped}");

        let reading = std::thread::spawn(move || {
            let lines = BufReader::new(reader).lines().map(Result::unwrap);
            let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
            lines.fold((0, 0), |(lines, told), line| match line["dropped"].as_u64() {
                Some(lost) => (lines, told + lost),
                None => (lines + 1, told),
            })
        });
        assert!(guard.thread.wait_until_written(SOON));
        drop(guard);
        assert_eq!(reading.join().unwrap(), (LINES - dropped, dropped));
    }

    #[test]
    fn the_end_of_the_program_does_not_wait_for_a_pipe_that_nobody_reads() {
        let (reader, writer) = std::io::pipe().unwrap();
        let (subscriber, guard) = subscriber(&settings(LogFormat::Text, 4), false, writer);
        tracing::subscriber::with_default(subscriber, || {
            while guard.dropped() == 0 {
                tracing::info!(target: "gatepost", "filling the pipe with one line after the other");
            }
        });
        let began = Instant::now();
        drop(guard);
        assert!(began.elapsed() < SOON, "the end must not wait for the reader");
        drop(reader);
    }

    #[test]
    fn a_closed_pipe_is_no_panic_and_counts_as_losses() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (subscriber, guard) = subscriber(&settings(LogFormat::Text, 64), false, writer);
        tracing::subscriber::with_default(subscriber, || tracing::info!(target: "gatepost", "to nobody"));
        let counts = guard.counts();
        drop(guard);
        assert_eq!(counts.dropped(), 1);
    }

    #[test]
    fn the_last_lines_are_written_before_the_end() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let (subscriber, guard) = subscriber(&settings(LogFormat::Text, 64), false, writer);
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..50 {
                tracing::info!(target: "gatepost", "line {number}.");
            }
        });
        drop(guard);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert!(text.contains("line 0.") && text.contains("line 49."), "{text}");
    }
}
