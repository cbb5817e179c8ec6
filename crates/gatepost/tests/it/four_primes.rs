//! This file is where the real program makes a key of four primes, or says that this build can't, and tells which it is.

use crate::program::Home;

#[cfg(feature = "multi-prime")]
#[test]
fn an_operator_rotates_to_four_primes_and_sees_it() {
    let home = Home::ready();
    let plan = home.json(&["key", "rotate", "--primes", "4"]);
    assert_eq!(plan["primes"], 4);
    let list = home.json(&["key", "list"]);
    let primes: Vec<_> = list.as_array().unwrap().iter().map(|key| key["primes"].as_u64()).collect();
    assert_eq!(primes, [Some(2), Some(4)]);
    home.json(&["key", "promote", "--now"]);
    let doctor = home.run(&["doctor"]);
    assert!(doctor.stdout.contains("the key of four primes of default signs"), "{doctor:?}");
}

#[cfg(not(feature = "multi-prime"))]
#[test]
fn a_build_without_the_library_names_the_feature_it_lacks() {
    let home = Home::ready();
    let (exit, error) = home.refusal(&["key", "rotate", "--primes", "4"]);
    assert_eq!((exit, &error["code"]), (3, &serde_json::json!("key.primes_absent")));
    assert!(error["fix"].as_str().unwrap().contains("--features multi-prime"), "{error}");
}

#[test]
fn the_version_names_what_was_built_in() {
    let home = Home::empty();
    let (names, told): (&[&str], _) =
        if cfg!(feature = "multi-prime") { (&["multi-prime"], "multi-prime") } else { (&[], "none") };
    assert_eq!(home.json(&["version"])["features"], serde_json::json!(names));
    let lines = format!("gatepost {}\nfeatures: {told}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(home.run(&["version"]).stdout, lines);
}

#[test]
fn another_number_of_primes_is_a_mistake_of_usage() {
    let home = Home::empty();
    let refused = home.run(&["key", "rotate", "--primes", "3"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
}
