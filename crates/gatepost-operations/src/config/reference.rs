//! This file is where the table of settings becomes documents: the reference and the example file.

use std::fmt::Write as _;

use super::amount::{write_duration, write_size};
use super::setting::{Kind, Setting};
use super::table::settings;

const INTRODUCTION: &str = "\
# Settings

A setting comes from a flag, the environment, the file or its default; the first of these that says something wins.
The file is the one that `--config` or `GATEPOST_CONFIG` names; without either there is none.
`gatepost config explain KEY` tells the value in force and where it came from, `gatepost config show` all of them.

- In the environment a setting is `GATEPOST_` and its path in capitals with `__` between the parts: `GATEPOST_SERVER__LISTEN`.
- With `_FILE` behind the name the value is read from a file, without the newline at its end: `GATEPOST_DATABASE__URL_FILE`.
- Lists are comma separated in the environment and in flags.
- Of names without `__` only `GATEPOST_DATA`, `GATEPOST_CONFIG`, `GATEPOST_ISSUER`, `GATEPOST_URL` and `GATEPOST_TOKEN_FILE` count; others are ignored with one warning.
- An unknown setting, in the file as in the environment, is an error with a suggestion and exit code 3.
- Durations have a unit: `500ms`, `15s`, `10m`, `24h`, `30d`.
- Sizes are bytes or have a unit: `65536`, `64KiB`, `1MiB`.
- Paths are relative to the folder the program is started in.
- Plain HTTP on an address that is not loopback is refused unless `server.behind_proxy` says that a proxy ends TLS.

This page is made from the table of settings in the program.
";

const EXAMPLE: &str = "\
# Gatepost's settings, every one with its default.
# Take away the `#` before those that you change; what they mean in full is in docs/reference/config.md.
# gatepost serve --config gatepost.toml
";

impl Kind {
    /// What it takes, in the words of the reference and of errors.
    pub fn described(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Duration(least, most) => {
                format!("a duration from {} to {}", write_duration(least), write_duration(most))
            }
            Self::Size(least, most) => format!("a size from {} to {}", write_size(least), write_size(most)),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Path => "a path".to_owned(),
            Self::Address => "an address and a port; port 0 takes a free one".to_owned(),
            Self::Networks => "a list of addresses and networks".to_owned(),
            Self::Hosts => "a list of host names, addresses and networks".to_owned(),
            Self::Url => "a URL".to_owned(),
            Self::Rate => "a rate such as `100/min`, `5/s` or `2000/h`; 0 for no limit".to_owned(),
        }
    }
}

/// `docs/reference/config.md`.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut section = None;
    for setting in settings() {
        if section != Some(setting.section()) {
            section = Some(setting.section());
            heading(&mut page, setting.section());
        }
        entry(&mut page, setting);
    }
    page
}

/// `gatepost.example.toml`.
pub fn example() -> String {
    let mut file = EXAMPLE.to_owned();
    let mut section = "";
    for setting in settings() {
        if section != setting.section() {
            section = setting.section();
            let _ = write!(file, "\n[{section}]\n");
        } else if section.is_empty() {
            file.push('\n');
        }
        let note = match setting.default_note {
            "" => String::new(),
            note => format!("    # {}: {note}", shown(setting.default)),
        };
        let _ = writeln!(file, "# {}", setting.description);
        let _ = writeln!(file, "#{} = {}{note}", setting.name(), toml_value(setting));
    }
    file
}

fn heading(page: &mut String, section: &str) {
    let _ = match section {
        "" => write!(page, "\n## Top of the file\n"),
        named => write!(page, "\n## [{named}]\n"),
    };
}

fn entry(page: &mut String, setting: &Setting) {
    let note = match setting.default_note {
        "" => String::new(),
        note => format!(" ({note})"),
    };
    let _ = write!(page, "\n### `{}`\n\n", setting.key);
    for sentence in sentences(setting.description) {
        let _ = writeln!(page, "{sentence}");
    }
    let _ = write!(
        page,
        "\n- Takes: {}\n- Default: {}{note}\n- Environment: `{}`\n",
        setting.kind.described(),
        shown(setting.default),
        setting.variable()
    );
    if setting.secret {
        page.push_str("- A password in it is never shown\n");
    }
}

/// One sentence a line, as everywhere in these documents.
fn sentences(text: &str) -> impl Iterator<Item = String> {
    let count = text.split(". ").count();
    text.split(". ")
        .enumerate()
        .map(move |(at, sentence)| if at + 1 == count { sentence.to_owned() } else { format!("{sentence}.") })
}

fn shown(default: &str) -> String {
    if default.is_empty() { "none".to_owned() } else { format!("`{default}`") }
}

fn toml_value(setting: &Setting) -> String {
    match setting.kind {
        Kind::Switch | Kind::Whole(..) => setting.default.to_owned(),
        Kind::Networks | Kind::Hosts => "[]".to_owned(),
        Kind::Text
        | Kind::Duration(..)
        | Kind::Size(..)
        | Kind::Choice(_)
        | Kind::Path
        | Kind::Address
        | Kind::Url
        | Kind::Rate => format!("\"{}\"", setting.default),
    }
}
