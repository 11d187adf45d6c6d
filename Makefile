# One verb per job. Each sets up what it needs on a fresh Debian 12 and is quick where that is there.
#
#   make demo       build, start a private PostgreSQL 15, play examples/shop.sql
#   make demo-stop  stop it
#   make test       formatting, lints, unit tests, in-server tests, SQL regression tests
#   make lint       formatting and lints only
#   make bench      how fast versions, plans, upgrades, rollouts, a registry of 200,000 versions, snapshots and descriptions of schemas are, beside their peers
#   make install    build and install into the PostgreSQL of PG_CONFIG
#   make fuzz       fuzzes versions and the snapshot format (nightly toolchain and cargo-fuzz)
#   make package    the files of an installation, under target/release

SHELL := /bin/bash
PG_VERSION ?= 15
PG_CONFIG ?= /usr/lib/postgresql/$(PG_VERSION)/bin/pg_config
PGRX_VERSION := 0.18.1
FEATURE := pg$(PG_VERSION)
FEATURES := --no-default-features --features $(FEATURE)
SUDO := $(shell [ "$$(id -u)" -eq 0 ] || echo --sudo)
export PG_CONFIG

.PHONY: fuzz demo demo-stop test lint crates-test server-test regress bench install package setup clean

demo: install
	@examples/demo.sh start

demo-stop:
	@examples/demo.sh stop

test: lint crates-test server-test regress

setup:
	@tools/setup.sh "$(PGRX_VERSION)" "$(PG_VERSION)"

lint: setup
	cargo fmt --all --check
	PGRX_PG_CONFIG_PATH="$(PG_CONFIG)" cargo clippy --locked --workspace --all-targets $(FEATURES) --features pg_test -- -D warnings

# The crates know no database: they are tested without one.
crates-test: setup
	cargo test --locked --package npm-semver --package versioning-core

server-test: setup
	@tests/server_test.sh "$(FEATURE)"

# A debug build, in which an overflow is an error.
regress: setup
	cargo pgrx install --pg-config "$(PG_CONFIG)" $(FEATURES) $(SUDO)
	@tests/run.sh

bench: install
	@benches/semver.sh
	@benches/plan.sh
	@benches/upgrade.sh
	@benches/registry.sh
	@benches/rollout.sh
	@benches/snapshot.sh
	@benches/schema.sh

# Wants the nightly toolchain and cargo-fuzz; FUZZ_SECONDS says for how long each target runs.
fuzz:
	cd fuzz && for target in version range stored; do \
		cargo +nightly fuzz run $$target -- -max_total_time=$(or $(FUZZ_SECONDS),60) -max_len=400 || exit 1; \
	done
	cd fuzz && cargo +nightly fuzz run snapshot -- -max_total_time=$(or $(FUZZ_SECONDS),60) -max_len=4000 -rss_limit_mb=512

install: setup
	cargo pgrx install --release --pg-config "$(PG_CONFIG)" $(FEATURES) $(SUDO)

package: setup
	cargo pgrx package --pg-config "$(PG_CONFIG)" $(FEATURES)

clean: demo-stop
	rm -rf .demo .test
	cargo clean
