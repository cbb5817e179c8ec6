//! This file is where the fair queue is run for ci/bench-pure.sh.

use std::hint::black_box;

use gatepost_operations::signing::rounds::rounds as turns;

#[path = "../../../bench/pure/parts.rs"]
mod parts;

fn main() {
    parts::run(&[("fair-queue", fair_queue)]);
}

/// One comes in and one is taken, with 64 clients that wait.
fn fair_queue(rounds: u32) {
    assert_eq!(black_box(turns(64, rounds)), rounds, "there is always one to take");
}
