//! This file is where the commands that measure this machine are run for a second.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Done, Home, PATIENCE, Started, done, signal, until};

/// One short turn over two connections.
const SHORT: [&str; 6] = ["--connections", "2", "--slices", "1", "--seconds", "1"];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

fn run(home: &Home, words: &[&str]) -> Done {
    home.run(&[&["bench", "token"], &SHORT[..], words].concat())
}

#[test]
fn tokens_are_measured_beside_signing_alone_without_touching_the_state_here() {
    let home = Home::empty();
    let done = run(&home, &["--json", "--alg", "eddsa"]);
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
    let done = run(&Home::empty(), &["--alg", "es256"]);
    for part in ["signing alone", "this server", "of it", "99.9 %", "█", " signing times"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    // Beside a generator on a core of its own nobody asks.
    assert_eq!(done.stdout.contains("/livez"), done.stdout.contains("all cores"), "{}", done.stdout);
    let again = ["as long again if the load", "no figure if the load"];
    assert!(again.iter().any(|text| done.stderr.contains(text)), "{}", done.stderr);
}

#[test]
fn tokens_asked_for_at_a_rate_are_all_accounted_for() {
    let done = run(&Home::empty(), &["--json", "--alg", "eddsa", "--rate", "100", "--seed", "7"]);
    let offered: Value = done.document();

    let others: u64 = offered["others"].as_object().unwrap().values().map(number).sum();
    let [asked, served, refused] = ["asked", "served", "refused"].map(|member| number(&offered[member]));
    assert_eq!(asked, served + refused + others, "{offered}");
    assert!(asked > 0 && number(&offered["verified"]) > 0, "{offered}");
    let drawn: u64 =
        offered["histogram_ms"].as_array().unwrap().iter().map(|bar| number(&bar["count"])).sum();
    assert_eq!((drawn, number(&offered["latency_ms"]["samples"])), (served, served), "{offered}");
    assert_eq!(number(&offered["distinct_jti"]), served, "{offered}");
    assert_eq!((&offered["seed"], &offered["asked_for"]["rate"]), (&7.into(), &100.0.into()), "{offered}");
    assert!(done.stderr.contains("round 1 of 1"), "{}", done.stderr);
}

#[test]
fn a_person_gets_the_latencies_of_a_load_as_bars_and_the_seed() {
    let done = run(&Home::empty(), &["--alg", "eddsa", "--load", "0.1"]);
    for part in
        ["0.1 of the capacity", "seed 1", "capacity", "99.9 %", "█", " ms ", "p99 is", "refused with 503"]
    {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
}

#[test]
fn a_rate_and_a_load_at_once_or_a_load_of_nothing_are_no_question() {
    let home = Home::empty();
    for words in
        [&["--rate", "5", "--load", "0.8"][..], &["--load", "0"], &["--load", "NaN"], &["--rate", "0"]]
    {
        assert_eq!(run(&home, words).code, Some(2), "{words:?}");
    }
}

#[test]
fn at_one_connection_a_person_is_told_the_median_in_signing_times() {
    let words = ["bench", "token", "--alg", "es256", "--connections", "1", "--slices", "1", "--seconds", "1"];
    let done = Home::empty().run(&words);
    assert!(done.stdout.contains(" signing times"), "{}", done.stdout);
}

#[test]
fn a_signing_run_without_bounds_is_no_question() {
    let home = Home::empty();
    let base = ["bench", "raw", "--algorithm", "eddsa", "--key", "none", "--bytes", "9", "--threads", "1"];
    let with = |more: &[&str]| home.run(&[&base[..], &["--milliseconds", "9"], more].concat()).code;
    assert_eq!(with(&[]), Some(1), "the key is missing, the rest is good");
    for rate in ["0", "-1", "NaN", "inf", "1e9"] {
        assert_eq!(with(&["--rate", rate]), Some(2), "{rate}");
    }
}

/// The folders of measurements that are under way or were left behind.
fn folders(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path(".")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("gatepost-bench-")).collect()
}

/// Whether a process has this in its command line.
fn is_run_with(text: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.into_iter().any(|process| {
        // One that has ended meanwhile has none.
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(text)
    })
}

/// A measurement that has begun, what it says from now on, and the folder of its state.
fn under_way(home: &Home) -> (Started, impl Iterator<Item = String>, String) {
    let words =
        ["bench", "token", "--alg", "eddsa", "--connections", "2", "--slices", "50", "--seconds", "1"];
    let mut command = home.command(&words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = Started(command.spawn().unwrap());
    let mut told = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.contains("slice 1 of 50")), "it goes on");
    let folder = folders(home).pop().expect("a state of its own");
    assert!(is_run_with(&folder), "a server runs on it");
    (running, told, folder)
}

/// What is left after that signal in the middle of a measurement: nothing.
fn ends_all_by(name: &str) {
    let home = Home::empty();
    let (mut running, told, folder) = under_way(&home);
    signal(name, &running.0.id().to_string());
    let rest: Vec<String> = told.collect();
    assert_eq!(running.0.wait().unwrap().code(), Some(1), "{name}: {rest:?}");
    assert!(rest.iter().any(|line| line.contains("stopped by a signal")), "{name}: {rest:?}");
    assert_eq!(folders(&home), [""; 0], "{name}");
    until(PATIENCE, "the server has ended", || !is_run_with(&folder));
}

#[test]
fn a_measurement_that_is_killed_leaves_no_process_behind() {
    let home = Home::empty();
    let (mut running, _, folder) = under_way(&home);
    signal("KILL", &running.0.id().to_string());
    assert_eq!(running.0.wait().unwrap().code(), None, "it was killed");
    until(PATIENCE, "server and signing have ended", || !is_run_with(&folder));
}

#[test]
fn a_temporary_folder_that_can_not_be_made_is_mended_by_naming_another() {
    let home = Home::empty();
    let words = ["bench", "token", "--alg", "eddsa", "--slices", "1", "--seconds", "1", "--json"];
    let (_, error) = done(home.command(&words).env("TMPDIR", home.path("missing")), "").refusal();
    assert_eq!(error["code"], "bench.failed");
    assert_eq!(error["fix"], "name a writable folder in TMPDIR", "{error}");
}

/// An Ed25519 key as PKCS#8.
const KEY: &[u8] =
    b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20abcdefghijklmnopqrstuvwxyz012345";

#[test]
fn signing_alone_ends_with_whoever_started_it() {
    let home = Home::empty();
    std::fs::write(home.path("key"), KEY).unwrap();
    let key = home.path("key");
    let base = ["bench", "raw", "--algorithm", "eddsa", "--key", key.to_str().unwrap(), "--bytes", "9"];
    for more in [&[][..], &["--rate", "1000"]] {
        let words = [&base[..], &["--threads", "1", "--milliseconds", "120000"], more].concat();
        let mut command = home.command(&words);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut running = Started(command.spawn().unwrap());
        drop(running.0.stdin.take());
        let mut said = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(running.0.wait().unwrap().code(), Some(1), "{more:?}");
        assert!(said.contains("whoever started it is gone"), "{more:?}: {said}");
    }
}

#[test]
fn a_signal_ends_the_measurement_its_server_and_its_folder() {
    ends_all_by("INT");
}

#[test]
fn so_does_a_terminal_that_is_closed_or_quits() {
    ends_all_by("HUP");
    ends_all_by("QUIT");
}

/// Few tokens and short turns.
const FEW: [&str; 8] = ["bench", "verify", "--tokens", "20", "--slices", "2", "--milliseconds", "1"];

#[test]
fn guarded_calls_are_told_for_each_algorithm_and_every_one_is_accounted_for() {
    let home = Home::empty();
    let done = home.run(&[&FEW[..], &["--alg", "es256,eddsa", "--json"]].concat());
    let rows: Value = done.document();

    let rows = rows.as_array().unwrap();
    let algorithms: Vec<_> = rows.iter().map(|row| row["algorithm"].as_str().unwrap()).collect();
    assert!(algorithms.contains(&"es256") && algorithms.contains(&"eddsa"), "{algorithms:?}");
    assert!(rows.iter().any(|row| row["threads"] == 1), "{rows:?}");
    for row in rows {
        for member in ["signatures_alone", "hashes_alone", "full", "forged", "remembered"] {
            let rates = row[member].as_array().unwrap();
            assert_eq!(rates.len(), 2, "{member}: {row}");
            assert!(rates.iter().all(|rate| rate.as_f64().unwrap() > 0.0), "{member}: {row}");
        }
        assert_eq!((number(&row["tokens"]), number(&row["remembered_us"]["samples"])), (20, 20), "{row}");
        assert!(number(&row["verifications"]) >= 2 * (20 + 20), "new and forged ones of two slices: {row}");
        assert_eq!(row["void"].as_array().unwrap().len(), 0, "{row}");
    }
    assert!(done.stderr.contains("slice 2 of 2"), "{}", done.stderr);
}

#[test]
fn a_person_gets_guarded_calls_beside_the_limits_of_the_machine() {
    let home = Home::empty();
    let done = home.run(&[&FEW[..], &["--alg", "eddsa"]].concat());
    for part in
        ["signatures alone", "forged tokens", "SHA-256 alone", "remembered over new", "p99.9", "█", "of it"]
    {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    assert_eq!(
        home.run(&["bench", "verify", "--tokens", "1"]).code,
        Some(2),
        "one token makes no forged one"
    );
}
