PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv || python3 -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY) ## set up, and a lake of the sample league in data/demo, without any network but the package index
	@$(BIN)/nhl-lake demo

test: $(READY) ## set up, and every test
	$(BIN)/python -m pytest

quick: $(READY) ## the tests that take seconds
	$(BIN)/python -m pytest -m 'not slow' -q

check: $(READY) ## all that a change must pass: format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: $(READY) ## put code into shape
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

docs: $(READY) ## make docs/TABLES.md and docs/CLI.md again
	$(BIN)/nhl-lake docs

bench: $(READY) ## the benchmarks, each a table of ratios
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

.PHONY: help demo test quick check format docs bench
