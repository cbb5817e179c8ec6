//! This file is where the promises of the queue are tried on simulated time: two threads, long signatures of six or
//! of 1.6 milliseconds, short ones of an eighth, arrivals by seeded chance. Same seed, same figures.
//!
//! All times are told in long signatures.

mod world;

use world::{Asks, Client, Outcome, World, simulate};

/// Machines on which a long signature takes that many microseconds, counted from the beginning or later on.
const SLOW: World = World { signing_us: 6_000, warm_up: 700, window: 4_000, stall: None, slowed: None };
const FAST: World = World { signing_us: 1_600, ..SLOW };
const BOTH: [World; 2] = [SLOW, FAST];

fn refused(outcomes: &[Outcome]) -> usize {
    outcomes.iter().map(|outcome| outcome.refused).sum()
}

/// The slowest percentile over all clients.
fn p99(outcomes: &[Outcome]) -> f64 {
    let mut served: Vec<f64> = outcomes.iter().flat_map(|outcome| outcome.served.clone()).collect();
    served.sort_by(f64::total_cmp);
    served[served.len() * 99 / 100]
}

/// What was signed for all clients over what all threads can sign.
fn served_over_capacity(outcomes: &[Outcome]) -> f64 {
    outcomes.iter().map(|outcome| outcome.work).sum::<f64>() / f64::from(SLOW.window * world::THREADS)
}

fn openly(count: usize, share: f64) -> Vec<Client> {
    vec![Client::long(Asks::Openly(share / count as f64)); count]
}

fn connections(count: u32) -> Vec<Client> {
    vec![Client::long(Asks::OnConnections(count))]
}

#[test]
fn at_four_fifths_of_the_capacity_nobody_is_refused_and_waits_are_those_of_queueing_theory() {
    for world in BOTH {
        for clients in [openly(1, 0.8), openly(1_000, 0.8)] {
            let outcomes = simulate(world, &clients);
            assert_eq!(refused(&outcomes), 0);
            assert!(p99(&outcomes) < 7.5, "p99 {}", p99(&outcomes));
        }
    }
}

#[test]
fn a_machine_that_stands_still_for_a_tenth_of_a_second_makes_nobody_refused() {
    for world in BOTH {
        let stalled = World { stall: Some(100_000), ..world };
        for clients in [openly(1, 0.8), openly(20, 0.8)] {
            assert_eq!(refused(&simulate(stalled, &clients)), 0);
        }
    }
}

#[test]
fn a_machine_that_grows_slower_for_half_a_second_makes_nobody_refused() {
    for world in BOTH {
        let slowed = World { slowed: Some((1.35, 500_000)), ..world };
        for clients in [openly(1, 0.8), openly(20, 0.8)] {
            let outcomes = simulate(slowed, &clients);
            assert_eq!(refused(&outcomes), 0);
            assert!(p99(&outcomes) < 90.0, "p99 {}: the oldest wait for all that came later", p99(&outcomes));
        }
    }
}

#[test]
fn at_twice_the_capacity_all_threads_sign_and_what_is_served_is_served_soon() {
    for world in BOTH {
        for clients in [openly(1, 2.0), openly(5, 2.0), openly(2_000, 2.0)] {
            let outcomes = simulate(world, &clients);
            let served = served_over_capacity(&outcomes);
            assert!(served > 0.97, "served {served}");
            assert!(p99(&outcomes) < 6.0, "{} clients: p99 {}", clients.len(), p99(&outcomes));
        }
    }
}

#[test]
fn that_the_capacity_is_passed_is_seen_before_many_wait_long() {
    for world in BOTH {
        let outcomes = simulate(World { warm_up: 0, ..world }, &openly(1, 2.0));
        assert!(p99(&outcomes) < 6.0, "p99 {}", p99(&outcomes));
    }
}

#[test]
fn a_crowd_that_asks_too_much_is_served_soon_too_and_all_alike() {
    for world in BOTH {
        for (count, share) in [(1, 1.2), (20, 1.2), (20, 2.0), (50, 1.2), (50, 2.0), (200, 1.2), (200, 2.0)] {
            // At 1.2 it takes a while until so much waits that it is known.
            let outcomes = simulate(World { warm_up: 1_500, ..world }, &openly(count, share));
            let (served, p99) = (served_over_capacity(&outcomes), p99(&outcomes));
            assert!(served > 0.92, "{count} at {share}: served {served}");
            assert!(p99 < 8.0, "{count} at {share}: p99 {p99}");
            let each = outcomes.iter().map(|outcome| outcome.served.len());
            let least = each.min().unwrap() as f64 * count as f64 / f64::from(world.window * world::THREADS);
            assert!(least > 0.4, "{count} at {share}: somebody gets {least} of a fair part");
        }
    }
}

#[test]
fn a_light_client_beside_a_flood_is_never_refused_and_waits_for_little_but_a_free_thread() {
    for world in BOTH {
        for (flood, refuses) in
            [(Asks::OnConnections(256), false), (Asks::OnConnections(400), true), (Asks::Openly(3.0), true)]
        {
            let world = World { window: 2_000, ..world };
            let outcomes = simulate(world, &[Client::long(Asks::Openly(0.05)), Client::long(flood)]);
            assert_eq!(outcomes[1].refused > 1_000, refuses, "{} of the flood", outcomes[1].refused);
            assert_eq!(outcomes[0].refused, 0);
            assert!(p99(&outcomes[..1]) < 3.0, "p99 {}", p99(&outcomes[..1]));
        }
    }
}

#[test]
fn short_and_long_signatures_share_the_threads() {
    for world in BOTH {
        let mixed = |share: f64| [Client::long(Asks::Openly(share)), Client::short(Asks::Openly(share))];
        let outcomes = simulate(world, &mixed(0.4));
        assert_eq!(refused(&outcomes), 0);
        assert!(p99(&outcomes) < 8.0, "p99 {}", p99(&outcomes));

        let outcomes = simulate(world, &mixed(1.0));
        let served = served_over_capacity(&outcomes);
        assert!(served > 0.95 && p99(&outcomes) < 8.0, "served {served}, p99 {}", p99(&outcomes));

        let outcomes = simulate(world, &[Client::short(Asks::Openly(0.05)), Client::long(Asks::Openly(2.0))]);
        assert_eq!(outcomes[0].refused, 0, "a light client with a short key beside a flood for long ones");
    }
}

#[test]
fn who_waits_for_the_answer_before_asking_again_is_never_refused() {
    for world in BOTH {
        for clients in
            [connections(64), connections(256), connections(1).repeat(200), connections(4).repeat(60)]
        {
            let outcomes = simulate(World { warm_up: 0, ..world }, &clients);
            assert_eq!(refused(&outcomes), 0);
            assert!(served_over_capacity(&outcomes) > 0.97);
        }
    }
}

#[test]
fn clients_that_all_ask_too_much_get_about_the_same() {
    for world in BOTH {
        let outcomes = simulate(world, &[0.5, 1.0, 3.0].map(|share| Client::long(Asks::Openly(share))));
        let served = outcomes.iter().map(|outcome| outcome.served.len());
        let (least, most) = (served.clone().min().unwrap(), served.max().unwrap());
        assert!(most - least < least / 6, "{least} to {most}");
    }
}

/// What of the patient is refused beside these, who hang up soon.
fn refused_beside(world: World, patient: &[Client], impatient: &[Client]) -> usize {
    refused(&simulate(world, &[patient, impatient].concat())[..patient.len()])
}

#[test]
fn patient_callers_are_refused_no_more_for_callers_of_their_client_or_partner_that_hang_up() {
    for world in BOTH {
        let world = World { warm_up: 0, window: 1_000, ..world };
        let gone = |share: f64| Client::long(Asks::Openly(share)).of(1).hangs_up_after(3);
        for (patient, impatient) in [
            (partner(1, 1, Asks::OnConnections(200)), vec![gone(2.0).asks_as(0)]),
            (partner(1, 40, Asks::OnConnections(5)), vec![gone(0.05); 80]),
            (partner(1, 1, Asks::Openly(0.5)), vec![gone(4.0).asks_as(0)]),
        ] {
            assert_eq!(refused_beside(world, &patient, &[]), 0);
            assert_eq!(refused_beside(world, &patient, &impatient), 0);
        }
    }
}

/// A partner with so many clients that all ask like this.
fn partner(number: u32, clients: usize, asks: Asks) -> Vec<Client> {
    vec![Client::long(asks).of(number); clients]
}

/// What part of all that was signed was signed for these.
fn part(of: &[Outcome], all: &[Outcome]) -> f64 {
    served_over_capacity(of) / served_over_capacity(all)
}

#[test]
fn a_light_client_beside_sixty_busy_ones_of_another_partner_goes_first() {
    for world in BOTH {
        let world = World { window: 2_000, ..world };
        for crowd in [Asks::OnConnections(4), Asks::Openly(0.05)] {
            let mut clients = vec![Client::long(Asks::Openly(0.05)).of(1)];
            clients.extend(partner(2, 60, crowd));
            let outcomes = simulate(world, &clients);
            assert_eq!(outcomes[0].refused, 0);
            assert!(p99(&outcomes[..1]) <= 5.0, "p99 {}", p99(&outcomes[..1]));
        }
    }
}

#[test]
fn partners_that_want_all_get_the_same_whatever_clients_they_have() {
    for world in BOTH {
        for (many, one) in [
            (Asks::OnConnections(4), Asks::OnConnections(64)),
            (Asks::OnConnections(1), Asks::OnConnections(200)),
            (Asks::Openly(0.05), Asks::Openly(1.5)),
            (Asks::Openly(0.1), Asks::OnConnections(64)),
        ] {
            let world = World { window: 1_000, ..world };
            let outcomes = simulate(world, &[partner(1, 30, many), partner(2, 1, one)].concat());
            let (many, one) = (part(&outcomes[..30], &outcomes), part(&outcomes[30..], &outcomes));
            assert!((0.9..1.1).contains(&(many / one)), "{many} and {one} of what was signed");
        }
    }
}

#[test]
fn clients_of_a_partner_share_what_it_gets() {
    for world in BOTH {
        let closed = [1, 4, 4, 16, 64].map(|count| Client::long(Asks::OnConnections(count)).of(1));
        let open = [0.5, 1.0, 3.0].map(|share| Client::long(Asks::Openly(share)).of(1));
        for (clients, slack) in [(&closed[1..], 20), (&open[..], 6)] {
            let outcomes = simulate(world, &[clients.to_vec(), partner(2, 1, Asks::Openly(2.0))].concat());
            let served = outcomes[..clients.len()].iter().map(|outcome| outcome.served.len());
            let (least, most) = (served.clone().min().unwrap(), served.max().unwrap());
            assert!(most - least <= least / slack, "{least} to {most}");
        }
    }
}

#[test]
fn a_partner_that_goes_through_hundreds_of_clients_buys_no_priority() {
    for world in BOTH {
        let world = World { window: 2_000, ..world };
        let rotating = partner(1, 400, Asks::Openly(0.005));
        let outcomes = simulate(world, &[rotating, partner(2, 1, Asks::OnConnections(64))].concat());
        let rotating = part(&outcomes[..400], &outcomes);
        assert!(rotating < 0.55, "{rotating} of what was signed");
    }
}

#[test]
fn of_one_partner_no_more_wait_than_leave_places_for_others() {
    for world in BOTH {
        // Together they ask on more connections than there are places.
        let crowds = [partner(1, 300, Asks::OnConnections(2)), partner(2, 6, Asks::OnConnections(100))];
        let world = World { warm_up: 200, window: 500, ..world };
        let outcomes = simulate(world, &[crowds.concat(), openly(20, 0.2)].concat());
        assert!(refused(&outcomes[..306]) > 1_000, "{} of the crowds", refused(&outcomes[..306]));
        assert_eq!(refused(&outcomes[306..]), 0);
        assert!(p99(&outcomes[306..]) < 8.0, "p99 {}", p99(&outcomes[306..]));
    }
}

#[test]
fn an_overload_within_one_partner_is_shed_there_alone() {
    for world in BOTH {
        for crowd in [1.2, 2.0] {
            let outcomes =
                simulate(world, &[partner(1, 200, Asks::Openly(crowd / 200.0)), openly(20, 0.4)].concat());
            assert_eq!(refused(&outcomes[200..]), 0);
            assert!(p99(&outcomes[200..]) < 8.0, "p99 {}", p99(&outcomes[200..]));
        }
    }
}

#[test]
fn among_the_clients_of_one_partner_a_crowd_is_served_as_among_partners() {
    for world in BOTH {
        for (count, share) in [(20, 0.8), (20, 1.2), (200, 2.0)] {
            let clients = partner(1, count, Asks::Openly(share / count as f64));
            let outcomes = simulate(World { warm_up: 1_500, ..world }, &clients);
            let (served, p99) = (served_over_capacity(&outcomes), p99(&outcomes));
            let among_partners =
                self::p99(&simulate(World { warm_up: 1_500, ..world }, &openly(count, share)));
            assert!(served > 0.92 * share.min(1.0), "{count} at {share}: served {served}");
            assert!(p99 < among_partners * 1.1, "{count} at {share}: p99 {p99}");
            assert!(share > 1.0 || refused(&outcomes) == 0);
        }
    }
}
