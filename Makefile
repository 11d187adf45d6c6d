# One verb per job. Each sets up what it needs on a fresh Debian 12 and is quick where that is there.
#
#   make test       formatting, lints, unit tests
#   make lint       formatting and lints only

SHELL := /bin/bash

.PHONY: test lint crates-test

test: lint crates-test

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# The crates know no database: they are tested without one.
crates-test:
	cargo test --locked --workspace
