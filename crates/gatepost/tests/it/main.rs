//! This file is where the tests of the real program and of the house rules come together.

mod cli;
mod dev;
mod faults;
mod house;
mod http;
mod program;
mod serving;
mod tokens;
