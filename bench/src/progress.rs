//! This file is where whoever waits for a run is told how long it will take and how far it is.
//!
//! It goes to standard error, so that figures stay alone on standard output.

use std::io::Write as _;
use std::time::Instant;

use clap::ValueEnum as _;

use crate::arguments::{Arguments, Measurement, Plan};

/// A run under way.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
}

impl Progress {
    /// Says about how long it will take.
    pub(crate) fn begin(arguments: &Arguments, plan: &Plan) -> Self {
        let all = Measurement::value_variants().iter().filter(|one| arguments.wants(**one));
        let seconds: u64 = all.map(|one| seconds(*one, arguments, plan)).sum();
        tell(&format!("this takes about {} minutes", seconds.div_ceil(60)));
        Self { began: Instant::now() }
    }

    /// Whether that is to be measured; if so, it says that it begins.
    pub(crate) fn begins(&self, arguments: &Arguments, measurement: Measurement) -> bool {
        if !arguments.wants(measurement) {
            return false;
        }
        let name =
            measurement.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        tell(&format!("after {} min: {name}", self.began.elapsed().as_secs() / 60));
        true
    }
}

/// A line for whoever waits.
pub(crate) fn tell(line: &str) {
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(std::io::stderr(), "gatepost-bench: {line}");
}

/// About how long a measurement takes, by its plan and as found on two cores.
fn seconds(measurement: Measurement, arguments: &Arguments, plan: &Plan) -> u64 {
    let slices = u64::from(plan.slices) * plan.slice.as_secs();
    let subjects = arguments.subjects().len() as u64;
    let connections = arguments.connections.len() as u64;
    match measurement {
        Measurement::Startup => 2,
        Measurement::Memory => plan.idle.as_secs(),
        Measurement::Pairs => 2 + u64::from(plan.pairs) / 2_000,
        // Most are measured again with the server on one core.
        Measurement::Throughput => subjects * connections * 2 * slices * 3 / 2,
        // Signing and capacity each round, then the load, which is six times as long for the flood.
        Measurement::Overload => 3 * 2 * slices + 8 * slices,
        Measurement::Growth => arguments.growth().then / 20_000,
        Measurement::Assertions => arguments.assertions() / 2_000,
        Measurement::Peers => 2 * connections * 4 * slices,
        Measurement::Primes | Measurement::ForwardAuth => 2 * slices,
        Measurement::Hyper => 4 * slices,
        Measurement::Guard => 30 + 2 * slices,
        // Making them, coming to rest, the slices, and each once.
        Measurement::Clients => 2 * slices + arguments.many() / 800,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[test]
    fn a_run_of_the_whole_method_is_told_in_more_time_than_one_of_a_part() {
        let of = |words: &[&str]| {
            let arguments = Arguments::try_parse_from([&["gatepost-bench"], words].concat()).expect("good");
            let wanted = Measurement::value_variants().iter().filter(|one| arguments.wants(**one));
            wanted.map(|one| seconds(*one, &arguments, &arguments.plan())).sum::<u64>()
        };
        assert_eq!(of(&["--only", "hyper", "--slices", "5", "--slice-seconds", "10"]), 200);
        assert!((30 * 60..180 * 60).contains(&of(&[])), "{}", of(&[]));
        assert!(of(&["--quick"]) < of(&[]) / 5);
    }
}
