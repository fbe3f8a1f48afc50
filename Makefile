# Every task of the project, for people and for CI alike. `make` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
export PAAMESH_CLUSTER ?= demo

##@ See it
.PHONY: demo
demo: ## Bring up an empty local cluster and play the story of the README on it
	@hack/demo

##@ Test it
.PHONY: test
test: ## Every test, from formatting to real pods
	@hack/test

.PHONY: test-long
test-long: ## The same with more cases and longer watches (up to an hour)
	@hack/test --long

.PHONY: bench
bench: ## Measure memory, CPU and time of registry and operator, release builds
	@hack/bench

.PHONY: advisories
advisories: ## Known vulnerabilities of dependencies (needs the network)
	cargo deny check advisories

##@ Work on it
.PHONY: fmt
fmt: ## Format the Rust sources
	cargo fmt --all

.PHONY: lint
lint: ## Clippy on every target; warnings are errors
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: docs
docs: ## Build the API documentation of all crates into target/doc
	cargo doc --workspace --no-deps

.PHONY: generate
generate: ## Write what is generated: the definitions of the chart, the reference of the manifest
	PAAMESH_GENERATE=1 cargo test --quiet --workspace --test chart --test reference

.PHONY: clean
clean: ## Remove what cargo built; the cache of tools outside the checkout stays
	cargo clean

##@ The local cluster (PAAMESH_CLUSTER names it)
.PHONY: cluster-up
cluster-up: ## Bring it up, or repair what died
	@hack/cluster up

.PHONY: cluster-status
cluster-status: ## Its processes and nodes
	@hack/cluster status

.PHONY: cluster-down
cluster-down: ## Take it down; nothing stays behind
	@hack/cluster down

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
