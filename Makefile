# One line a recipe; what each step does is written in ci/.
.PHONY: help dev check prepare test lint format interop release bench bench-pure docs clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | sort | expand -t 12
dev: ## a server with a demo partner and a guarded API
	cargo run --release -- dev
check: ## everything that CI runs
	@ci/check.sh
prepare: ## install or name what the checks need on this machine
	@ci/prepare.sh
test: ## the Rust tests
	cargo test --workspace --locked
lint: ## clippy, warnings are errors
	cargo clippy --workspace --all-targets --locked -- -D warnings
format: ## format every Rust file
	cargo fmt --all
interop: ## real clients and the documents' commands against a real server
	@ci/interop.sh
release: ## what is handed out: built, tried, packed under target/handed-out
	@ci/release.sh
bench: ## the load harness, release build
	cargo build --release --locked -p gatepost -p gatepost-bench && target/release/gatepost-bench
bench-pure: ## instructions of the pure parts against those of before, needs valgrind
	@ci/bench-pure.sh
docs: ## the crates' documentation
	cargo doc --workspace --no-deps --locked
clean: ## remove what was built
	cargo clean
