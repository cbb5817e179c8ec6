//! This file is where certificate and key become TLS, and are changed for new ones while the server runs.
//!
//! Each handshake takes the pair of that moment, so a reload touches no connection.
//! A pair that can't be used never replaces one that can.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatepost_operations::config::{MinVersion, TlsFiles};
use gatepost_operations::core::time::Timestamp;
use gatepost_operations::telemetry::metrics::Metrics;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use super::certificate::Validity;
use super::certificate::validity;

const DAY: i64 = 86_400;
/// From so many days before its end on, a certificate is warned about.
const WARN_DAYS: i64 = 30;

/// Why certificate and key can't be used; each text says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("cannot read {path}: {reason}; let the user that runs gatepost read it", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// There is no certificate in the file.
    #[error("{path} holds no certificate; give a PEM file that begins with BEGIN CERTIFICATE", path = .0.display())]
    NoCertificate(PathBuf),
    /// There is no private key in the file.
    #[error("{path} holds no private key; give a PEM file with an unencrypted PRIVATE KEY", path = .0.display())]
    NoKey(PathBuf),
    /// Key and certificate do not belong together, or TLS does not know their kind.
    #[error("certificate {cert} and key {key} can't be used together: {reason}; give the key the certificate was issued for", cert = files.cert.display(), key = files.key.display())]
    Unusable {
        /// The two files.
        files: TlsFiles,
        /// What TLS says.
        reason: String,
    },
    /// The certificate's time is over, or has not come.
    #[error("the certificate {path} {reason}; renew it", path = path.display())]
    OutOfTime {
        /// The file.
        path: PathBuf,
        /// Which of the two.
        reason: String,
    },
}

/// Holds the certificate and key in use, and changes them on request.
pub struct TlsReloader {
    files: TlsFiles,
    min_version: MinVersion,
    current: ArcSwap<Pair>,
}

/// A certificate with its key, ready for handshakes.
struct Pair {
    config: Arc<ServerConfig>,
    validity: Validity,
}

impl TlsReloader {
    /// Reads the files for the first time.
    ///
    /// A certificate out of its time is taken, since the server may be needed to renew it; [`warning`](Self::warning) tells.
    pub fn load(files: TlsFiles, min_version: MinVersion) -> Result<Self, TlsError> {
        let pair = read(&files, min_version)?;
        Ok(Self { files, min_version, current: ArcSwap::from_pointee(pair) })
    }

    /// Reads the files again; new handshakes use what they hold now.
    ///
    /// With an error, also when the new certificate is out of its time, the old pair stays in use.
    pub fn reload(&self, now: Timestamp) -> Result<(), TlsError> {
        let pair = read(&self.files, self.min_version)?;
        if let Some(reason) = out_of_time(pair.validity, now) {
            return Err(TlsError::OutOfTime { path: self.files.cert.clone(), reason });
        }
        self.current.store(Arc::new(pair));
        Ok(())
    }

    /// From and until when the certificate in use is valid.
    pub fn validity(&self) -> Validity {
        self.current.load().validity
    }

    /// What should be looked at about the certificate in use, if anything.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let validity = self.validity();
        let path = self.files.cert.display();
        if let Some(reason) = out_of_time(validity, now) {
            return Some(format!("the certificate {path} {reason}; renew it, then send SIGHUP"));
        }
        let days = (validity.not_after - now.seconds()) / DAY;
        let text = || format!("the certificate {path} ends in {days} days; renew it, then send SIGHUP");
        (days < WARN_DAYS).then(text)
    }

    /// Shakes hands within that time; nothing if it comes to nothing.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        patience: Duration,
        metrics: &Metrics,
    ) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current.load().config));
        match timeout(patience, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                metrics.handshake_failed();
                tracing::debug!(%error, "TLS handshake failed");
                None
            }
            Err(_) => {
                metrics.handshake_failed();
                tracing::debug!("TLS handshake took too long");
                None
            }
        }
    }
}

fn out_of_time(validity: Validity, now: Timestamp) -> Option<String> {
    let now = now.seconds();
    if now > validity.not_after {
        return Some(format!("ended {} days ago", (now - validity.not_after) / DAY));
    }
    let early = validity.not_before - now;
    (early > 0).then(|| format!("is not valid before {} days from now", early / DAY + 1))
}

fn read(files: &TlsFiles, min_version: MinVersion) -> Result<Pair, TlsError> {
    let cert_pem = read_file(&files.cert)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&cert_pem)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::NoCertificate(files.cert.clone()))?;
    let leaf = chain.first().ok_or_else(|| TlsError::NoCertificate(files.cert.clone()))?;
    let validity = validity(leaf).ok_or_else(|| TlsError::NoCertificate(files.cert.clone()))?;
    let key_pem = read_file(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| TlsError::NoKey(files.key.clone()))?;
    let config = server_config(chain, key, min_version)
        .map_err(|error| TlsError::Unusable { files: files.clone(), reason: error.to_string() })?;
    Ok(Pair { config: Arc::new(config), validity })
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path)
        .map_err(|source| TlsError::Unreadable { path: path.to_owned(), reason: source.to_string() })
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    min_version: MinVersion,
) -> Result<ServerConfig, rustls::Error> {
    let versions = match min_version {
        MinVersion::Tls12 => &[&TLS13, &TLS12][..],
        MinVersion::Tls13 => &[&TLS13],
    };
    // Checks that the key is the certificate's.
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Clients that come again shake hands at a fraction of the price; the ticket keys rotate by themselves.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}
