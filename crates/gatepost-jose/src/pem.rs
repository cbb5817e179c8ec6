//! This file is where PEM texts are read as people paste them and written as OpenSSL writes them (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::KeyError;

/// A block: its label and its bytes.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// The first block that is a key.
///
/// CRLF, a missing final newline and newlines written as `\n` (as environment variables often hold them) are read;
/// the `EC PARAMETERS` that OpenSSL writes before a key are skipped.
pub(crate) fn read(text: &str) -> Result<Block, KeyError> {
    let text = Zeroizing::new(text.replace("\\r", "").replace("\\n", "\n"));
    let mut rest = text.as_str();
    loop {
        let (label, body, after) = next(rest).ok_or(KeyError::NoPem)?;
        if label == "EC PARAMETERS" {
            rest = after;
            continue;
        }
        return block(label, body);
    }
}

fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (_, after) = text.split_once("-----BEGIN ")?;
    let (label, after) = after.split_once("-----")?;
    let (body, after) = after.split_once("-----END ")?;
    let (end_label, after) = after.split_once("-----")?;
    (label == end_label && is_label(label)).then_some((label, body, after))
}

fn is_label(label: &str) -> bool {
    label.len() <= 64 && label.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ')
}

fn block(label: &str, body: &str) -> Result<Block, KeyError> {
    if label.starts_with("ENCRYPTED") || body.contains("Proc-Type:") {
        return Err(KeyError::Encrypted);
    }
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    let der = STANDARD.decode(base64.as_bytes()).map_err(|_| KeyError::NoPem)?;
    Ok(Block { label: label.to_owned(), der: Zeroizing::new(der) })
}

/// A block with lines of 64 characters and a final newline.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut column = 0_usize;
    for character in STANDARD.encode(der).chars() {
        if column == 64 {
            text.push('\n');
            column = 0;
        }
        text.push(character);
        column = column.saturating_add(1);
    }
    text.push_str("\n-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label_and_length(text: &str) -> (String, usize) {
        let block = read(text).unwrap();
        (block.label, block.der.len())
    }

    #[test]
    fn what_is_written_is_read_in_every_usual_disguise() {
        let text = write("PUBLIC KEY", &[7; 100]);
        assert!(text.lines().all(|line| line.len() <= 64));
        for disguise in [
            text.clone(),
            text.replace('\n', "\r\n"),
            text.trim_end().to_owned(),
            text.replace('\n', "\\n"),
            text.replace('\n', "\\r\\n"),
            format!("a comment before\n{text}and after"),
        ] {
            assert_eq!(label_and_length(&disguise), ("PUBLIC KEY".into(), 100), "{disguise}");
        }
    }

    #[test]
    fn ec_parameters_before_a_key_are_skipped() {
        let text = write("EC PARAMETERS", &[6; 10]) + &write("EC PRIVATE KEY", &[7; 20]);
        assert_eq!(label_and_length(&text), ("EC PRIVATE KEY".into(), 20));
    }

    #[test]
    fn encrypted_keys_are_named_as_such() {
        let new = write("ENCRYPTED PRIVATE KEY", &[1]);
        let old =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        for text in [new.as_str(), old] {
            assert_eq!(read(text).err(), Some(KeyError::Encrypted));
        }
    }

    #[test]
    fn other_texts_are_no_pem() {
        for text in [
            "",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----",
            "-----BEGIN x-----\nAAAA\n-----END x-----",
        ] {
            assert_eq!(read(text).err(), Some(KeyError::NoPem), "{text}");
        }
    }
}
