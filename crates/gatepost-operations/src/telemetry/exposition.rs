//! This file is where everything that is counted becomes a page that Prometheus reads.
//!
//! The page is made when somebody asks for it; between two scrapes nothing is kept for it.
//! Its metrics are a contract: `docs/reference/metrics.md` is made from this page, and a test holds it to that.

use std::fmt::Error;
use std::time::Duration;

use gatepost_core::refusal::Code;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::held::Held;
use super::snapshot::{DoorSnapshot, SIGNING_BOUNDS, Snapshot};
use super::waits::STEPS_MS;
use crate::gate::Gate;
use crate::signing::Shed;

/// What the page is; Prometheus reads it since version 2.5.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What only an edge can know.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfEdge {
    /// Requests for a revocation feed that wait for news now.
    pub feed_followers: usize,
    /// Tokens that had been verified before when they were asked about.
    pub token_cache_hits: u64,
    /// Tokens that had not.
    pub token_cache_misses: u64,
    /// Signatures of tokens that were checked.
    pub token_signature_checks: u64,
}

/// The page as it is now.
pub fn page(gate: &Gate, edge: OfEdge) -> String {
    let facts = Facts { counted: gate.metrics.snapshot(), held: Held::of(gate), edge };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(facts));
    let mut page = String::new();
    // Writing into a string does not fail.
    let _ = text::encode(&mut page, &registry);
    page
}

#[derive(Debug)]
struct Facts {
    counted: Snapshot,
    held: Held,
    edge: OfEdge,
}

impl prometheus_client::collector::Collector for Facts {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), Error> {
        let mut page = Page(encoder);
        page.tokens(&self.counted)?;
        page.signing(&self.counted, &self.held)?;
        page.listeners(&self.counted)?;
        page.store(&self.held)?;
        page.revocations(&self.counted, &self.held, self.edge)?;
        page.keys(&self.held)?;
        page.caches(&self.held, self.edge)
    }
}

struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn tokens(&mut self, counted: &Snapshot) -> Result<(), Error> {
        let help = "Requests for a token, by door and how they ended; one that was given up is in no outcome";
        let mut family =
            self.0.encode_descriptor("gatepost_token_requests", help, None, MetricType::Counter)?;
        for (door, counts) in [("origin", &counted.origin), ("standard", &counted.standard)] {
            let DoorSnapshot { issued, refused, unavailable } = *counts;
            for (outcome, count) in [("issued", issued), ("refused", refused), ("unavailable", unavailable)] {
                let labels = [("door", door), ("outcome", outcome)];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        let codes = Code::ALL.iter().map(|code| code.as_str()).zip(counted.refusals);
        self.counts("token_refusals", "Requests for a token that were refused, by code", "code", codes)?;
        let limits = counted.limited.iter().map(|(limit, count)| (*limit, *count));
        self.counts("rate_limited", "Requests that a limit refused, by limit", "limit", limits)
    }

    fn signing(&mut self, counted: &Snapshot, held: &Held) -> Result<(), Error> {
        let help = "Seconds from asking for a signature to having it, waiting included";
        let mut encoder =
            self.0.encode_descriptor("gatepost_signing_seconds", help, None, MetricType::Histogram)?;
        let bounds = SIGNING_BOUNDS.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(counted.signing_buckets).collect();
        let sum = Duration::from_micros(counted.signing_micros).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, counted.signatures, &buckets, None)?;
        self.gauge(
            "signing_queue_length",
            "Requests that wait for an RSA signature now; one that was given up counts until its turn comes",
            held.signing_queue,
        )?;
        let help = "Seconds that requests waited for a signing thread";
        let mut encoder =
            self.0.encode_descriptor("gatepost_signing_wait_seconds", help, None, MetricType::Histogram)?;
        let bounds = STEPS_MS.iter().map(|end| Duration::from_millis(*end).as_secs_f64());
        let buckets: Vec<_> = bounds.chain([f64::INFINITY]).zip(counted.waits.steps).collect();
        let sum = Duration::from_micros(counted.waits.micros).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, counted.waits.count, &buckets, None)?;
        let shed = Shed::ALL.iter().map(|why| why.as_str()).zip(counted.shed);
        self.counts("signing_shed", "Requests that got 503 instead of a signature, by why", "reason", shed)
    }

    fn listeners(&mut self, counted: &Snapshot) -> Result<(), Error> {
        self.gauge("connections", "Connections open now", count(counted.connections))?;
        for (name, help, count) in [
            ("tls_handshakes_failed", "TLS handshakes that came to nothing", counted.handshakes_failed),
            ("malformed_requests", "Requests that were no proper HTTP", counted.malformed),
            (
                "requests_timed_out",
                "Requests that took too long to arrive or to be answered",
                counted.timed_out,
            ),
            (
                "requests_given_up",
                "Requests whose work was dropped before the answer, since the caller hung up or the server ended",
                counted.given_up,
            ),
            ("panics", "Requests that met a mistake in the program", counted.panics),
            ("log_lines_dropped", "Log lines lost to a slow reader", counted.log_lines_dropped),
        ] {
            self.counter(name, help, count)?;
        }
        Ok(())
    }

    fn store(&mut self, held: &Held) -> Result<(), Error> {
        self.seconds("store_news_age_seconds", "Seconds since the store was last heard", held.news_age)?;
        self.gauge("store_reachable", "1 if the store answered lately", i64::from(held.store_reachable))
    }

    fn revocations(&mut self, counted: &Snapshot, held: &Held, edge: OfEdge) -> Result<(), Error> {
        self.gauges("revocations", "Revocations that are held now, by kind", "kind", held.revocations)?;
        let followers = i64::try_from(edge.feed_followers).unwrap_or(i64::MAX);
        self.gauge("feed_followers", "Requests for a revocation feed that wait for news now", followers)?;
        self.gauge("feed_sequence", "The number of the last change that this node has taken up", held.seq)?;
        self.counter("feed_signatures", "Revocation feeds that were signed", counted.feeds_signed)
    }

    fn keys(&mut self, held: &Held) -> Result<(), Error> {
        self.gauges("keys", "Signing keys of all APIs, by state", "state", held.keys)?;
        let help =
            "Seconds until the next key is published, promoted or retired by itself; +Inf if none ever is";
        let until = held.key_turn.map_or(f64::INFINITY, |until| until.as_secs_f64());
        self.one("key_next_turn_seconds", help, &ConstGauge::new(until))
    }

    fn caches(&mut self, held: &Held, edge: OfEdge) -> Result<(), Error> {
        let outcomes = |hits, misses| [("hit", hits), ("miss", misses)];
        let clients = outcomes(held.client_lookups.saturating_sub(held.client_reads), held.client_reads);
        let help = "Clients looked up; a miss is a read of the store";
        self.counts("client_cache_lookups", help, "outcome", clients)?;
        let tokens = outcomes(edge.token_cache_hits, edge.token_cache_misses);
        let help = "Tokens that introspection, revocation and forward-auth asked about; a miss is verified";
        self.counts("token_cache_lookups", help, "outcome", tokens)?;
        let help = "Signatures of tokens that were checked for them";
        self.counter("token_signature_checks", help, edge.token_signature_checks)
    }

    fn one(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> Result<(), Error> {
        let name = format!("gatepost_{name}");
        metric.encode(self.0.encode_descriptor(&name, help, None, metric.metric_type())?)
    }

    fn counter(&mut self, name: &str, help: &str, count: u64) -> Result<(), Error> {
        self.one(name, help, &ConstCounter::new(count))
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) -> Result<(), Error> {
        self.one(name, help, &ConstGauge::new(value))
    }

    fn seconds(&mut self, name: &str, help: &str, value: Duration) -> Result<(), Error> {
        self.one(name, help, &ConstGauge::new(value.as_secs_f64()))
    }

    fn counts<'s>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        counts: impl IntoIterator<Item = (&'s str, u64)>,
    ) -> Result<(), Error> {
        let name = format!("gatepost_{name}");
        let mut family = self.0.encode_descriptor(&name, help, None, MetricType::Counter)?;
        for (value, count) in counts {
            ConstCounter::new(count).encode(family.encode_family(&[(label, value)])?)?;
        }
        Ok(())
    }

    fn gauges<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: [(&'static str, usize); N],
    ) -> Result<(), Error> {
        let name = format!("gatepost_{name}");
        let mut family = self.0.encode_descriptor(&name, help, None, MetricType::Gauge)?;
        for (value, held) in values {
            let held = i64::try_from(held).unwrap_or(i64::MAX);
            ConstGauge::new(held).encode(family.encode_family(&[(label, value)])?)?;
        }
        Ok(())
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
