//! This file is where a measurement becomes lines and bars for a person.

use gatepost_bench::{Guarded, Latency, Offered, Pace, Placement, Quartiles, Row};

/// How long the longest bar is, in characters.
const WIDTH: f64 = 40.0;

/// What was found, with bars: the limit of this machine, the server beside it, how long an answer takes.
pub(super) fn of_tokens(row: &Row) -> String {
    let place = match row.placement {
        Placement::Shared => "all cores",
        Placement::Apart => "server and signing on one core, the load on another",
    };
    let (raw, served) = (row.raw_quartiles.median, row.served_quartiles.median);
    let share = row.ratio.map_or_else(String::new, |ratio| format!("  {ratio:.2} of it"));
    let mut text = format!("{}, {} connections, {place}\n\n", row.algorithm.name(), row.connections);
    text += &format!("  signing alone  {raw:>9.0} /s   {}\n", bar(raw, raw.max(served)));
    text += &format!("  this server    {served:>9.0} /s   {}{share}\n\n", bar(served, raw.max(served)));
    text += &latencies(&row.latency_ms);
    text += &format!(
        "\n  /livez meanwhile: p50 {:.2} ms, p99 {:.2} ms\n  {} tokens, {} different ids, {} verified; the load took {:.1} % of the machine\n",
        row.livez_ms.p50,
        row.livez_ms.p99,
        row.tokens,
        row.distinct_jti,
        row.verified,
        row.generator_share * 100.0
    );
    text + &of_void(&row.void)
}

/// What came of requests that were due, with bars for how long they took.
pub(super) fn of_offered(offered: &Offered) -> String {
    let asked_for = match offered.asked_for {
        Pace::Rate(rate) => format!("{rate:.0} requests a second"),
        Pace::Load(share) => format!("{share} of the capacity"),
    };
    let mut text =
        format!("{}, {asked_for}, Poisson arrivals of seed {}\n\n", offered.algorithm.name(), offered.seed);
    for round in &offered.rounds {
        text += &format!(
            "  signing alone {:.0} /s, capacity {:.0} /s ({:.2} of it); asked for {:.0} /s, served {:.0} /s\n",
            round.raw,
            round.capacity,
            round.capacity / round.raw,
            round.rate,
            round.served
        );
    }
    text += &format!("\n{}\n", latencies(&offered.latency_ms));
    text += &histogram(offered);
    text += &format!(
        "\n  p99 is {:.1} times one signature; latency counts from when a request was due\n  {} asked, {} served, {} refused with 503; {} different ids, {} verified; the load took {:.1} % of the machine\n",
        offered.p99_in_signing_times,
        offered.asked,
        offered.served,
        offered.refused,
        offered.distinct_jti,
        offered.verified,
        offered.generator_share * 100.0
    );
    text + &of_void(&offered.void)
}

fn histogram(offered: &Offered) -> String {
    let bars = offered.histogram_ms.bars();
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or_default() as f64;
    let line = |each: &gatepost_bench::Bar| {
        let drawn = bar(each.count as f64, most);
        format!("  {:>9.3} to {:>9.3} ms {:>8}  {drawn}\n", each.from, each.below, each.count)
    };
    bars.iter().map(line).collect()
}

/// Guarded calls beside the limits of this machine.
pub(super) fn of_calls(found: &Guarded) -> String {
    let middle = |rates: &[f64]| Quartiles::of(rates).median;
    let (signatures, hashes) = (middle(&found.signatures_alone), middle(&found.hashes_alone));
    let (full, forged, remembered) = (middle(&found.full), middle(&found.forged), middle(&found.remembered));
    let threads =
        if found.threads == 1 { "one thread".to_owned() } else { format!("{} threads", found.threads) };
    let line = |name: &str, rate: f64, limit: f64| {
        let share = if rate < limit { format!("  {:.2} of it", rate / limit) } else { String::new() };
        format!("  {name:<18}{rate:>10.0} /s   {}{share}\n", bar(rate, limit))
    };
    let Quartiles { lower, median, upper } = found.ratio;
    format!("{}, {threads}, {} tokens\n\n", found.algorithm.name(), found.tokens)
        + &line("signatures alone", signatures, signatures)
        + &line("new tokens", full, signatures)
        + &line("forged tokens", forged, signatures)
        + &line("SHA-256 alone", hashes, hashes)
        + &line("remembered tokens", remembered, hashes)
        + &format!("\n  remembered over new: {median:.1} (quartiles {lower:.1} to {upper:.1})\n")
        + &percentiles("a new token", &found.full_us)
        + &percentiles("a remembered one", &found.remembered_us)
        + &of_void(&found.void)
}

fn percentiles(name: &str, latency: &Latency) -> String {
    let Latency { p50, p90, p99, p999, .. } = latency;
    format!("  {name:<17} p50 {p50:.2} us, p90 {p90:.2} us, p99 {p99:.2} us, p99.9 {p999:.2} us\n")
}

fn of_void(void: &[String]) -> String {
    void.iter().map(|why| format!("  does not count: {why}\n")).collect()
}

fn latencies(latency: &Latency) -> String {
    let of = |name: &str, figure: f64| {
        format!("  answered within {figure:>8.2} ms   {}  {name}\n", bar(figure, latency.p999))
    };
    of("half", latency.p50)
        + &of("90 %", latency.p90)
        + &of("99 %", latency.p99)
        + &of("99.9 %", latency.p999)
}

/// A bar in eighths of a character.
fn bar(figure: f64, longest: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if figure <= 0.0 || longest <= 0.0 {
        return String::new();
    }
    let eighths = (figure / longest * WIDTH * 8.0).round().clamp(1.0, WIDTH * 8.0) as usize;
    let rest = EIGHTHS.get(eighths.rem_euclid(8)).copied().unwrap_or_default();
    "█".repeat(eighths.div_euclid(8)) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_of_the_longest() {
        assert_eq!(bar(2.0, 2.0).chars().count(), 40);
        assert_eq!(bar(1.0, 2.0).chars().count(), 20);
        assert_eq!(bar(0.001, 2.0), "▏");
        assert_eq!((bar(0.0, 2.0), bar(1.0, 0.0)), (String::new(), String::new()));
    }
}
