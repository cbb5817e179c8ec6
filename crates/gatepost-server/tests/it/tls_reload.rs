//! This file is where TLS is spoken, and its certificate changed under load.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gatepost_operations::config::{MinVersion, TlsFiles};
use gatepost_operations::core::time::Timestamp;
use gatepost_server::connections::tls::{TlsError, TlsReloader};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::sockets::{Raw, Server, asking_for, server_with, until};

/// 2026-11-23.
const NOW: Timestamp = Timestamp::from_micros(1_795_392_000_000_000);

struct Pair {
    cert: CertificateDer<'static>,
    cert_pem: String,
    key_pem: String,
}

/// A certificate for `localhost`, valid from the first to the second year.
fn pair(from: i32, until: i32) -> Pair {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    Pair { cert: cert.der().clone(), cert_pem: cert.pem(), key_pem: key.serialize_pem() }
}

struct Folder(TempDir);

impl Folder {
    fn with(pair: &Pair) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put(pair);
        folder
    }

    fn put(&self, pair: &Pair) {
        self.write("cert.pem", &pair.cert_pem);
        self.write("key.pem", &pair.key_pem);
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn files(&self) -> TlsFiles {
        let path = |name: &str| self.0.path().join(name);
        TlsFiles { cert: path("cert.pem"), key: path("key.pem") }
    }

    fn load(&self) -> Arc<TlsReloader> {
        Arc::new(TlsReloader::load(self.files(), MinVersion::Tls12).unwrap())
    }
}

fn connector(trusted: &[&Pair], alpn: &str, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for pair in trusted {
        roots.add(pair.cert.clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    TlsConnector::from(Arc::new(config))
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

async fn connect(server: &Server, connector: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.address).await?;
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn http11_and_http2_are_offered_and_requests_answered() {
    let pair = pair(2020, 2100);
    let folder = Folder::with(&pair);
    let server = server_with(|_| {}, Some(folder.load()));
    for alpn in ["h2", "http/1.1"] {
        let stream = connect(&server, &connector(&[&pair], alpn, BOTH)).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn.as_bytes()));
    }
    let stream = connect(&server, &connector(&[&pair], "http/1.1", BOTH)).await.unwrap();
    let mut client = Raw::new(stream);
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().body, "ok");
}

#[tokio::test]
async fn work_is_dropped_when_its_caller_over_tls_hangs_up_with_or_without_a_word() {
    let pair = pair(2020, 2100);
    let folder = Folder::with(&pair);
    let server = server_with(|_| {}, Some(folder.load()));
    for (count, versions) in (1..).step_by(2).zip([BOTH, &[&rustls::version::TLS12]]) {
        let held = async || {
            let stream = connect(&server, &connector(&[&pair], "http/1.1", versions)).await.unwrap();
            let mut client = Raw::new(stream);
            client.say("POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab").await;
            server.seen.begun.notified().await;
            client
        };
        let mut polite = held().await;
        polite.say_no_more().await;
        until("the work is dropped", || server.metrics.snapshot().given_up == count).await;
        drop(held().await);
        until("so is this", || server.metrics.snapshot().given_up == count + 1).await;
    }
}

#[tokio::test]
async fn http2_over_tls_answers() {
    let pair = pair(2020, 2100);
    let folder = Folder::with(&pair);
    let server = server_with(|_| {}, Some(folder.load()));
    let stream = connect(&server, &connector(&[&pair], "h2", BOTH)).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request =
        http::Request::get("https://localhost/livez").body(http_body_util::Empty::<bytes::Bytes>::new());
    let response = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
}

#[tokio::test]
async fn the_least_version_is_kept() {
    let pair = pair(2020, 2100);
    let folder = Folder::with(&pair);
    let tls = TlsReloader::load(folder.files(), MinVersion::Tls13).unwrap();
    let server = server_with(|_| {}, Some(Arc::new(tls)));
    let old = connector(&[&pair], "http/1.1", &[&rustls::version::TLS12]);
    assert!(connect(&server, &old).await.is_err());
    assert!(connect(&server, &connector(&[&pair], "http/1.1", BOTH)).await.is_ok());
    until("the failed handshake is counted", || server.metrics.snapshot().handshakes_failed == 1).await;
}

#[tokio::test]
async fn plain_http_at_a_tls_port_is_closed_and_never_redirected() {
    let pair = pair(2020, 2100);
    let folder = Folder::with(&pair);
    let server = server_with(|_| {}, Some(folder.load()));
    let mut client = Raw::connect(server.address).await;
    client.say(asking_for("/livez")).await;
    client.closed().await;
    until("the failed handshake is counted", || server.metrics.snapshot().handshakes_failed == 1).await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_given_up() {
    let pair = pair(2020, 2100);
    let folder = Folder::with(&pair);
    let server =
        server_with(|bounds| bounds.handshake_timeout = Duration::from_millis(100), Some(folder.load()));
    Raw::connect(server.address).await.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloading_under_load_fails_no_request() {
    const RELOADS: u64 = 30;
    let (one, two) = (pair(2020, 2100), pair(2020, 2101));
    let folder = Folder::with(&one);
    let tls = folder.load();
    let server = Arc::new(server_with(|_| {}, Some(Arc::clone(&tls))));
    let connector = connector(&[&one, &two], "http/1.1", BOTH);
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));

    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (server, connector) = (Arc::clone(&server), connector.clone());
            let (done, answered) = (Arc::clone(&done), Arc::clone(&answered));
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let mut client = Raw::new(connect(&server, &connector).await.unwrap());
                    for _ in 0..3 {
                        client.say(asking_for("/livez")).await;
                        assert_eq!(client.answer().await.unwrap().status, 200);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for round in 0..RELOADS {
        let before = answered.load(Ordering::Relaxed);
        folder.put(if round % 2 == 0 { &two } else { &one });
        tls.reload(NOW).unwrap();
        until("requests go on", || answered.load(Ordering::Relaxed) > before + 3).await;
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no request fails");
    }
    assert!(answered.load(Ordering::Relaxed) > RELOADS * 3);
}

#[tokio::test]
async fn new_handshakes_show_the_new_certificate_and_old_connections_live_on() {
    let (one, two) = (pair(2020, 2100), pair(2020, 2101));
    let folder = Folder::with(&one);
    let tls = folder.load();
    let server = server_with(|_| {}, Some(Arc::clone(&tls)));
    let connector = connector(&[&one, &two], "http/1.1", BOTH);
    let before = connect(&server, &connector).await.unwrap();
    assert_eq!(shown(&before), one.cert);

    folder.put(&two);
    tls.reload(NOW).unwrap();

    let after = connect(&server, &connector).await.unwrap();
    assert_eq!(shown(&after), two.cert);
    let mut client = Raw::new(before);
    client.say(asking_for("/livez")).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_pair_that_cannot_be_used_leaves_the_old_one_in_use() {
    let (good, other) = (pair(2020, 2100), pair(2020, 2101));
    let folder = Folder::with(&good);
    let tls = folder.load();
    let server = server_with(|_| {}, Some(Arc::clone(&tls)));

    folder.put(&other);
    folder.write("key.pem", &good.key_pem);
    let mismatch = tls.reload(NOW).unwrap_err();
    assert!(matches!(mismatch, TlsError::Unusable { .. }), "{mismatch}");

    folder.put(&pair(2020, 2021));
    let expired = tls.reload(NOW).unwrap_err();
    assert!(matches!(expired, TlsError::OutOfTime { .. }), "{expired}");

    folder.put(&pair(2050, 2051));
    assert!(matches!(tls.reload(NOW).unwrap_err(), TlsError::OutOfTime { .. }));

    folder.write("cert.pem", "nothing of the kind");
    assert!(matches!(tls.reload(NOW).unwrap_err(), TlsError::NoCertificate(_)));

    folder.put(&other);
    folder.write("key.pem", &other.cert_pem);
    assert!(matches!(tls.reload(NOW).unwrap_err(), TlsError::NoKey(_)));

    std::fs::remove_file(folder.files().cert).unwrap();
    let unreadable = tls.reload(NOW).unwrap_err();
    assert!(unreadable.to_string().contains("cert.pem"), "{unreadable}");

    let stream = connect(&server, &connector(&[&good], "http/1.1", BOTH)).await.unwrap();
    assert_eq!(shown(&stream), good.cert);
}

#[test]
fn a_pair_that_cannot_be_used_is_refused_at_the_start() {
    let missing =
        TlsFiles { cert: Path::new("/nowhere/cert.pem").into(), key: Path::new("/nowhere/key.pem").into() };
    let error = TlsReloader::load(missing, MinVersion::Tls12).err().unwrap();
    assert!(error.to_string().contains("/nowhere/cert.pem"), "{error}");
}

#[test]
fn the_validity_is_read_and_its_end_warned_about() {
    let long = Folder::with(&pair(2020, 2100)).load();
    assert_eq!((long.validity().not_before, long.validity().not_after), (1_577_836_800, 4_102_444_800));
    assert_eq!(long.warning(NOW), None);

    let soon = Folder::with(&pair(2026, 2027)).load();
    let days = |days: u64| NOW.after(Duration::from_secs(days * 86_400));
    assert_eq!(soon.warning(NOW), None, "39 days are left");
    assert!(soon.warning(days(10)).unwrap().contains("ends in 29 days"));
    assert!(soon.warning(days(40)).unwrap().contains("ended 1 days ago"));
    assert!(Folder::with(&pair(2050, 2051)).load().warning(NOW).unwrap().contains("not valid before"));
}
