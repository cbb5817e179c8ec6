//! This file is where the server is a client itself: it gets key sets from where its clients publish them.
//!
//! One connection, to an address that was judged and no other; one request; a bounded answer. The name counts only for
//! the certificate. No redirect is followed, no compression asked for, nothing is kept open.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT,
};
use axum::http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use bytes::Bytes;
use gatepost_operations::client_jwks::{Document, Fetch, Fetched, MAX_BYTES};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_rustls::ConfigBuilderExt as _;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// How long one address of a host may keep the next one waiting.
const TRY: Duration = Duration::from_millis(1_500);
/// Room for the head of the answer.
const MAX_HEAD: usize = 32 * 1024;

/// The way out, with the authorities that it believes.
pub(crate) struct Outbound {
    public: TlsConnector,
    internal: TlsConnector,
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoWayOut {
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The file of `clients.jwks_uri_ca` holds something else than certificates of authorities.
    #[error(
        "clients.jwks_uri_ca holds no certificate of an authority that can be used; give a PEM file of them"
    )]
    Authorities,
}

impl Outbound {
    /// Believes the public authorities, and for what the operator allows inside those of `authorities` instead.
    pub(crate) fn new(authorities: Option<&str>) -> Result<Self, NoWayOut> {
        let public = TlsConnector::from(Arc::new(tls()?.with_webpki_roots().with_no_client_auth()));
        let internal = match authorities {
            None => public.clone(),
            Some(pem) => {
                let config = tls()?.with_root_certificates(roots(pem)?).with_no_client_auth();
                TlsConnector::from(Arc::new(config))
            }
        };
        Ok(Self { public, internal })
    }
}

fn tls() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
}

fn roots(pem: &str) -> Result<RootCertStore, NoWayOut> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| NoWayOut::Authorities)?;
        roots.add(certificate).map_err(|_| NoWayOut::Authorities)?;
    }
    if roots.is_empty() { Err(NoWayOut::Authorities) } else { Ok(roots) }
}

#[async_trait]
impl Fetch for Outbound {
    async fn get(&self, what: &Document) -> Result<Fetched, String> {
        let connector = if what.is_internal { &self.internal } else { &self.public };
        let failed = |error: &dyn std::error::Error| format!("the connection failed: {error}");
        let stream = connect(&what.addresses).await?;
        let stream = connector.connect(name(&what.url)?, stream).await.map_err(|error| failed(&error))?;

        let handshake = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
        let asked = async {
            let response = sender.send_request(request(&what.url)?).await.map_err(|error| failed(&error))?;
            read(response).await
        };
        tokio::pin!(asked);
        // The connection is worked on as long as the answer is read. What it brought before its end is still read after.
        tokio::select! {
            answer = &mut asked => answer,
            _ = connection => asked.await,
        }
    }
}

/// The first address that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut last = "the host has no address".to_owned();
    for address in addresses {
        match timeout(TRY, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = format!("the connection failed: {error}"),
            Err(_) => last = "the connection was not answered".to_owned(),
        }
    }
    Err(last)
}

fn name(url: &Url) -> Result<ServerName<'static>, String> {
    let name = match url.host() {
        Some(Host::Domain(name)) => ServerName::try_from(name.trim_end_matches('.').to_owned()).ok(),
        Some(Host::Ipv4(address)) => Some(ServerName::from(IpAddr::from(address))),
        Some(Host::Ipv6(address)) => Some(ServerName::from(IpAddr::from(address))),
        None => None,
    };
    name.ok_or_else(|| "its host is no name that a certificate could be for".to_owned())
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, String> {
    let (host, path) = (url.host_str().unwrap_or_default(), url.path());
    let target = url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let request = Request::get(target)
        .header(HOST, url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        .header(ACCEPT, "application/jwk-set+json, application/json")
        .header(ACCEPT_ENCODING, "identity")
        .header(USER_AGENT, "gatepost");
    request.body(Empty::new()).map_err(|error| error.to_string())
}

async fn read(response: Response<Incoming>) -> Result<Fetched, String> {
    let (head, body) = response.into_parts();
    if head.status != StatusCode::OK {
        return Err(format!("the answer has status {}; redirects are not followed", head.status.as_u16()));
    }
    if !is_plain_json(&head.headers) {
        return Err("the answer is not uncompressed JSON".to_owned());
    }
    let body = Limited::new(body, MAX_BYTES).collect().await;
    let body = body.map_err(|error| format!("the answer could not be read: {error}"))?;
    Ok(Fetched { body: body.to_bytes().to_vec(), max_age: max_age(&head.headers) })
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let encoding = text(headers, &CONTENT_ENCODING).unwrap_or("identity");
    let media_type =
        text(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    encoding.eq_ignore_ascii_case("identity")
        && ["application/json", "application/jwk-set+json"]
            .iter()
            .any(|json| media_type.trim().eq_ignore_ascii_case(json))
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut directives = text(headers, &CACHE_CONTROL)?.split(',').map(str::trim);
    directives.find_map(|directive| match directive.split_once('=') {
        Some((name, seconds)) if name.eq_ignore_ascii_case("max-age") => {
            seconds.parse().ok().map(Duration::from_secs)
        }
        None if ["no-store", "no-cache"].iter().any(|never| directive.eq_ignore_ascii_case(never)) => {
            Some(Duration::ZERO)
        }
        Some(_) | None => None,
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
