//! This file is where the commands that measure this machine are run for a second.

use serde_json::Value;

use crate::program::Home;

#[test]
fn tokens_are_measured_beside_signing_alone_without_touching_the_state_here() {
    let home = Home::empty();
    let done = home.run(&[
        "bench",
        "token",
        "--json",
        "--alg",
        "eddsa",
        "--connections",
        "2",
        "--slices",
        "1",
        "--seconds",
        "1",
    ]);
    let row: Value = done.document();

    let (raw, served) = (row["raw"][0].as_f64().unwrap(), row["served"][0].as_f64().unwrap());
    assert!(raw > 0.0 && served > 0.0, "{row}");
    assert!((row["ratio"].as_f64().unwrap() - served / raw).abs() < 1e-9, "{row}");
    assert_eq!(row["tokens"], row["distinct_jti"], "{row}");
    assert!(row["verified"].as_u64().unwrap() > 0, "{row}");
    assert!(done.stderr.contains("slice 1 of 1"), "{}", done.stderr);
    assert!(!home.data().exists(), "no state was made here");
}

#[test]
fn a_person_gets_the_limit_the_ratio_percentiles_and_bars() {
    let home = Home::empty();
    let done = home.run(&[
        "bench",
        "token",
        "--alg",
        "es256",
        "--connections",
        "2",
        "--slices",
        "1",
        "--seconds",
        "1",
    ]);
    for part in ["signing alone", "this server", "of it", "99.9 %", "█", "/livez"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
}
