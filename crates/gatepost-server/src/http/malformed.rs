//! This file is where the ways are named in which bytes can fail to be a request (RFC 9112).

/// Why bytes on a connection are no request that is answered by a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// A control character, or a line end that is not CR LF.
    ControlCharacter,
    /// The request line is none.
    RequestLine,
    /// The version is neither HTTP/1.0 nor HTTP/1.1.
    Version,
    /// A header line is none.
    HeaderLine,
    /// A header continues on a second line.
    FoldedHeader,
    /// The `Host` header is missing, twice there or no host.
    Host,
    /// The `Content-Length` is no single number.
    ContentLength,
    /// The `Transfer-Encoding` is anything but `chunked`.
    TransferEncoding,
    /// The length of the body is given in two ways, which is how requests are smuggled.
    TwoLengths,
    /// The chunks of the body are none.
    Chunk,
    /// The request line is too long.
    UriTooLong,
    /// The head is too long or has too many headers.
    HeadTooLarge,
    /// The head took too long to arrive.
    HeadTooSlow,
}

impl Malformed {
    /// What is wrong, for the caller and the log; nothing of the request is in it.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::ControlCharacter => "the request holds a control character or a line end that is not CR LF",
            Self::RequestLine => "the request line is malformed",
            Self::Version => "the HTTP version is not supported",
            Self::HeaderLine => "a header line is malformed",
            Self::FoldedHeader => "a header is folded over two lines",
            Self::Host => "exactly one valid Host header is required",
            Self::ContentLength => "the Content-Length is not one number",
            Self::TransferEncoding => "the only Transfer-Encoding supported is chunked",
            Self::TwoLengths => "both Content-Length and Transfer-Encoding are given",
            Self::Chunk => "the chunks of the body are malformed",
            Self::UriTooLong => "the request line is too long",
            Self::HeadTooLarge => "the headers are too many or too large",
            Self::HeadTooSlow => "the headers took too long to arrive",
        }
    }
}
