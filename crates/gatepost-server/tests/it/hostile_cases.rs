//! This file is where every hostile case is looked for: it is played by a test, or says what it waits for.

use std::collections::BTreeSet;

use serde_json::Value;

/// What is attacked, and the cases.
const CASES: [(&str, &str); 9] = [
    (
        "token",
        "T001 T004 T005 T006 T007 T011 T012 T013 T016 T017 T020 T025 T027 T028 T029 T030 T031 T033 T034 \
         T036 T037 T038 T039 T040 T041 T042 T045 T046 T047 T048 T049 T050 T052 T053 T055 T056 T057 T058 \
         T059 T060 T061 T062 T063 T066 T067 T068 T069 T070 T071 T072 T073 T077 T078 T083 T084 T085 T086 \
         T088 T089 T090 T093 T094 T095 T097 T098 T099 T102 T103 T105 T107 T108 T109 T110 T111 T112 T113 \
         T117 T120 T121 T125 T127 T128 T130 T131 T132 T133 T134 T135 T136 T137 T140 T141 T142 T144 T147 \
         T149 T150 T151 T152 T153 T154 T156 T157 T158 T160 T161 T162 T163 T165 T166",
    ),
    ("introspect", "I001 I002 I004 I006 I008 I009 I011 I012 I013 I015 I016 I017 I019 I020 I021 I024 I025"),
    ("revoke", "R002 R004 R005 R010 R011 R012 R013"),
    ("jwks", "J001 J002 J003 J009 J011 J013 J014 J015"),
    ("metadata", "M001 M002 M004 M009"),
    (
        "forward-auth",
        "F001 F003 F005 F007 F009 F010 F011 F013 F014 F015 F018 F020 F021 F022 F024 F025 F027 F028 F029 \
         F030 F031 F032 F033 F034 F035 F036 F040 F041 F042 F043 F044 F045 F047 F048 F049 F050",
    ),
    (
        "admin",
        "A001 A002 A003 A005 A006 A007 A011 A012 A014 A015 A016 A017 A019 A020 A021 A022 A023 A024 A026 \
         A027 A028 A029 A030 A031 A032 A033 A034 A036 A037 A038 A039 A040 A041 A042 A044 A045 A046 A047 \
         A048 A049 A050 A051 A052 A054 A056",
    ),
    ("console", "C001 C003 C004 C006 C007 C008 C009 C010 C011"),
    (
        "http",
        "H002 H004 H005 H006 H007 H008 H009 H010 H012 H013 H015 H016 H017 H018 H020 H021 H022 H024 H025 \
         H027 H029 H030 H031 H032 H033 H034",
    ),
];

/// Cases that wait, by their first letter and numbers.
const LATER: [(char, u32, u32, &str); 4] = [
    ('T', 147, 159, "DPoP"),
    ('T', 160, 166, "client certificates and what ends TLS in front"),
    ('A', 1, 56, "the admin API"),
    ('C', 1, 11, "the console"),
];

/// Rows that a test plays one by one, and the tests that play all rows of a surface in them.
const PLAYED: [(&str, &str, &[&str]); 2] = [
    (
        include_str!("../data/hostile.json"),
        concat!(include_str!("hostile.rs"), include_str!("hostile_apis.rs")),
        &["token", "jwks", "metadata", "introspect", "revoke", "forward-auth"],
    ),
    (include_str!("hostile_http.json"), include_str!("raw_http.rs"), &[]),
];

/// Tests named after their case, or with a row that begins with it.
const NAMED: [&str; 3] = [
    include_str!("assertions/doors.rs"),
    include_str!("assertions/replays.rs"),
    include_str!("assertions/rows.rs"),
];

/// The ids of the rows that are played.
fn played() -> BTreeSet<String> {
    let rows = PLAYED.iter().flat_map(|(rows, _, _)| serde_json::from_str::<Vec<Value>>(rows).unwrap());
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// `fn t041_…` is a test of T041, and so is a row that begins with its id.
fn is_named(id: &str) -> bool {
    let (name, row) = (format!("fn {}_", id.to_lowercase()), format!("(\"{id}\","));
    let begins_row = |source: &str| source.split_whitespace().collect::<String>().contains(&row);
    let of_two = |source: &str| source.contains(&format!("_{}_", id.to_lowercase()));
    NAMED.iter().any(|source| source.contains(&name) || of_two(source) || begins_row(source))
}

fn waits(id: &str) -> bool {
    let number: u32 = id[1..].parse().unwrap();
    LATER.iter().any(|(letter, from, to, _)| id.starts_with(*letter) && (*from..=*to).contains(&number))
}

fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    CASES.iter().flat_map(|(surface, ids)| ids.split_whitespace().map(|id| (*surface, id)))
}

#[test]
fn every_hostile_case_is_played_or_says_what_it_waits_for() {
    let played = played();
    let shown = |id: &str| played.contains(id) || is_named(id);
    let missing: Vec<_> = cases().filter(|(_, id)| !shown(id) && !waits(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let done: Vec<_> = cases().filter(|(_, id)| shown(id) && waits(id)).collect();
    assert!(done.is_empty(), "these wait no more: {done:?}");

    let known: BTreeSet<_> = cases().map(|(_, id)| id.to_owned()).collect();
    assert_eq!(known.len(), 262);
    assert!(played.is_subset(&known), "{:?}", played.difference(&known));
    assert!(!is_named("T999"));
}

#[test]
fn every_surface_of_the_rows_has_a_test_that_plays_it() {
    let (rows, tests, surfaces) = PLAYED[0];
    let rows: Vec<Value> = serde_json::from_str(rows).unwrap();
    let found: BTreeSet<_> = rows.iter().map(|row| row["surface"].as_str().unwrap()).collect();
    assert_eq!(found, surfaces.iter().copied().collect());
    for surface in found {
        let plays = ["rows(\"", "play(\""].map(|how| format!("{how}{surface}\""));
        assert!(plays.iter().any(|how| tests.contains(how)), "{surface}");
    }
    assert!(PLAYED[1].1.contains("include_str!(\"hostile_http.json\")"));
}
