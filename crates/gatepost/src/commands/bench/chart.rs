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
    let share = row.ratio.map_or_else(String::new, of_the_limit);
    let mut text = format!("{}, {} connections, {place}\n\n", row.algorithm.name(), row.connections);
    text += &format!("  signing alone  {raw:>9.0} /s   {}\n", bar(raw, raw.max(served)));
    text += &format!("  this server    {served:>9.0} /s   {}{share}\n\n", bar(served, raw.max(served)));
    text += &latencies(&row.latency_ms);
    text += &in_signing_times(row);
    text += &row.livez_ms.as_ref().map_or_else(String::new, |livez| {
        format!("  /livez meanwhile: p50 {:.2} ms, p99 {:.2} ms\n", livez.p50, livez.p99)
    });
    text += &turns("signing alone", &row.raw);
    text += &turns("this server", &row.served);
    text += &format!(
        "  {} tokens, {} different ids, {} verified; the load took {:.1} % of the machine\n",
        row.tokens,
        row.distinct_jti,
        row.verified,
        row.generator_share * 100.0
    );
    text + &of_void(&row.void)
}

/// Half of the answers beside one signature; at one connection that is what tells, not the rates.
fn in_signing_times(row: &Row) -> String {
    format!(
        "\n  half is {:.2} signing times{} (a signing time is cores over what signing alone gives)\n",
        row.signing_times,
        mark(row.signing_times < 1.0)
    )
}

/// A share of what this machine can do at all, and a mark on what can't be.
fn of_the_limit(share: f64) -> String {
    format!("  {share:.2} of it{}", mark(share > 1.0))
}

/// Marks what can't be.
fn mark(impossible: bool) -> &'static str {
    if impossible { " (noise)" } else { "" }
}

/// Nothing is kept from other runs: how far the turns lie apart says whether the machine was quiet.
fn turns(name: &str, rates: &[f64]) -> String {
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let most = rates.iter().copied().fold(0.0, f64::max);
    format!("  {name} made {least:.0} to {most:.0} /s, turn by turn\n")
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
            "  signing alone {:.0} /s, capacity {:.0} /s,{}; asked for {:.0} /s, served {:.0} /s\n",
            round.raw,
            round.capacity,
            of_the_limit(round.capacity / round.raw),
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
    let drawn =
        |name: &str, rate: f64, limit: f64| format!("  {name:<18}{rate:>10.0} /s   {}", bar(rate, limit));
    let alone = |name: &str, rate: f64| drawn(name, rate, rate) + "\n";
    let line =
        |name: &str, rate: f64, limit: f64| drawn(name, rate, limit) + &of_the_limit(rate / limit) + "\n";
    let Quartiles { lower, median, upper } = found.ratio;
    format!("{}, {threads}, {} tokens\n\n", found.algorithm.name(), found.tokens)
        + &alone("signatures alone", signatures)
        + &line("new tokens", full, signatures)
        + &line("forged tokens", forged, signatures)
        + &alone("SHA-256 alone", hashes)
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
    use gatepost_bench::Subject;

    use super::*;

    fn row(rates: (f64, f64), connections: u16) -> Row {
        let one = |figure: f64| Quartiles { lower: figure, median: figure, upper: figure };
        let latency = |p50| Latency { p50, p90: p50, p99: p50, p999: p50, samples: 1 };
        let (raw, served) = rates;
        Row {
            algorithm: Subject::Es256,
            placement: Placement::Shared,
            connections,
            raw: vec![raw],
            raw_quartiles: one(raw),
            served: vec![served],
            served_quartiles: one(served),
            ratio: (connections > 1).then_some(served / raw),
            ratio_quartiles: (connections > 1).then(|| one(served / raw)),
            latency_ms: latency(3.0),
            signing_times: 1.5,
            livez_ms: Some(latency(4.0)),
            tokens: 1,
            distinct_jti: 1,
            verified: 1,
            generator_share: 0.01,
            void: Vec::new(),
        }
    }

    #[test]
    fn a_share_above_the_limit_is_marked_as_noise() {
        assert!(of_tokens(&row((100.0, 90.0), 64)).contains("0.90 of it\n"));
        assert!(of_tokens(&row((100.0, 104.0), 64)).contains("1.04 of it (noise)\n"));
        let void = Row { void: vec!["that is noise".to_owned()], ..row((100.0, 104.0), 64) };
        assert!(of_tokens(&void).ends_with("  does not count: that is noise\n"));
    }

    #[test]
    fn the_median_is_told_in_signing_times_and_at_one_connection_no_share() {
        let text = of_tokens(&row((100.0, 40.0), 1));
        assert!(text.contains("half is 1.50 signing times (a") && !text.contains("of it"), "{text}");
    }

    #[test]
    fn answers_within_less_than_one_signature_are_marked_as_noise() {
        let text = of_tokens(&Row { signing_times: 0.62, ..row((100.0, 40.0), 1) });
        assert!(text.contains("half is 0.62 signing times (noise) (a"), "{text}");
    }

    #[test]
    fn guarded_calls_above_their_limit_keep_their_share_and_are_marked() {
        let latency = || Latency { p50: 1.0, p90: 1.0, p99: 1.0, p999: 1.0, samples: 1 };
        let text = of_calls(&Guarded {
            algorithm: Subject::Es256,
            threads: 1,
            tokens: 20,
            signatures_alone: vec![100.0],
            hashes_alone: vec![1000.0],
            full: vec![104.0],
            forged: vec![90.0],
            remembered: vec![1500.0],
            ratio: Quartiles { lower: 9.0, median: 9.0, upper: 9.0 },
            full_us: latency(),
            remembered_us: latency(),
            verifications: 40,
            void: Vec::new(),
        });
        for share in ["1.04 of it (noise)\n", "0.90 of it\n", "1.50 of it (noise)\n"] {
            assert!(text.contains(share), "{share}: {text}");
        }
        assert_eq!(text.matches("of it").count(), 3, "the limits themselves have none: {text}");
    }

    #[test]
    fn turns_are_told_and_livez_where_it_was_asked() {
        let mut row = row((100.0, 90.0), 2);
        row.raw = vec![100.0, 80.4, 99.0];
        let text = of_tokens(&row);
        assert!(
            text.contains("signing alone made 80 to 100 /s") && text.contains("/livez meanwhile"),
            "{text}"
        );
        row.livez_ms = None;
        assert!(!of_tokens(&row).contains("/livez"));
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_of_the_longest() {
        assert_eq!(bar(2.0, 2.0).chars().count(), 40);
        assert_eq!(bar(1.0, 2.0).chars().count(), 20);
        assert_eq!(bar(0.001, 2.0), "▏");
        assert_eq!((bar(0.0, 2.0), bar(1.0, 0.0)), (String::new(), String::new()));
    }
}
