//! This file is where secrets, tokens and keys are taken in: from standard input or a file, never from a flag, which every
//! process of the machine could read.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read, Write as _};
use std::path::Path;

use gatepost_operations::core::secret::Secret;

use crate::ending::Trouble;

/// More than any token or secret is long.
const MOST: u64 = 64 * 1024;

/// What is asked for, and the flag that names a file with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    noun: &'static str,
    flag: &'static str,
}

pub(super) const SECRET: Asked = Asked { noun: "secret", flag: "--secret-file" };
pub(super) const TOKEN: Asked = Asked { noun: "token", flag: "--token-file" };
pub(super) const PUBLIC_PEM: Asked = Asked { noun: "public key", flag: "--pem-file" };
pub(super) const PUBLIC_JWK: Asked = Asked { noun: "JWK", flag: "--jwk-file" };
pub(super) const PRIVATE_KEY: Asked = Asked { noun: "private key", flag: "--pem-file" };

/// Reads it from the file, else from standard input; blanks around it are left out.
pub(super) fn read(asked: Asked, file: Option<&Path>) -> Result<Secret, Trouble> {
    let Asked { noun, flag } = asked;
    let text = match file {
        Some(path) => File::open(path).and_then(whole),
        None if io::stdin().is_terminal() => ask(noun),
        None => whole(io::stdin().lock()),
    };
    let source = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let fix = format!("write it to standard input, or name a file with {flag}");
    let text = text.map_err(|error| {
        Trouble::usage(
            "input.unreadable",
            format!("can't read the {noun} from {source}"),
            error.to_string(),
            &fix,
        )
    })?;

    let trimmed = text.trim();
    let bare = if noun == TOKEN.noun { trimmed.strip_prefix("Bearer ").unwrap_or(trimmed) } else { trimmed };
    if bare.is_empty() {
        return Err(Trouble::usage(
            "input.empty",
            format!("there is no {noun}"),
            format!("{source} is empty"),
            &fix,
        ));
    }
    Ok(Secret::new(bare.to_owned()))
}

fn whole(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let read = source.take(MOST + 1).read_to_string(&mut text)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MOST {
        return Err(io::Error::other("it is longer than 64 KiB"));
    }
    Ok(text)
}

fn ask(noun: &str) -> io::Result<String> {
    let _ = write!(io::stderr(), "Paste the {noun} and press Enter: ");
    let mut text = String::new();
    let mut input = io::stdin().lock().take(MOST);
    // A key has many lines, of which the last says so; anything else has one.
    while input.read_line(&mut text)? > 0 && text.contains("-----BEGIN") && !text.contains("-----END") {}
    Ok(text)
}
