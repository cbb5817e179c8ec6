//! This file is where the environment is read: `GATEPOST_` and the path of the setting, with `__` between its parts.
//!
//! `…_FILE` reads the value from a file instead, which is how container platforms hand over secrets.
//! Names without `__` belong to others as often as to us (Kubernetes sets `GATEPOST_PORT` for a
//! service called gatepost), so only the few that are ours count, and the rest is one warning.

use std::collections::BTreeMap;

use super::error::{ConfigError, Problem};
use super::explain::Source;
use super::given::Given;
use super::layers::{Layer, known};
use super::table;

const PREFIX: &str = "GATEPOST_";

/// Names without `__` that set something here.
const SHORT: [(&str, &str); 2] = [("GATEPOST_DATA", "data"), ("GATEPOST_ISSUER", "issuer")];

/// The name that gives the path of the configuration file.
pub(super) const CONFIG: &str = "GATEPOST_CONFIG";

/// Names without `__` that are read elsewhere: by the commands that talk to a remote server.
const ELSEWHERE: [&str; 3] = [CONFIG, "GATEPOST_URL", "GATEPOST_TOKEN_FILE"];

/// What the environment says, and what it says in vain.
pub(super) struct Environment {
    pub(super) layer: Layer,
    pub(super) ignored: Vec<String>,
}

/// Reads every `GATEPOST_` variable.
pub(super) fn read(variables: &BTreeMap<String, String>) -> Result<Environment, ConfigError> {
    let mut environment = Environment { layer: Layer::default(), ignored: Vec::new() };
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        if let Some((_, key)) = SHORT.iter().find(|(short, _)| short == name) {
            say(&mut environment.layer, key, name, text)?;
        } else if path.contains("__") {
            read_long(&mut environment.layer, variables, name, text)?;
        } else if !ELSEWHERE.contains(&name.as_str()) {
            environment.ignored.push(name.clone());
        }
    }
    Ok(environment)
}

fn read_long(
    layer: &mut Layer,
    variables: &BTreeMap<String, String>,
    name: &str,
    text: &str,
) -> Result<(), ConfigError> {
    let Some(plain) = name.strip_suffix("_FILE") else {
        return say(layer, &key_of(name), name, text);
    };
    if variables.contains_key(plain) {
        return Err(ConfigError::new(
            Problem::Conflict,
            format!("both {plain} and {name} are set"),
            "they are two ways to give one setting",
            format!("unset one of them; {name} keeps the value out of the environment"),
        ));
    }
    // The name is checked before the file is opened, so that a slip in it is what gets reported.
    known(&key_of(plain), name, "the environment")?;
    let value = std::fs::read_to_string(text).map_err(|source| {
        ConfigError::new(
            Problem::Unreadable,
            format!("cannot read the file {text} that {name} names"),
            source.to_string(),
            "give the path of a readable text file",
        )
    })?;
    say(layer, &key_of(plain), name, without_newline(&value))
}

fn say(layer: &mut Layer, key: &str, name: &str, text: &str) -> Result<(), ConfigError> {
    let setting = known(key, name, "the environment").map_err(|error| in_variables(key, error))?;
    layer.say(setting, Given::from_text(setting, text), Source::Env(name.to_owned()));
    Ok(())
}

/// Suggests the variable rather than the key.
fn in_variables(key: &str, error: ConfigError) -> ConfigError {
    let Some(meant) = table::meant(key).and_then(table::find) else {
        return error;
    };
    ConfigError::new(
        error.problem(),
        error.what(),
        error.why(),
        format!("did you mean `{}`?", meant.variable()),
    )
}

fn key_of(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).replace("__", ".").to_lowercase()
}

/// The text without the one newline that editors and `echo` leave at the end.
fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
