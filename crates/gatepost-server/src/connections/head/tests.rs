//! This file is where it is tested which request heads have one meaning.

use super::*;

fn read(text: &str) -> Result<Framing, Malformed> {
    let mut scan = HeadScan::default();
    match scan.look(text.as_bytes(), 1 << 15)? {
        Scanned::Head(length) => framing(&text.as_bytes()[..length], 100),
        other => panic!("{text:?} is not complete: {other:?}"),
    }
}

fn with(headers: &str) -> Result<Framing, Malformed> {
    read(&format!("POST /x HTTP/1.1\r\nHost: a\r\n{headers}\r\n"))
}

#[test]
fn a_proper_head_says_where_its_body_ends() {
    for (headers, framing) in [
        ("", Framing::Length(0)),
        ("Content-Length: 5\r\n", Framing::Length(5)),
        ("content-length:  005 \r\n", Framing::Length(5)),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("transfer-encoding:\tChunked\r\n", Framing::Chunked),
        ("X: caf\u{e9}\r\n", Framing::Length(0)),
    ] {
        assert_eq!(with(headers), Ok(framing), "{headers:?}");
    }
}

#[test]
fn two_readings_of_one_head_are_refused() {
    for (headers, malformed) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Malformed::TwoLengths),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Malformed::TwoLengths),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", Malformed::ContentLength),
        ("Content-Length: 5,5\r\n", Malformed::ContentLength),
        ("Content-Length: +5\r\n", Malformed::ContentLength),
        ("Content-Length: \r\n", Malformed::ContentLength),
        ("Content-Length: 18446744073709551616\r\n", Malformed::ContentLength),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Malformed::TransferEncoding),
        ("Transfer-Encoding: chunked, identity\r\n", Malformed::TransferEncoding),
        ("Transfer-Encoding: gzip, chunked\r\n", Malformed::TransferEncoding),
        ("Transfer-Encoding : chunked\r\n", Malformed::HeaderLine),
        ("X: a\r\n b\r\n", Malformed::FoldedHeader),
        (": a\r\n", Malformed::HeaderLine),
        ("no colon\r\n", Malformed::HeaderLine),
        ("Host: b\r\n", Malformed::Host),
        ("X: a\rb\r\n", Malformed::ControlCharacter),
        ("X: a\0b\r\n", Malformed::ControlCharacter),
        ("X: a\nY: b\r\n", Malformed::ControlCharacter),
        ("X: a\u{7f}\r\n", Malformed::ControlCharacter),
    ] {
        assert_eq!(with(headers), Err(malformed), "{headers:?}");
    }
}

#[test]
fn request_lines_are_read_strictly() {
    for (line, malformed) in [
        ("GET  / HTTP/1.1", Malformed::RequestLine),
        ("GET /", Malformed::RequestLine),
        ("GET / HTTP/1.1 ", Malformed::RequestLine),
        ("G\u{c4}T / HTTP/1.1", Malformed::RequestLine),
        ("GET /caf\u{e9} HTTP/1.1", Malformed::RequestLine),
        ("GET / HTTP/9.9", Malformed::Version),
        ("GET / HTTP/2.0", Malformed::Version),
        ("GET / HTTP/1.2", Malformed::Version),
        ("GET / http/1.1", Malformed::RequestLine),
    ] {
        assert_eq!(read(&format!("{line}\r\nHost: a\r\n\r\n")), Err(malformed), "{line:?}");
    }
    assert_eq!(read("GET / HTTP/1.1\r\n\r\n"), Err(Malformed::Host));
    assert_eq!(read("GET / HTTP/1.0\r\n\r\n"), Ok(Framing::Length(0)));
    let chunked_in_10 = "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(read(chunked_in_10), Err(Malformed::TransferEncoding));
    assert_eq!(read("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), Err(Malformed::Host));
}

#[test]
fn a_head_is_found_wherever_its_bytes_are_cut() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in 0..head.len() {
        let mut scan = HeadScan::default();
        assert_eq!(scan.look(&head[..cut], 1000), Ok(Scanned::More));
        assert_eq!(scan.look(head, 1000), Ok(Scanned::Head(head.len())), "cut at {cut}");
    }
}

#[test]
fn bytes_that_can_never_become_a_head_are_refused_at_once() {
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];
    assert_eq!(HeadScan::default().look(&hello, 1000), Err(Malformed::ControlCharacter));
}

#[test]
fn a_head_over_the_limit_is_refused_for_what_is_too_long() {
    let uri = format!("GET /{}", "a".repeat(2000));
    assert_eq!(HeadScan::default().look(uri.as_bytes(), 1000), Err(Malformed::UriTooLong));
    let header = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(2000));
    assert_eq!(HeadScan::default().look(header.as_bytes(), 1000), Err(Malformed::HeadTooLarge));
    let many = "X: a\r\n".repeat(101);
    assert_eq!(with(&many), Err(Malformed::HeadTooLarge));
}

#[test]
fn a_few_blank_lines_before_a_request_are_skipped() {
    let mut scan = HeadScan::default();
    for _ in 0..MOST_BLANK_LINES {
        assert_eq!(scan.look(b"\r\nGET", 1000), Ok(Scanned::Blank(2)));
    }
    assert_eq!(scan.look(b"\r\nGET", 1000), Err(Malformed::RequestLine));
}

#[test]
fn the_tables_hold_what_the_rfcs_list() {
    for byte in 0..=u8::MAX {
        let is_plain = byte.is_ascii_alphanumeric();
        assert_eq!(is_token(&[byte]), is_plain || b"!#$%&'*+-.^_`|~".contains(&byte), "{byte}");
        assert_eq!(is_all(&[byte], &OF_HOSTS), is_plain || b"-._~%:[]!$&'()*+,;=".contains(&byte), "{byte}");
    }
}

#[test]
fn a_target_that_is_taken_for_plain_is_a_uri() {
    let some = (0..=u8::MAX).filter(|byte| is_all(&[*byte], &OF_PLAIN_TARGETS)).map(char::from);
    for byte in some {
        for target in [format!("/{byte}"), format!("//{byte}a?{byte}{byte}"), format!("/?{byte}")] {
            assert!(is_plain(target.as_bytes()));
            assert!(http::Uri::try_from(target.as_bytes()).is_ok(), "{target}");
        }
    }
    assert!(!is_plain(b"/#") && !is_plain(b"*") && !is_plain(&[b'/'; LONGEST_PLAIN + 1]));
}

#[test]
fn a_head_may_come_in_any_pieces() {
    let text = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for first in 0..text.len() {
        let (mut scan, mut begins, mut end) = (HeadScan::default(), 0, first);
        let length = loop {
            match scan.look(&text[begins..end], 1 << 15).unwrap() {
                Scanned::Blank(length) => begins += length,
                Scanned::Head(length) => break length,
                Scanned::More if end < text.len() => end = text.len(),
                Scanned::More => panic!("the head is whole, cut at {first}"),
            }
        };
        assert_eq!((begins, begins + length), (2, text.len()), "cut at {first}");
    }
}
