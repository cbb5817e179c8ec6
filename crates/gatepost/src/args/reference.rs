//! This file is where docs/reference/commands.md is made from the description of the command line, and held to it.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};

use super::CommandLine;

const INTRODUCTION: &str = "\
# Commands

`gatepost NOUN VERB`; `--help` behind any of them prints what stands here.
Partners are named by UUID or slug, APIs by name, clients by their client id.
Commands work on the state directly; a running server takes up what they changed within a second.
Secrets and tokens are read from standard input or a file, never from a flag.
With `--json` a command prints one JSON document on standard output; `list` prints an array of what `show` prints.
A list has headings on a terminal only; elsewhere it is bare rows, so that they can be counted and searched.
A script takes `--json`: its members keep their names, while columns may come and move.
[Exit codes](exit-codes.md) say how a command ended.

This page is made from the program's own description; `UPDATE=1 cargo test -p gatepost --bin gatepost` makes it again.
";

/// `docs/reference/commands.md`.
fn page() -> String {
    let mut root = CommandLine::command();
    root.build();
    let mut page = INTRODUCTION.to_owned();
    page += "\n## Options of every command\n\n";
    root.get_arguments().filter(|arg| arg.is_global_set()).for_each(|arg| option(&mut page, arg));
    for noun in own(&root) {
        section(&mut page, noun);
    }
    page
}

fn own(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set())
}

fn section(page: &mut String, noun: &Command) {
    let _ = write!(page, "\n## gatepost {}\n\n{}.\n", noun.get_name(), about(noun));
    if own(noun).next().is_none() {
        body(page, noun);
    }
    own(noun).for_each(|verb| verbs(page, noun.get_name(), verb));
}

/// A verb, or the verbs of a noun within a noun, such as `api secret add`.
fn verbs(page: &mut String, before: &str, verb: &Command) {
    let name = format!("{before} {}", verb.get_name());
    if own(verb).next().is_none() {
        let _ = write!(page, "\n### gatepost {name}\n\n{}.\n", about(verb));
        body(page, verb);
    }
    own(verb).for_each(|inner| verbs(page, &name, inner));
}

fn body(page: &mut String, command: &Command) {
    let usage = command.clone().render_usage().to_string();
    let _ = write!(page, "\n```\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
    let arguments: Vec<&Arg> =
        command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help").collect();
    if !arguments.is_empty() {
        page.push('\n');
        arguments.into_iter().for_each(|arg| option(page, arg));
    }
}

fn option(page: &mut String, arg: &Arg) {
    let value = arg.get_value_names().and_then(|names| names.first()).map(|name| format!("<{name}>"));
    let takes_value = arg.get_action().takes_values();
    let name = match (arg.get_short(), arg.get_long(), value.filter(|_| takes_value)) {
        (Some(short), Some(long), _) => format!("-{short}, --{long}"),
        (None, Some(long), Some(value)) => format!("--{long} {value}"),
        (None, Some(long), None) => format!("--{long}"),
        (_, None, value) => value.unwrap_or_else(|| arg.get_id().to_string()),
    };
    let words: Vec<String> =
        arg.get_possible_values().iter().map(|word| format!("`{}`", word.get_name())).collect();
    let choice = if words.is_empty() || !takes_value {
        String::new()
    } else {
        format!("; one of {}", words.join(", "))
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "- `{name}`: {help}{choice}.");
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn the_page_of_commands_is_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/commands.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "{} is out of date; run this test with UPDATE=1", path.display());
}
