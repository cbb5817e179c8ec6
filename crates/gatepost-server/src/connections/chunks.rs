//! This file is where a chunked body is followed byte by byte, so that its end is where every reader sees it (RFC 9112 section 7.1).

use super::head::is_control;
use crate::http::malformed::Malformed;

/// Sixteen hexadecimal digits fit 64 bits; real chunks need far fewer.
const MOST_DIGITS: u8 = 8;
/// Extensions mean nothing here; a little of them is let pass.
const LONGEST_EXTENSION: usize = 256;
/// Trailers are read over and thrown away; a little of them is let pass.
const LONGEST_TRAILERS: usize = 8192;

/// Follows the chunks of one body.
#[derive(Debug, Default)]
pub(super) struct ChunkScan {
    place: Place,
    digits: u8,
    size: u64,
    extra: usize,
}

/// Where in the chunks the next byte stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Content(u64),
    ContentEnd,
    ContentLineFeed,
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastLineFeed,
    Over,
}

impl ChunkScan {
    /// Follows the bytes; how many of them belong to this body.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            match self.place {
                Place::Over => break,
                Place::Content(left) => {
                    let here = left.min(bytes.len().saturating_sub(at) as u64);
                    at += usize::try_from(here).unwrap_or(0);
                    self.place = if here == left { Place::ContentEnd } else { Place::Content(left - here) };
                    continue;
                }
                _ => self.place = self.next(byte)?,
            }
            at += 1;
        }
        Ok(at)
    }

    /// Whether the body is complete.
    pub(super) fn is_over(&self) -> bool {
        self.place == Place::Over
    }

    fn next(&mut self, byte: u8) -> Result<Place, Malformed> {
        match (self.place, byte) {
            (Place::Size, byte) if byte.is_ascii_hexdigit() => self.digit(byte),
            (Place::Size, b'\r') if self.digits > 0 => Ok(Place::SizeEnd),
            (Place::Size, b';') if self.digits > 0 => Ok(Place::Extension),
            (Place::Extension, b'\r') => Ok(Place::SizeEnd),
            (Place::Extension, byte) if !is_control(byte) => self.more(Place::Extension, LONGEST_EXTENSION),
            (Place::SizeEnd, b'\n') => Ok(self.sized()),
            (Place::ContentEnd, b'\r') => Ok(Place::ContentLineFeed),
            (Place::ContentLineFeed, b'\n') => Ok(Place::Size),
            (Place::TrailerStart, b'\r') => Ok(Place::LastLineFeed),
            (Place::TrailerStart, b' ' | b'\t' | b':') => Err(Malformed::Chunk),
            (Place::TrailerStart | Place::Trailer, byte) if !is_control(byte) => {
                self.more(Place::Trailer, LONGEST_TRAILERS)
            }
            (Place::Trailer, b'\r') => Ok(Place::TrailerEnd),
            (Place::TrailerEnd, b'\n') => Ok(Place::TrailerStart),
            (Place::LastLineFeed, b'\n') => Ok(Place::Over),
            _ => Err(Malformed::Chunk),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<Place, Malformed> {
        self.digits += 1;
        if self.digits > MOST_DIGITS {
            return Err(Malformed::Chunk);
        }
        let digit = char::from(byte).to_digit(16).ok_or(Malformed::Chunk)?;
        self.size = self.size * 16 + u64::from(digit);
        Ok(Place::Size)
    }

    fn more(&mut self, place: Place, most: usize) -> Result<Place, Malformed> {
        self.extra += 1;
        if self.extra > most { Err(Malformed::Chunk) } else { Ok(place) }
    }

    /// The size line has ended: content follows, or after the last chunk the trailers.
    fn sized(&mut self) -> Place {
        let size = std::mem::take(&mut self.size);
        self.digits = 0;
        self.extra = 0;
        if size == 0 { Place::TrailerStart } else { Place::Content(size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nX-Trailer: a\r\n\r\n";

    #[test]
    fn a_chunked_body_ends_where_its_trailers_end() {
        let mut scan = ChunkScan::default();
        let stream = format!("{BODY}GET / HTTP/1.1\r\n");
        assert_eq!(scan.follow(stream.as_bytes()), Ok(BODY.len()));
        assert!(scan.is_over());
    }

    #[test]
    fn a_chunked_body_may_be_cut_anywhere() {
        for cut in 0..BODY.len() {
            let mut scan = ChunkScan::default();
            let (first, second) = BODY.split_at(cut);
            assert_eq!(scan.follow(first.as_bytes()), Ok(first.len()));
            assert!(!scan.is_over(), "cut at {cut}");
            assert_eq!(scan.follow(second.as_bytes()), Ok(second.len()));
            assert!(scan.is_over(), "cut at {cut}");
        }
    }

    #[test]
    fn what_other_readers_might_read_otherwise_is_refused() {
        for body in [
            "-1\r\na",
            "+1\r\na",
            "0x10\r\na",
            " 5\r\nhello",
            "5 \r\nhello",
            "FFFFFFFFFFFFFFFFF\r\na",
            "\r\nhello",
            ";x\r\n",
            "5\nhello\r\n",
            "5\r\nhello0\r\n",
            "5\r\nhello\n0\r\n",
            "5;\0\r\nhello",
            "0\r\n: a\r\n\r\n",
            "0\r\n folded\r\n\r\n",
            "0\r\nX: a\nY: b\r\n\r\n",
        ] {
            assert_eq!(ChunkScan::default().follow(body.as_bytes()), Err(Malformed::Chunk), "{body:?}");
        }
    }

    #[test]
    fn endless_extensions_and_trailers_are_refused() {
        let extension = format!("5;{}", "x".repeat(LONGEST_EXTENSION + 1));
        assert_eq!(ChunkScan::default().follow(extension.as_bytes()), Err(Malformed::Chunk));
        let trailers = format!("0\r\n{}", "X: aaaa\r\n".repeat(LONGEST_TRAILERS / 7 + 1));
        assert_eq!(ChunkScan::default().follow(trailers.as_bytes()), Err(Malformed::Chunk));
    }
}
