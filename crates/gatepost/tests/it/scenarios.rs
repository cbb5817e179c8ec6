//! This file is where each scenario of trouble names the tests that play it, or says what it waits for.
//!
//! A scenario is a course of events that has broken other servers. The tests are spread over the crates; this table
//! finds them by file and name, so that none is renamed or taken out unnoticed.

use std::path::Path;

/// A scenario, with tests as (file from the root, name), and what is not shown yet.
struct Scenario {
    id: &'static str,
    title: &'static str,
    shown: &'static [(&'static str, &'static str)],
    later: &'static str,
}

const fn shown(
    id: &'static str,
    title: &'static str,
    shown: &'static [(&'static str, &'static str)],
) -> Scenario {
    Scenario { id, title, shown, later: "" }
}

const fn partly(scenario: &Scenario, later: &'static str) -> Scenario {
    Scenario { id: scenario.id, title: scenario.title, shown: scenario.shown, later }
}

const KILLED: &str = "crates/gatepost/tests/it/killed.rs";
const LIFECYCLE: &str = "crates/gatepost/tests/it/lifecycle.rs";
const FAULTS: &str = "crates/gatepost/tests/it/faults.rs";
const SERVING: &str = "crates/gatepost/tests/it/serving.rs";
const COMMANDS_OF_SECRETS: &str = "crates/gatepost/tests/it/secrets.rs";
const REPLAYS: &str = "crates/gatepost-server/tests/it/assertions/replays.rs";
const REVOCATION: &str = "crates/gatepost-server/tests/it/revocation.rs";
const ROTATION: &str = "crates/gatepost-server/tests/it/rotation.rs";
const FEED: &str = "crates/gatepost-server/tests/it/feed.rs";
const FAILURES: &str = "crates/gatepost-server/tests/it/limits/failures.rs";
const SOCKETS: &str = "crates/gatepost-server/tests/it/serving.rs";
const TLS: &str = "crates/gatepost-server/tests/it/tls_reload.rs";
const CRASH: &str = "crates/gatepost-store/tests/it/crash.rs";
const ASSERTIONS: &str = "crates/gatepost-store/tests/it/assertions.rs";
const UPGRADING: &str = "crates/gatepost-store/tests/it/upgrading.rs";
const OUTAGE: &str = "crates/gatepost-guard/tests/it/outage_rows.rs";
const KEY_SETS: &str = "crates/gatepost-guard/tests/it/key_set_rows.rs";
const SETTINGS: &str = "crates/gatepost-operations/src/config/tests.rs";

const SCENARIOS: [Scenario; 30] = [
    shown(
        "S01",
        "an assertion comes again, one by one and 64 at once",
        &[
            (REPLAYS, "t132_an_assertion_counts_once"),
            (REPLAYS, "of_64_simultaneous_uses_at_two_nodes_exactly_one_succeeds"),
            (
                KILLED,
                "of_64_uses_of_an_assertion_at_two_nodes_on_one_postgresql_one_succeeds_and_none_after_a_kill",
            ),
        ],
    ),
    shown(
        "S02",
        "an assertion comes again after a kill",
        &[
            (KILLED, "of_64_uses_of_an_assertion_one_succeeds_and_none_after_a_kill"),
            (CRASH, "assertions_that_were_new_once_are_not_after_kill_9"),
        ],
    ),
    partly(
        &shown(
            "S03",
            "very many assertions of one client",
            &[
                ("bench/src/assertions.rs", "measure"),
                (ASSERTIONS, "only_what_is_over_is_forgotten"),
                (ASSERTIONS, "who_finds_the_queue_full_is_sent_away_at_once"),
                (REPLAYS, "what_is_swept_away_is_refused_by_its_dates"),
            ],
        ),
        "memory is measured by the load harness",
    ),
    partly(&shown("S04", "a DPoP proof comes to two guards", &[]), "DPoP"),
    shown(
        "S05",
        "revoke, then introspect here and at another node",
        &[
            (REVOCATION, "whatever_ends_a_token_ends_it_at_once_and_for_good"),
            (REVOCATION, "another_node_refuses_as_soon_as_it_has_heard"),
            (REVOCATION, "a_thousand_revocations_are_refused_within_a_second_each"),
            (LIFECYCLE, "a_running_server_refuses_what_is_revoked_within_a_second_and_after_a_restart"),
        ],
    ),
    shown(
        "S06",
        "revoke, then forward-auth and a guard",
        &[
            (REVOCATION, "whatever_ends_a_token_ends_it_at_once_and_for_good"),
            (FEED, "a_guard_that_follows_refuses_within_five_seconds_whatever_ended_the_token"),
            (FEED, "without_the_feed_a_guard_serves_on_for_a_while_and_then_does_as_it_was_told"),
        ],
    ),
    shown(
        "S07",
        "revoke, and a kill right after the answer",
        &[
            (KILLED, "no_revocation_that_was_acknowledged_is_lost_by_a_kill_right_after_it"),
            (CRASH, "acknowledged_changes_survive_kill_9"),
        ],
    ),
    shown(
        "S08",
        "suspend a client whom every memory knows",
        &[
            (REVOCATION, "a_token_that_another_node_gives_out_before_it_has_heard_of_the_stop_ends_with_it"),
            (SERVING, "a_running_server_takes_up_what_commands_change_within_a_second"),
            (LIFECYCLE, "a_running_server_refuses_what_is_revoked_within_a_second_and_after_a_restart"),
        ],
    ),
    shown(
        "S09",
        "two nodes rotate at once",
        &[
            ("crates/gatepost-operations/tests/it/keys.rs", "of_two_nodes_that_rotate_at_once_one_wins"),
            ("crates/gatepost-store/tests/it/key_lives.rs", "of_nodes_that_publish_at_once_one_wins"),
            ("crates/gatepost-store/tests/it/key_lives.rs", "of_nodes_that_promote_at_once_one_wins"),
        ],
    ),
    shown(
        "S10",
        "keys rotate before guards that fetch seldom",
        &[
            (ROTATION, "a_hundred_rotations_under_load_refuse_no_token_and_sign_with_no_unpublished_key"),
            (ROTATION, "keys_without_ids_are_swapped_by_hand_and_refuse_no_token_either"),
            (
                LIFECYCLE,
                "twenty_rotations_under_load_sign_nothing_with_an_unpublished_key_and_refuse_no_token",
            ),
        ],
    ),
    shown(
        "S11",
        "a key is revoked at once",
        &[
            (ROTATION, "a_key_that_is_revoked_under_load_is_refused_by_every_follower_within_five_seconds"),
            (REVOCATION, "whatever_ends_a_token_ends_it_at_once_and_for_good"),
            (LIFECYCLE, "a_revoked_key_takes_its_tokens_with_it_and_the_damage_is_named_before"),
        ],
    ),
    shown(
        "S12",
        "secrets roll while programs use them",
        &[
            (
                "crates/gatepost-server/tests/it/rolls.rs",
                "a_hundred_rolls_under_load_refuse_no_secret_that_is_good_and_every_one_that_is_not",
            ),
            (COMMANDS_OF_SECRETS, "a_hundred_rolls_under_load_refuse_no_present_or_previous_secret"),
        ],
    ),
    shown(
        "S13",
        "a secret is ended that was used lately",
        &[
            (COMMANDS_OF_SECRETS, "a_secret_that_was_used_lately_is_ended_only_when_that_is_confirmed"),
            (COMMANDS_OF_SECRETS, "a_secret_is_not_called_unused_before_a_running_server_has_said_so"),
        ],
    ),
    partly(&shown("S14", "everyone comes back after a restart", &[]), "fair queues and overload"),
    shown(
        "S15",
        "many wrong secrets from one address",
        &[
            (FAILURES, "the_eleventh_failure_in_a_minute_is_429_with_an_error_member_at_both_doors"),
            (FAILURES, "nobody_can_shut_out_who_has_the_right_credentials"),
            (FAILURES, "failures_are_counted_by_the_pair_of_id_and_address"),
        ],
    ),
    partly(
        &shown(
            "S16",
            "many wrong secrets from many addresses",
            &[(FAILURES, "nobody_can_shut_out_who_has_the_right_credentials")],
        ),
        "no limit counts a client's failures from all addresses together",
    ),
    partly(
        &shown(
            "S17",
            "no secret or token is found anywhere afterwards",
            &[
                (
                    "crates/gatepost-server/tests/it/silence.rs",
                    "neither_log_nor_journal_holds_a_secret_or_a_token",
                ),
                (SERVING, "the_log_holds_neither_secrets_nor_tokens"),
            ],
        ),
        "the whole corpus with canaries, and the files of the store",
    ),
    shown(
        "S18",
        "refusals tell nothing apart",
        &[
            (
                "crates/gatepost-server/tests/it/alike.rs",
                "c06_unknown_wrong_suspended_and_ended_are_the_same_bytes",
            ),
            ("crates/gatepost-server/tests/it/alike.rs", "c12_each_refusal_takes_one_look_up_and_one_tag"),
            ("bench/src/pairs.rs", "measure"),
        ],
    ),
    shown(
        "S19",
        "tokens with made-up key ids",
        &[(KEY_SETS, "g017_ten_thousand_unknown_ids_make_one_fetch_a_cool_down")],
    ),
    shown(
        "S20",
        "the key sets are away for an hour",
        &[
            (OUTAGE, "g112_keys_outlive_the_issuer_until_the_bound"),
            (OUTAGE, "g111_a_guard_that_starts_without_keys_refuses_and_recovers"),
        ],
    ),
    shown(
        "S21",
        "the issuer changes",
        &[
            (
                "crates/gatepost-server/tests/it/discovery.rs",
                "metadata_have_the_members_of_rfc_8414_and_follow_the_scopes",
            ),
            (
                "crates/gatepost-guard/tests/it/coverage.rs",
                "every_row_of_the_file_is_a_case_for_both_profiles",
            ),
            (SETTINGS, "a_public_address_needs_an_issuer"),
            (SETTINGS, "plain_http_on_a_public_address_is_refused_unless_a_proxy_is_declared"),
        ],
    ),
    shown(
        "S22",
        "every acknowledged change has its audit line, kill or not",
        &[
            (CRASH, "acknowledged_changes_survive_kill_9"),
            (FAULTS, "whatever_was_acknowledged_is_there_after_a_kill_at_any_moment"),
        ],
    ),
    partly(
        &shown(
            "S23",
            "two first starts at once",
            &[
                ("crates/gatepost-store/tests/it/opening.rs", "openers_of_a_new_store_at_once_all_get_it"),
                (FAULTS, "a_first_start_that_is_killed_at_any_moment_can_be_made_again"),
            ],
        ),
        "operators and their first credential come with the console",
    ),
    partly(&shown("S24", "a backup while writing", &[]), "db backup"),
    partly(&shown("S25", "an older backup is restored", &[]), "db restore"),
    shown(
        "S26",
        "a migration is cut short, an old program meets a new store",
        &[
            (UPGRADING, "openers_of_an_old_store_at_once_all_get_it"),
            (CRASH, "a_writer_killed_while_it_makes_the_store_leaves_one_that_opens"),
            ("crates/gatepost-store/tests/it/opening.rs", "a_store_of_a_newer_version_is_refused"),
            ("crates/gatepost-store/tests/it/opening_files.rs", "a_file_of_a_newer_version_is_untouched"),
        ],
    ),
    partly(&shown("S27", "one operator tries the ids of another", &[]), "the admin API"),
    shown(
        "S28",
        "a stop while requests are under way",
        &[
            (SERVING, "a_request_that_has_begun_is_answered_before_the_server_ends"),
            (SOCKETS, "closing_finishes_what_was_begun_and_lets_nobody_in"),
            (SOCKETS, "after_the_grace_what_is_left_is_cut"),
        ],
    ),
    partly(
        &shown(
            "S29",
            "certificates are replaced and expire",
            &[
                (TLS, "reloading_under_load_fails_no_request"),
                (TLS, "the_validity_is_read_and_its_end_warned_about"),
                (TLS, "plain_http_at_a_tls_port_is_closed_and_never_redirected"),
            ],
        ),
        "metrics of the days that are left",
    ),
    shown(
        "S30",
        "mistakes in settings and files",
        &[
            (SETTINGS, "an_unknown_setting_is_refused_with_its_line_and_the_likely_meaning"),
            (SETTINGS, "values_that_a_setting_does_not_take_are_refused_with_setting_value_and_place"),
            (FAULTS, "a_missing_wrong_or_open_master_key_is_a_configuration_failure"),
        ],
    ),
];

#[test]
fn every_scenario_names_tests_that_exist_or_says_what_it_waits_for() {
    let mut complaints = Vec::new();
    for (number, Scenario { id, title, shown, later }) in (1..).zip(SCENARIOS) {
        assert_eq!(id, format!("S{number:02}"), "in order, none left out");
        if shown.is_empty() && later.is_empty() {
            complaints.push(format!("{id}, {title}: neither shown nor later"));
        }
        let gone = shown.iter().filter(|(file, name)| !has_test(file, name));
        complaints.extend(gone.map(|(file, name)| format!("{id}, {title}: {file} has no {name}")));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(!has_test(KILLED, "no_such_test"));
}

/// Whether the file has a function of that name.
fn has_test(file: &str, name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.contains(&format!("fn {name}("))
}
