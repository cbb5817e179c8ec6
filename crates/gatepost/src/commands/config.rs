//! This file is where the commands about settings are carried out.

use gatepost_operations::config::{Config, Explained, Loaded, Source};
use serde::Serialize;

use super::settings;
use crate::args::{ConfigCommand, Globals};
use crate::ending::{Exit, Trouble};
use crate::output::Output;

const COLUMNS: [&str; 3] = ["key", "value", "source"];

/// A setting as it is printed.
#[derive(Serialize)]
struct Setting {
    key: &'static str,
    value: String,
    source: String,
    default: &'static str,
    description: &'static str,
    variable: String,
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    settings: usize,
    given: usize,
    warnings: Vec<String>,
}

/// Carries out a command about settings.
pub(super) fn run(globals: &Globals, command: ConfigCommand, output: Output) -> Result<(), Trouble> {
    match command {
        ConfigCommand::Show => show(&settings::load(globals, [])?, output),
        ConfigCommand::Check => check(settings::layers(globals, [])?, output),
        ConfigCommand::Explain { key } => explain(&settings::load(globals, [])?, &key, output),
    }
}

fn show(config: &Config, output: Output) -> Result<(), Trouble> {
    let all: Vec<Setting> = config.show().into_iter().map(Setting::from).collect();
    output.list(&all, &COLUMNS)
}

fn check(loaded: Loaded, output: Output) -> Result<(), Trouble> {
    let Loaded { config, warnings } = loaded;
    warnings.iter().for_each(|warning| output.warn(warning));
    let all = config.show();
    let given = all.iter().filter(|one| one.source != Source::Default).count();
    output.show(&Checked { ok: true, settings: all.len(), given, warnings })
}

fn explain(config: &Config, key: &str, output: Output) -> Result<(), Trouble> {
    let Some(explained) = config.explain(key) else {
        let fix = Config::meant(key).map(|meant| format!("did you mean `{meant}`?"));
        return Err(Trouble {
            exit: Exit::NotFound,
            code: "config.unknown_setting",
            what: format!("there is no setting `{}`", key.escape_debug()),
            why: "no section of the configuration has it".to_owned(),
            fix: fix.unwrap_or_else(|| "see `gatepost config show` for all of them".to_owned()),
        });
    };
    output.show(&Setting::from(explained))
}

impl From<Explained> for Setting {
    fn from(explained: Explained) -> Self {
        let Explained { key, value, source, default, default_note, description, variable } = explained;
        let default = if default.is_empty() { default_note } else { default };
        Self { key, value, source: source.to_string(), default, description, variable }
    }
}
