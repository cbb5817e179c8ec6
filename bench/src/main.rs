//! This program is the harness from its own command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost_bench::main()
}
