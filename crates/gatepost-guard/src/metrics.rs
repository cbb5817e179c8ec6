//! This file is where a guard's status becomes metrics, for registries of the crate `prometheus-client`.

use std::fmt::Error;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::guard::Guard;
use crate::revocations::FeedStatus;
use crate::status::GuardStatus;

/// A guard as a collector: register it once, and every scrape asks for its status.
///
/// Names begin with `gatepost_guard_`; one guard a registry, or each with a label of its own.
#[derive(Debug)]
pub struct GuardCollector(Guard);

impl GuardCollector {
    /// Of this guard.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self(guard)
    }
}

impl Collector for GuardCollector {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), Error> {
        let status = self.0.status();
        let mut page = Page(encoder);
        page.calls(&status)?;
        page.keys(&status)?;
        match &status.feed {
            Some(feed) => page.feed(feed),
            None => Ok(()),
        }
    }
}

struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn calls(&mut self, status: &GuardStatus) -> Result<(), Error> {
        self.one("accepted", "Calls let in", &ConstCounter::new(status.accepted))?;
        let refused = status.refused.iter().map(|(code, count)| (*code, *count));
        self.by_label("refused", "Calls refused, by reason", "reason", refused)?;
        let cache = [("hit", status.cache_hits), ("miss", status.cache_misses)];
        let help = "Tokens looked up among those verified before";
        self.by_label("cache_lookups", help, "outcome", cache)?;
        self.one("signature_checks", "Signatures checked", &ConstCounter::new(status.signature_checks))
    }

    fn keys(&mut self, status: &GuardStatus) -> Result<(), Error> {
        self.one("keys", "Keys that verify", &ConstGauge::new(count(status.keys)))?;
        self.one("keys_failing", "1 if the last fetch of the keys failed", &flag(status.keys_failing))?;
        let help = "Seconds since the keys were fetched; -1 before the first time";
        self.one("keys_age_seconds", help, &age(status.keys_age))
    }

    fn feed(&mut self, feed: &FeedStatus) -> Result<(), Error> {
        let help = "Seconds since the revocation feed was heard; -1 before the first time";
        self.one("feed_age_seconds", help, &age(feed.age))?;
        let help = "1 while good tokens are let in, 0 while the feed is too old for that";
        self.one("feed_serving", help, &flag(feed.serving))?;
        let help = "The server's number of the last change that the feed told of; -1 before the first time";
        self.one("feed_sequence", help, &ConstGauge::new(feed.seq.unwrap_or(-1)))?;
        self.one("feed_revocations", "Revocations known", &ConstGauge::new(count(feed.revocations)))?;
        let outcomes = [("taken_up", feed.taken_up), ("unchanged", feed.unchanged), ("failed", feed.failed)];
        self.by_label("feed_polls", "Requests for the feed, by outcome", "outcome", outcomes)
    }

    fn one(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> Result<(), Error> {
        let name = format!("gatepost_guard_{name}");
        metric.encode(self.0.encode_descriptor(&name, help, None, metric.metric_type())?)
    }

    fn by_label<'s>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        counts: impl IntoIterator<Item = (&'s str, u64)>,
    ) -> Result<(), Error> {
        let name = format!("gatepost_guard_{name}");
        let kind = ConstCounter::new(0_u64).metric_type();
        let mut family = self.0.encode_descriptor(&name, help, None, kind)?;
        for (value, count) in counts {
            ConstCounter::new(count).encode(family.encode_family(&[(label, value)])?)?;
        }
        Ok(())
    }
}

fn age(age: Option<Duration>) -> ConstGauge<f64> {
    ConstGauge::new(age.map_or(-1.0, |age| age.as_secs_f64()))
}

fn flag(is_so: bool) -> ConstGauge<i64> {
    ConstGauge::new(i64::from(is_so))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
