//! This file is where the command line of the harness becomes a plan, bounded in count and time.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::growth::Counts;
use crate::subject::Subject;

/// Measures a real `gatepost serve` on this machine; every figure is a ratio or a median within one run.
#[derive(Debug, Parser)]
#[command(name = "gatepost-bench", version)]
pub(crate) struct Arguments {
    /// The program under test; build it with `cargo build --release -p gatepost`.
    #[arg(long, default_value = "target/release/gatepost")]
    pub gatepost: PathBuf,
    /// A smoke run of about a minute; its figures show that the harness works, not how fast the server is.
    #[arg(long)]
    pub quick: bool,
    /// One JSON document on standard output in place of the text.
    #[arg(long)]
    pub json: bool,
    /// These measurements alone.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Measurement>,
    /// These algorithms alone.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub algorithms: Vec<Subject>,
    /// Connections of the closed loop, each measured by itself.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64], value_parser = clap::value_parser!(u16).range(1..=256))]
    pub connections: Vec<u16>,
    /// Pairs of slices (raw signing, server) for each figure.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub slices: Option<u16>,
    /// Seconds of a slice.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=120))]
    pub slice_seconds: Option<u16>,
    /// Pairs of refused requests: unknown client, wrong secret.
    #[arg(long, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub pairs: Option<u32>,
    /// Decides the order within the pairs.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the best raw figures of this machine are kept, against which a run is found void.
    #[arg(long, default_value = "target/gatepost-bench/raw.json")]
    pub figures: PathBuf,
    /// Where the peers' programs are; they are installed beside the figures.
    #[arg(long, default_value = "bench/peers")]
    pub peers: PathBuf,
    /// How many clients the larger store has.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub clients: Option<u64>,
    /// Where the two stores of that row are kept for the next run; without it they are made anew and removed.
    #[arg(long)]
    pub keep: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What one run can measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measurement {
    /// From exec to the first 200 of /readyz.
    Startup,
    /// Resident memory when idle.
    Memory,
    /// Unknown client against wrong secret.
    Pairs,
    /// Tokens a second over raw signatures a second, and /livez meanwhile.
    Throughput,
    /// Answers at .8 of the capacity, at twice of it, and of a light client beside one that floods.
    Overload,
    /// What millions of tokens add to the store.
    Growth,
    /// What many client assertions add to memory and to the store.
    Assertions,
    /// The same work on this server and on others; only when named, for it installs them from their registries.
    Peers,
    /// Tokens by a key of four primes over those by one of two; only by name, for it needs a build with such keys.
    Primes,
    /// ES256 and EdDSA tokens a second over the requests a second of bare hyper.
    Hyper,
    /// Questions of a proxy a second over the requests a second of bare hyper.
    ForwardAuth,
    /// A guarded call in this process: remembered verdicts over full verification.
    Guard,
    /// A million clients against a thousand.
    Clients,
}

/// What the harness starts itself for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Signs on all given threads and prints signatures a second.
    #[command(hide = true)]
    Raw(RawArguments),
    /// Gives one answer to every request, with nothing but hyper.
    #[command(hide = true)]
    Bare(BareArguments),
}

/// The bare server.
#[derive(Debug, Args)]
pub(crate) struct BareArguments {
    /// A file with the answer, head and body, as it came from the real server.
    #[arg(long)]
    pub answer: PathBuf,
}

/// One slice of raw signing.
#[derive(Debug, Args)]
pub struct RawArguments {
    /// What is signed with.
    #[arg(long, value_enum)]
    pub(crate) algorithm: Subject,
    /// The PKCS#8 key, made for this run.
    #[arg(long)]
    pub(crate) key: PathBuf,
    /// Length of what is signed.
    #[arg(long, value_parser = RangedU64ValueParser::<usize>::new().range(1..=65_536))]
    pub(crate) bytes: usize,
    /// How many threads sign.
    #[arg(long, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_024))]
    pub(crate) threads: usize,
    /// For how long.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=120_000))]
    pub(crate) milliseconds: u64,
    /// Signatures a second, in Poisson arrivals; without it they are made one after the other.
    #[arg(long, value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Which of all possible arrivals.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What is due is drawn beforehand, so its number has a bound.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=200_000.0).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err("give signatures a second, from 0.01 to 200000".to_owned()),
    }
}

/// How much is measured.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How this program is told to sign alone.
    pub own_words: &'static [&'static str],
    pub slices: u16,
    pub slice: Duration,
    pub warm_up: Duration,
    pub starts: u32,
    pub idle: Duration,
    pub pairs: u32,
    /// A smoke run asks for fewer samples than a percentile needs.
    pub quick: bool,
}

impl Plan {
    /// So many samples, or a hundredth of them in a smoke run.
    pub(crate) fn least(&self, samples: f64) -> f64 {
        if self.quick { samples / 100.0 } else { samples }
    }
}

impl Arguments {
    pub(crate) fn plan(&self) -> Plan {
        let (slices, seconds, starts, idle, pairs) =
            if self.quick { (1, 1, 3, 2, 500) } else { (5, 10, 11, 10, 10_000) };
        Plan {
            own_words: &["raw"],
            slices: self.slices.unwrap_or(slices),
            slice: Duration::from_secs(self.slice_seconds.unwrap_or(seconds).into()),
            warm_up: Duration::from_millis(if self.quick { 200 } else { 2_000 }),
            starts,
            idle: Duration::from_secs(idle),
            pairs: self.pairs.unwrap_or(pairs),
            quick: self.quick,
        }
    }

    /// Tokens before the two weighings of the store.
    pub(crate) fn growth(&self) -> Counts {
        if self.quick {
            Counts { first: 10_000, then: 50_000 }
        } else {
            Counts { first: 1_000_000, then: 10_000_000 }
        }
    }

    /// Client assertions of one client.
    pub(crate) fn assertions(&self) -> u64 {
        if self.quick { 5_000 } else { 100_000 }
    }

    /// Clients of the larger store.
    pub(crate) fn many(&self) -> u64 {
        self.clients.unwrap_or(if self.quick { 20_000 } else { 1_000_000 })
    }

    pub(crate) fn wants(&self, measurement: Measurement) -> bool {
        let by_default = !matches!(measurement, Measurement::Peers | Measurement::Primes);
        (self.only.is_empty() && by_default) || self.only.contains(&measurement)
    }

    pub(crate) fn subjects(&self) -> Vec<Subject> {
        if self.algorithms.is_empty() { Subject::value_variants().to_vec() } else { self.algorithms.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Arguments {
        Arguments::try_parse_from([&["gatepost-bench"], words].concat()).expect("these arguments are good")
    }

    #[test]
    fn the_method_is_the_default() {
        let plan = parse(&[]).plan();
        assert_eq!((plan.slices, plan.slice, plan.pairs), (5, Duration::from_secs(10), 10_000));
        let Counts { first, then } = parse(&[]).growth();
        assert_eq!((first, then, parse(&[]).assertions()), (1_000_000, 10_000_000, 100_000));
        assert_eq!(parse(&[]).connections, [1, 16, 64]);
        assert_eq!(parse(&[]).subjects().len(), 4);
    }

    #[test]
    fn a_named_figure_overrides_the_quick_one() {
        let plan = parse(&["--quick", "--slices", "3"]).plan();
        assert_eq!((plan.slices, plan.slice), (3, Duration::from_secs(1)));
    }

    #[test]
    fn only_what_is_named_is_measured() {
        let arguments = parse(&["--only", "memory,pairs"]);
        assert!(arguments.wants(Measurement::Pairs) && !arguments.wants(Measurement::Throughput));
        assert!(!parse(&[]).wants(Measurement::Primes), "a plain build has no such keys");
        assert!(parse(&["--only", "primes"]).wants(Measurement::Primes));
    }

    #[test]
    fn a_run_without_bounds_is_refused() {
        assert!(Arguments::try_parse_from(["gatepost-bench", "--connections", "100000"]).is_err());
        assert!(Arguments::try_parse_from(["gatepost-bench", "--slice-seconds", "0"]).is_err());
    }

    #[test]
    fn so_is_raw_signing_without_bounds() {
        let raw = |name: &str, value: &str| {
            let mut words = vec!["gatepost-bench", "raw", "--algorithm", "eddsa", "--key", "k"];
            for (option, good) in
                [("--bytes", "9"), ("--threads", "1"), ("--milliseconds", "9"), ("--rate", "9")]
            {
                words.extend([option, if option == name { value } else { good }]);
            }
            Arguments::try_parse_from(words).is_ok()
        };
        assert!(raw("--rate", "0.5") && raw("--rate", "200000") && raw("--milliseconds", "120000"));
        for rate in ["0", "-1", "NaN", "inf", "200001", "x"] {
            assert!(!raw("--rate", rate), "{rate}");
        }
        for (name, value) in
            [("--bytes", "0"), ("--bytes", "65537"), ("--threads", "1025"), ("--milliseconds", "120001")]
        {
            assert!(!raw(name, value), "{name} {value}");
        }
    }
}
