//! This file is where a client publishes its keys: a small HTTPS server on this machine that counts its callers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gatepost_jose::Jwk;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The server.
pub(super) struct KeyHost {
    address: SocketAddr,
    says: Arc<Mutex<Vec<u8>>>,
    callers: Arc<AtomicUsize>,
    folder: TempDir,
}

impl KeyHost {
    /// A server with a certificate for `127.0.0.1` and `localhost` that only its own authority vouches for.
    pub(super) async fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();

        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            address: listener.local_addr().unwrap(),
            says: Arc::default(),
            callers: Arc::default(),
            folder,
        };
        let (acceptor, says, callers) =
            (TlsAcceptor::from(Arc::new(config)), Arc::clone(&host.says), Arc::clone(&host.callers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                callers.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(acceptor.clone(), stream, says.lock().unwrap().clone()));
            }
        });
        host
    }

    /// Publishes these keys, fresh for that many seconds.
    pub(super) fn publishes(&self, keys: &[Jwk], max_age: u64) {
        let more =
            format!("Content-Type: application/jwk-set+json\r\nCache-Control: public, max-age={max_age}\r\n");
        self.says("200 OK", &more, &json!({ "keys": keys }).to_string());
    }

    /// Answers so from now on.
    pub(super) fn says(&self, status: &str, headers: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        *self.says.lock().unwrap() = (head + body).into_bytes();
    }

    /// How many have connected so far.
    pub(super) fn callers(&self) -> usize {
        self.callers.load(Ordering::SeqCst)
    }

    /// The address of the set, under that name of the host.
    pub(super) fn uri(&self, host: &str) -> String {
        format!("https://{host}:{}/keys.json?a=b", self.address.port())
    }

    /// The file of the authority.
    pub(super) fn authority(&self) -> PathBuf {
        self.path().join("ca.pem")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, says: Vec<u8>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    assert!(head.starts_with(b"GET /keys.json?a=b HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&head));
    // Who does not wait for the answer, or for all of it, is free to go.
    let _ = stream.write_all(&says).await;
    let _ = stream.shutdown().await;
}
