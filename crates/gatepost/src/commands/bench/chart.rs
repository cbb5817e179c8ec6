//! This file is where a measurement becomes lines and bars for a person.

use gatepost_bench::{Latency, Placement, Row};

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
    row.void.iter().fold(text, |text, why| text + &format!("  does not count: {why}\n"))
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
