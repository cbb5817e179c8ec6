//! This file is where the head of an HTTP/1 request is read strictly, before anything else sees it (RFC 9112 sections 2 to 6).
//!
//! What two readers of a request could understand differently is refused, not repaired: that is
//! the whole defence against request smuggling, and it only works in front of a reader that repairs.

use memchr::memchr;

use crate::http::malformed::Malformed;

/// Longer methods than any that is registered.
const LONGEST_METHOD: usize = 32;
/// Nineteen digits always fit 64 bits.
const LONGEST_LENGTH: usize = 19;
/// RFC 9112 section 2.2 lets empty lines precede a request; a few are enough.
const MOST_BLANK_LINES: u8 = 4;

/// Where the body of a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After that many bytes; without a body after none.
    Length(u64),
    /// After the last chunk.
    Chunked,
}

/// What a token may hold (RFC 9110 section 5.6.2).
const OF_TOKENS: [bool; 256] = letters_digits_and(b"!#$%&'*+-.^_`|~");
/// What a host may hold (RFC 3986 section 3.2.2).
const OF_HOSTS: [bool; 256] = letters_digits_and(b"-._~%:[]!$&'()*+,;=");
/// What a target may hold of which every reader of URIs makes the same.
const OF_PLAIN_TARGETS: [bool; 256] = letters_digits_and(b"-._~/?&=%:@!$'()*+,;");
/// Longer targets are read as URIs whatever they hold.
const LONGEST_PLAIN: usize = 1024;

/// Looks for the end of a head in bytes that arrive little by little, each looked at once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HeadScan {
    seen: usize,
    previous: u8,
    line_has_text: bool,
    past_first_line: bool,
    blank_lines: u8,
}

/// What a look at the bytes so far shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The head is not complete.
    More,
    /// An empty line of that length precedes the request line.
    Blank(usize),
    /// The head is complete and that long.
    Head(usize),
}

impl HeadScan {
    /// Looks at what was not looked at yet; `bytes` always starts at the start of the head.
    pub(crate) fn look(&mut self, bytes: &[u8], limit: usize) -> Result<Scanned, Malformed> {
        loop {
            self.pass_text(bytes.get(self.seen..limit.min(bytes.len())).unwrap_or_default());
            if self.seen >= limit {
                return Err(self.too_long());
            }
            let Some(byte) = bytes.get(self.seen).copied() else {
                return Ok(Scanned::More);
            };
            self.seen += 1;
            let previous = std::mem::replace(&mut self.previous, byte);
            match (previous, byte) {
                (b'\r', b'\n') if self.line_has_text => {
                    self.line_has_text = false;
                    self.past_first_line = true;
                }
                (b'\r', b'\n') if self.past_first_line => return Ok(Scanned::Head(self.seen)),
                (b'\r', b'\n') => return self.blank(),
                (b'\r', _) | (_, b'\n') => return Err(Malformed::ControlCharacter),
                (_, b'\r') => {}
                (_, byte) if is_control(byte) => return Err(Malformed::ControlCharacter),
                _ => self.line_has_text = true,
            }
            if self.seen >= limit {
                return Err(self.too_long());
            }
        }
    }

    /// Goes on to what is no text, as most of a head is.
    fn pass_text(&mut self, rest: &[u8]) {
        if self.previous == b'\r' {
            return;
        }
        let length = text_before_control(rest);
        if let Some(last) = length.checked_sub(1).and_then(|last| rest.get(last)) {
            self.previous = *last;
            self.line_has_text = true;
            self.seen += length;
        }
    }

    fn blank(&mut self) -> Result<Scanned, Malformed> {
        let length = self.seen;
        let blank_lines = self.blank_lines + 1;
        if blank_lines > MOST_BLANK_LINES {
            return Err(Malformed::RequestLine);
        }
        *self = Self { blank_lines, ..Self::default() };
        Ok(Scanned::Blank(length))
    }

    fn too_long(&self) -> Malformed {
        if self.past_first_line { Malformed::HeadTooLarge } else { Malformed::UriTooLong }
    }
}

/// How many bytes stand before the first control character; sixteen are looked at at once.
fn text_before_control(text: &[u8]) -> usize {
    const AT_ONCE: usize = 16;
    let (some, _) = text.as_chunks::<AT_ONCE>();
    let is_text = |some: &&[u8; AT_ONCE]| !some.iter().fold(false, |any, byte| any | is_control(*byte));
    let whole = some.iter().take_while(is_text).count() * AT_ONCE;
    whole + text.iter().skip(whole).take_while(|byte| !is_control(**byte)).count()
}

/// The lines of a complete head, without their ends.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = head;
    std::iter::from_fn(move || {
        let (line, behind) = rest.split_at_checked(memchr(b'\n', rest)?)?;
        rest = behind.strip_prefix(b"\n").unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// Reads a complete head and says where its body ends.
pub(crate) fn framing(head: &[u8], most_headers: usize) -> Result<Framing, Malformed> {
    let mut lines = lines(head);
    let version = request_line(lines.next().unwrap_or_default())?;
    let mut fields = Fields::default();
    for (number, line) in lines.take_while(|line| !line.is_empty()).enumerate() {
        if number >= most_headers {
            return Err(Malformed::HeadTooLarge);
        }
        fields.read(line)?;
    }
    fields.framing(version)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

fn request_line(line: &[u8]) -> Result<Version, Malformed> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Malformed::RequestLine);
    };
    let target_is_one = !target.is_empty() && target.iter().all(u8::is_ascii_graphic);
    if !is_token(method) || method.len() > LONGEST_METHOD || !target_is_one {
        return Err(Malformed::RequestLine);
    }
    if !is_plain(target) && http::Uri::try_from(target).is_err() {
        return Err(Malformed::RequestLine);
    }
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        other if other.starts_with(b"HTTP/") => Err(Malformed::Version),
        _ => Err(Malformed::RequestLine),
    }
}

/// The headers that decide where a request ends and whom it is for.
#[derive(Default)]
struct Fields {
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
}

impl Fields {
    fn read(&mut self, line: &[u8]) -> Result<(), Malformed> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(Malformed::FoldedHeader);
        }
        let colon = memchr(b':', line).ok_or(Malformed::HeaderLine)?;
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii();
        // A space before the colon makes the name no token (RFC 9112 section 5.1).
        if !is_token(name) {
            return Err(Malformed::HeaderLine);
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.transfer_encoding(value),
            _ => Ok(()),
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), Malformed> {
        self.hosts += 1;
        if self.hosts > 1 || !is_all(value, &OF_HOSTS) { Err(Malformed::Host) } else { Ok(()) }
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Malformed> {
        let is_number =
            !value.is_empty() && value.len() <= LONGEST_LENGTH && value.iter().all(u8::is_ascii_digit);
        if self.length.is_some() || !is_number {
            return Err(Malformed::ContentLength);
        }
        let digits = value.iter().map(|byte| u64::from(byte - b'0'));
        self.length = Some(digits.fold(0, |number, digit| number * 10 + digit));
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Malformed> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Malformed::TransferEncoding);
        }
        self.chunked = true;
        Ok(())
    }

    fn framing(self, version: Version) -> Result<Framing, Malformed> {
        if version == Version::Http11 && self.hosts == 0 {
            return Err(Malformed::Host);
        }
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Malformed::TwoLengths),
            (true, None) if version == Version::Http10 => Err(Malformed::TransferEncoding),
            (true, None) => Ok(Framing::Chunked),
            (false, length) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

fn is_plain(target: &[u8]) -> bool {
    target.starts_with(b"/") && target.len() <= LONGEST_PLAIN && is_all(target, &OF_PLAIN_TARGETS)
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && is_all(text, &OF_TOKENS)
}

fn is_all(text: &[u8], allowed: &[bool; 256]) -> bool {
    text.iter().all(|byte| allowed.get(usize::from(*byte)).is_some_and(|allowed| *allowed))
}

/// A table, since each byte of each head is looked up.
const fn letters_digits_and(others: &[u8]) -> [bool; 256] {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < u8::MAX {
        allowed[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        allowed[others[at] as usize] = true;
        at += 1;
    }
    allowed
}

/// Control characters; the tab is white space in headers.
pub(super) fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

#[cfg(test)]
mod tests;
