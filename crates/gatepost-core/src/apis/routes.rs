//! This file is where an API's route table is: which scopes a method and path ask for, and which paths are ambiguous.
//!
//! A path that two readers could take for different ones is denied, never normalised: what a proxy forwards and what
//! the API behind it reads must be the same.

use serde::{Deserialize, Serialize};

use crate::scope::Scopes;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The method in capitals, or `*` for any.
    pub method: String,
    /// Segments as they are, `{name}` for one segment, `*` at the end for any rest.
    pub path: String,
    /// All of these are needed.
    pub scopes: Scopes,
}

/// Why a route or path can't be; the text says how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRoute(pub &'static str);

/// A path that everyone reads alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainPath<'a>(&'a str);

impl<'a> PlainPath<'a> {
    /// Accepts the path of `uri` (before `?`) unless it is ambiguous: encoded or doubled slashes, dot segments,
    /// backslashes, semicolons, control characters, broken or unneeded escapes, fragments.
    pub fn of(uri: &'a str) -> Result<Self, BadRoute> {
        let path = uri.split('?').next().unwrap_or_default();
        let ambiguous = Err(BadRoute("the path can be read in more than one way"));
        if !path.starts_with('/') || path.contains("//") || path.contains(['\\', ';', '#']) {
            return ambiguous;
        }
        if !path.bytes().all(|byte| (0x21..=0x7E).contains(&byte)) || !escapes_are_needed(path) {
            return ambiguous;
        }
        // What decodes to no text, or to a question mark or number sign, is read differently by different programs.
        if percent_encoding::percent_decode_str(path).decode_utf8().is_err() {
            return ambiguous;
        }
        if path.split('/').any(|segment| segment == "." || segment == "..") {
            return ambiguous;
        }
        Ok(Self(path))
    }

    /// The same path with a slash more or less at its end; the root has no other form.
    fn other_slash(&self) -> Option<String> {
        match self.0.strip_suffix('/') {
            Some("") => None,
            Some(without) => Some(without.to_owned()),
            None => Some(format!("{}/", self.0)),
        }
    }

    fn segments(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        segments(self.0)
    }
}

/// As bytes: to search a text for a slash by characters takes several times as long, and forward-auth reads whole tables.
fn segments(path: &str) -> impl Iterator<Item = &[u8]> {
    path.trim_start_matches('/').as_bytes().split(|byte| *byte == b'/')
}

/// Every `%` is followed by two hex digits of a byte that can't stand for itself, a slash, a dot, a backslash or a percent.
fn escapes_are_needed(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| {
        let byte = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || b"-._~/\\%;?#".contains(&byte) || byte < 0x20 || byte == 0x7F
        };
        byte.is_some_and(|byte| !plain(byte))
    })
}

impl Route {
    /// Accepts a line of the table.
    pub fn parse(method: &str, path: &str, scopes: Scopes) -> Result<Self, BadRoute> {
        if method != "*" && (method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase())) {
            return Err(BadRoute("a method is in capitals, like GET, or `*` for any"));
        }
        let readable = path.replace(['{', '}', '*'], "x");
        PlainPath::of(&readable).map_err(|_| BadRoute("a path is like /bookings/{id} or /files/*"))?;
        let mut segments = path.trim_start_matches('/').split('/').rev();
        let last = segments.next().unwrap_or_default();
        let holds = |segment: &str| segment.starts_with('{') && segment.ends_with('}') && segment.len() > 2;
        let fits = |segment: &str| holds(segment) || !segment.contains(['{', '}', '*']);
        if !(last == "*" || fits(last)) || !segments.all(fits) {
            return Err(BadRoute("`{name}` stands for a whole segment, `*` for the rest at the end"));
        }
        Ok(Self { method: method.to_owned(), path: path.to_owned(), scopes })
    }

    /// Whether this line speaks of that method and path.
    pub fn matches(&self, method: &str, path: &PlainPath<'_>) -> bool {
        if self.method != "*" && self.method != method {
            return false;
        }
        let mut pattern = segments(&self.path).peekable();
        let mut actual = path.segments();
        while let Some(wanted) = pattern.next() {
            if wanted == b"*" && pattern.peek().is_none() {
                return true;
            }
            match actual.next() {
                Some(segment) if wanted.starts_with(b"{") && !segment.is_empty() => {}
                Some(segment) if wanted == segment => {}
                Some(_) | None => return false,
            }
        }
        actual.next().is_none()
    }

    /// How exactly it speaks: of several lines that match, the most exact counts.
    pub fn exactness(&self) -> (usize, usize, bool) {
        let (exact, all) = segments(&self.path).fold((0_usize, 0_usize), |(exact, all), segment| {
            let plain = usize::from(!segment.starts_with(b"{") && segment != b"*");
            (exact.saturating_add(plain), all.saturating_add(1))
        });
        (exact, all, self.method != "*")
    }
}

/// The scopes that the table asks for; `None` when no line speaks of that method and path.
///
/// Where an API may read a request as another one (with or without a slash at the end, HEAD as GET), the scopes of that
/// one are needed too: the stricter line can't be walked around.
pub fn needed(table: &[Route], method: &str, path: &PlainPath<'_>) -> Option<Scopes> {
    let own = of_most_exact(table, method, path)?;
    let slashed = path.other_slash();
    let slashed = slashed.as_deref().map(PlainPath);
    let as_get = (method == "HEAD").then_some("GET");
    let others = [
        slashed.as_ref().and_then(|slashed| of_most_exact(table, method, slashed)),
        as_get.and_then(|get| of_most_exact(table, get, path)),
        as_get.zip(slashed.as_ref()).and_then(|(get, slashed)| of_most_exact(table, get, slashed)),
    ];
    let others = others.into_iter().flatten();
    Some(others.fold(own, |all, more| all.iter().chain(more.iter()).cloned().collect()))
}

/// Of lines that match equally well all count.
fn of_most_exact(table: &[Route], method: &str, path: &PlainPath<'_>) -> Option<Scopes> {
    let matching = table.iter().filter(|route| route.matches(method, path));
    let matching: Vec<_> = matching.map(|route| (route.exactness(), route)).collect();
    let most = matching.iter().map(|(exactness, _)| *exactness).max()?;
    let counting = matching.iter().filter(|(exactness, _)| *exactness == most);
    Some(counting.flat_map(|(_, route)| route.scopes.iter().cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route::parse(method, path, Scopes::NONE).unwrap()
    }

    fn matches(pattern: &str, path: &str) -> bool {
        route("GET", pattern).matches("GET", &PlainPath::of(path).unwrap())
    }

    #[test]
    fn ambiguous_paths_are_denied_not_normalised() {
        let ambiguous = [
            "",
            "bookings",
            "//a",
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/..",
            "/a\\b",
            "/a;x=1/b",
            "/a#b",
            "/%2e%2e/a",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a%00b",
            "/a%0ab",
            "/a%25b",
            "/a%zzb",
            "/a%",
            "/a%4",
            "/%61",
            "/a b",
            "/é",
            "/a%3bb",
            "/a%3fb",
            "/a%23b",
            "/%c0%ae%c0%ae",
            "/a%ff",
            "/%E0%80%AE",
        ];
        for path in ambiguous {
            assert!(PlainPath::of(path).is_err(), "{path}");
        }
        for path in ["/", "/a", "/a/", "/a/b.c", "/a?x=//..", "/a%20b", "/a%C3%A9", "/~x/-_.1"] {
            assert!(PlainPath::of(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn patterns_match_whole_segments() {
        assert!(matches("/bookings/{id}", "/bookings/7"));
        assert!(!matches("/bookings/{id}", "/bookings/"));
        assert!(!matches("/bookings/{id}", "/bookings/7/x"));
        assert!(!matches("/bookings", "/bookingsx"));
        assert!(!matches("/bookings", "/bookings/"));
        assert!(!matches("/bookings", "/Bookings"));
        assert!(matches("/files/*", "/files/a/b"));
        assert!(matches("/*", "/"));
    }

    /// The scopes that a table of `method path scope` asks for.
    fn asks(table: &[(&str, &str, &str)], method: &str, path: &str) -> Option<String> {
        let line = |&(method, path, scope): &(&str, &str, &str)| {
            Route::parse(method, path, Scopes::parse(scope).unwrap()).unwrap()
        };
        let table: Vec<_> = table.iter().map(line).collect();
        needed(&table, method, &PlainPath::of(path).unwrap()).map(|scopes| scopes.joined())
    }

    #[test]
    fn the_most_exact_line_counts() {
        let table =
            [("*", "/*", "all"), ("GET", "/a/{x}", "one"), ("GET", "/a/b", "get"), ("*", "/a/b", "any")];
        assert_eq!(asks(&table, "GET", "/a/c").as_deref(), Some("one all"), "and what /a/c/ asks for");
        assert_eq!(asks(&table[1..], "GET", "/a/b").as_deref(), Some("get"));
        assert_eq!(asks(&table[1..], "PUT", "/a/b").as_deref(), Some("any"));
        assert_eq!(asks(&table[1..], "GET", "/z"), None);
    }

    #[test]
    fn of_lines_that_match_equally_well_all_count_whatever_their_order() {
        let table = [("GET", "/u/{id}", "admin"), ("GET", "/u/{name}", "read")];
        assert_eq!(asks(&table, "GET", "/u/7").as_deref(), Some("admin read"));
        let crossed = [("GET", "/a/{x}", "admin"), ("GET", "/{y}/b", "read")];
        assert_eq!(asks(&crossed, "GET", "/a/b").as_deref(), Some("admin read"));
    }

    #[test]
    fn neither_a_slash_at_the_end_nor_head_walks_around_the_stricter_line() {
        let table = [("GET", "/files/{id}", "admin"), ("*", "/files/*", "read")];
        assert_eq!(asks(&table, "GET", "/files/7/").as_deref(), Some("read admin"));
        assert_eq!(asks(&table, "HEAD", "/files/7").as_deref(), Some("read admin"));
        assert_eq!(asks(&table, "PUT", "/files/7").as_deref(), Some("read"));
        assert_eq!(asks(&table[..1], "HEAD", "/files/7"), None, "what no line speaks of stays denied");
    }

    #[test]
    fn malformed_lines_are_refused() {
        for (method, path) in [
            ("get", "/a"),
            ("", "/a"),
            ("GET", "a"),
            ("GET", "/a*"),
            ("GET", "/{a"),
            ("GET", "/*/a"),
            ("GET", "/{}"),
        ] {
            assert!(Route::parse(method, path, Scopes::NONE).is_err(), "{method} {path}");
        }
    }
}
