//! This file is where row G105 is put to guards: keys come from the host that was named, over a safe connection.

use std::sync::Arc;

use gatepost_guard::{ConfigError, FetchError, Guard, JwksUrl};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::clock::TestClock;
use crate::jwks_server::{Answer, JwksServer, fetch, set};
use crate::mint::{Profile, key};

#[test]
fn g105_keys_over_plain_http_come_from_loopback_only() {
    for url in [
        "http://auth.example.com/.well-known/jwks/api.json",
        "http://10.0.0.1/jwks.json",
        "http://0.0.0.0/jwks.json",
        "http://localhost.example.com/jwks.json",
        "http://127.0.0.1.example.com/jwks.json",
        "ftp://127.0.0.1/jwks.json",
        "file:///etc/passwd",
        "https://user:password@auth.example.com/jwks.json",
        "https://auth.example.com/jwks.json#keys",
        "auth.example.com",
        "",
    ] {
        assert!(matches!(JwksUrl::new(url), Err(ConfigError::Url { .. })), "{url}");
    }
    for url in [
        "https://auth.example.com/jwks.json",
        "http://127.0.0.1:1/j",
        "http://[::1]:1/j",
        "http://localhost/j",
    ] {
        assert!(JwksUrl::new(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn g105_redirects_are_not_followed_to_any_host() {
    let elsewhere = JwksServer::with_keys(&[key()]).await;
    let server = JwksServer::with(Answer::Redirect(elsewhere.url())).await;

    assert_eq!(fetch(&server.source()).await.unwrap_err(), FetchError::Status(302));
    server.answer(Answer::Redirect("/.well-known/other.json".into()));
    assert_eq!(fetch(&server.source()).await.unwrap_err(), FetchError::Status(302));
    assert_eq!((server.hits(), elsewhere.hits()), (2, 0));
}

#[tokio::test]
async fn g105_a_self_signed_certificate_is_refused_unless_it_is_trusted() {
    let (url, certificate) = tls_server().await;

    let public = JwksUrl::new(&url).unwrap();
    let refused = fetch(&public).await.unwrap_err();
    assert!(matches!(&refused, FetchError::Connection(why) if why.contains("certificate")), "{refused}");

    let trusting = public.trusting(&certificate).unwrap();
    let guard: Guard = Profile::Rfc9068.guard(trusting).clock(TestClock::new()).build().unwrap();
    assert!(guard.judge(&Profile::Rfc9068.token(key())).await.is_ok());
}

#[test]
fn roots_that_are_no_certificates_are_refused() {
    let url = || JwksUrl::new("https://auth.example.com/jwks.json").unwrap();
    for pem in ["", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(url().trusting(pem), Err(ConfigError::Roots)), "{pem}");
    }
}

/// A key set over TLS with a certificate that nobody vouches for; its URL and certificate.
async fn tls_server() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let private = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(socket).await {
                let mut request = [0; 2048];
                let _ = stream.read(&mut request).await;
                let body = set(&[key()]);
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + &body).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (format!("https://localhost:{port}/jwks.json"), made.cert.pem())
}
