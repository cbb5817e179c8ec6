//! This folder is where a command speaks: documents and tables on standard output, remarks on standard error.
//!
//! Only what was asked for goes to standard output, so that `gatepost secret add C > file` writes the secret and
//! nothing else. A reader that went away is no failure, except where it took a secret with it.

pub(crate) mod escaping;
mod table;

use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write as _};

use serde::Serialize;
use serde_json::Value;

use self::escaping::printable;
use crate::args::Globals;
use crate::ending::{Exit, Trouble};

/// How this command speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    yes: bool,
}

/// Something with the secret that was made for it: the only time that it is seen.
#[derive(Serialize)]
struct WithSecret<'a, T> {
    #[serde(flatten)]
    view: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_secret: Option<&'a str>,
}

impl Output {
    /// Speaks as the global flags say.
    pub(crate) fn of(globals: &Globals) -> Self {
        Self { json: globals.json, quiet: globals.quiet, yes: globals.yes }
    }

    /// Whether a program reads along.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints one thing: all its members.
    pub(crate) fn show<T: Serialize>(self, view: &T) -> Result<(), Trouble> {
        if self.json {
            return self.document(view);
        }
        print(&table::details(&value_of(view)?))
    }

    /// Prints a list: a document for programs, a table of these members for people.
    pub(crate) fn list<T: Serialize>(self, views: &[T], columns: &[&str]) -> Result<(), Trouble> {
        if self.json {
            return self.document(&views);
        }
        let rows: Vec<Value> = views.iter().map(value_of).collect::<Result<_, _>>()?;
        if rows.is_empty() {
            self.note("none yet");
        }
        print(&table::rows(&rows, columns, io::stdout().is_terminal()))
    }

    /// Prints a list whose rows show the size of one member as a bar, where a person looks.
    pub(crate) fn chart<T: Serialize>(
        self,
        views: &[T],
        columns: &[&str],
        measure: &str,
    ) -> Result<(), Trouble> {
        if self.json || !io::stdout().is_terminal() {
            return self.list(views, columns);
        }
        let mut rows: Vec<Value> = views.iter().map(value_of).collect::<Result<_, _>>()?;
        table::add_bars(&mut rows, measure);
        self.list(&rows, &[columns, &[table::BAR]].concat())
    }

    /// Prints one document of JSON, in one line unless a person reads it.
    pub(crate) fn document<T: Serialize>(self, value: &T) -> Result<(), Trouble> {
        print(&json(value, io::stdout().is_terminal())?)
    }

    /// Prints one document of JSON in one line.
    pub(crate) fn line<T: Serialize>(self, value: &T) -> Result<(), Trouble> {
        print(&json(value, false)?)
    }

    /// Prints a text as it is.
    pub(crate) fn text(self, text: &str) -> Result<(), Trouble> {
        print(text)
    }

    /// Prints a secret that is seen only now: alone for people, as `client_secret` of its view for programs.
    pub(crate) fn hand_over<T: Serialize>(self, view: &T, secret: &str) -> Result<(), Trouble> {
        self.hand(&WithSecret { view, client_secret: Some(secret), api_secret: None }, secret, "secret")
    }

    /// Prints an API's secret in the same way, for programs as `api_secret`.
    pub(crate) fn hand_over_to_api<T: Serialize>(self, view: &T, secret: &str) -> Result<(), Trouble> {
        self.hand(&WithSecret { view, client_secret: None, api_secret: Some(secret) }, secret, "api secret")
    }

    fn hand<T: Serialize>(self, document: &T, secret: &str, noun: &str) -> Result<(), Trouble> {
        let text =
            if self.json { json(document, io::stdout().is_terminal())? } else { format!("{secret}\n") };
        write(&text).map_err(|error| Trouble {
            exit: Exit::Failed,
            code: "output.secret_lost",
            what: "the secret was made but could not be handed over".to_owned(),
            why: format!("standard output: {error}"),
            fix: format!("end it (`gatepost {noun} list`, `gatepost {noun} end`) and add another"),
        })
    }

    /// A remark for people.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            remark(text);
        }
    }

    /// A hint at what usually comes next; only a person at a terminal wants it.
    pub(crate) fn next(self, text: &str) {
        if !self.json && io::stderr().is_terminal() {
            self.note(text);
        }
    }

    /// A warning: said even when remarks are not wanted.
    pub(crate) fn warn(self, text: &str) {
        remark(&format!("warning: {text}"));
    }

    /// Asks before something is gone; `expected` must be typed. Without a terminal, or with `--yes`, nothing asks.
    pub(crate) fn confirm(self, question: &str, expected: &str) -> Result<(), Trouble> {
        if self.yes || !io::stdin().is_terminal() {
            return Ok(());
        }
        ask(question, expected)
    }

    /// Asks in the same way; but where nobody can be asked, only `--yes` is an answer, and without it `unanswered` ends it.
    pub(crate) fn insist(
        self,
        question: &str,
        expected: &str,
        unanswered: impl FnOnce() -> Trouble,
    ) -> Result<(), Trouble> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(unanswered());
        }
        ask(question, expected)
    }
}

/// Asks a person; anything but `expected` is a no.
fn ask(question: &str, expected: &str) -> Result<(), Trouble> {
    let _ = write!(io::stderr(), "{} Type {} to go on: ", printable(question), printable(expected));
    let mut answer = String::new();
    // An end of input is no answer, and no answer is no.
    let _ = io::stdin().lock().read_line(&mut answer);
    if answer.trim() == expected {
        return Ok(());
    }
    let fix = "repeat and type what is asked for, or give --yes";
    Err(Trouble {
        exit: Exit::Failed,
        code: "not_confirmed",
        what: "nothing was changed".to_owned(),
        why: "the question was not answered with it".to_owned(),
        fix: fix.to_owned(),
    })
}

/// Writes a line for people; nobody listening is no reason to fail.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes a failure where its reader looks: programs at standard output, people at standard error.
pub(crate) fn report(trouble: &Trouble, json: bool) {
    if json {
        let _ = write(&trouble.document());
    } else {
        let _ = io::stderr().write_all(trouble.text().as_bytes());
    }
}

fn print(text: &str) -> Result<(), Trouble> {
    match write(text) {
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Trouble {
            exit: Exit::Failed,
            code: "output.unwritable",
            what: "the output could not be written".to_owned(),
            why: format!("standard output: {error}"),
            fix: "make room, or send the output elsewhere".to_owned(),
        }),
        Ok(()) => Ok(()),
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn json<T: Serialize>(value: &T, pretty: bool) -> Result<String, Trouble> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.map(|text| text + "\n").map_err(unserializable)
}

fn value_of<T: Serialize>(view: &T) -> Result<Value, Trouble> {
    serde_json::to_value(view).map_err(unserializable)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn unserializable(error: serde_json::Error) -> Trouble {
    Trouble::internal("output.format", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stands_beside_the_members_of_its_view() {
        let text = json(
            &WithSecret { view: &serde_json::json!({"a": 1}), client_secret: Some("s"), api_secret: None },
            false,
        )
        .unwrap();
        assert_eq!(text, "{\"a\":1,\"client_secret\":\"s\"}\n");
    }
}
