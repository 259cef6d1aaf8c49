# Every target sets up what it needs first; a second run finds it done. `make help` lists them.
# What is downloaded or built lands in .cache/ (TWINSEAT_CACHE_DIR), .venv/ and ui/node_modules/, nowhere else.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export TWINSEAT_CACHE_DIR ?= $(CURDIR)/.cache

PYTHON := .venv/bin/python
WORKERS ?= 2
TESTS ?= tests

.PHONY: run test qualify lint format bench ui setup clean help

run: ## Open the window (in a browser where there is no display)
	@scripts/setup.sh run
	@scripts/run.sh $(ARGS)

test: ## Run every test; TESTS=tests/server runs some, WORKERS=4 more at once
	@scripts/setup.sh test
	@scripts/ui.sh test
	@$(PYTHON) -m pytest -q -n $(WORKERS) --dist loadfile -rs $(TESTS) $(ARGS)

qualify: ## The long version: full counts, faults and load; the output goes to docs/qualification/
	@scripts/setup.sh test
	@scripts/qualify.sh

lint: ## Formatting, linting, types and import rules
	@scripts/setup.sh lint
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/basedpyright
	@.venv/bin/lint-imports --no-cache
	@scripts/ui.sh lint

format: ## Format everything
	@scripts/setup.sh lint
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .
	@scripts/ui.sh format

bench: ## Measure every row of the speed table; prints JSON. ROWS="launch gateway" measures some
	@scripts/setup.sh test >&2
	@$(PYTHON) -m tests.bench $(ROWS)

ui: ## Build the page, if its sources changed
	@scripts/setup.sh lint
	@scripts/ui.sh build

setup: ## All the set-up of `run` and `test`, and nothing else
	@scripts/setup.sh run
	@scripts/setup.sh test

clean: ## Remove what the set-up made; your tasks, settings and keys stay
	rm -rf .venv .cache ui/node_modules app/server/static .pytest_cache .ruff_cache .hypothesis

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
