PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
DEV := .venv/.dev

.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv .venv || python3 -m venv .venv

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $(INSTALLED)

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(INSTALLED) $(DEV)

demo: $(INSTALLED) ## Install nhl-lake, and build a lake of the sample league in data/demo
	@$(BIN)/nhl-lake demo

test: $(DEV) ## Install the development tools, and run the whole test suite
	$(BIN)/python -m pytest

unit: $(DEV) ## Run the fast tests: pure functions and small typed cases, under a minute
	$(BIN)/python -m pytest -q -m unit --hypothesis-profile=unit

soak: $(DEV) ## Run the long tests: storms, long fuzzes, long replays
	$(BIN)/python -m pytest -m 'soak or hypothesis' --hypothesis-profile=soak

check: $(DEV) ## Run all that a change must pass: format, lint, types, import contracts, spelling, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(MAKE) test

format: $(DEV) ## Format the code
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

docs: $(DEV) ## Generate the reference pages of the documents and the manual page
	$(BIN)/nhl-lake docs

site: $(DEV) ## Build the site of the documents in build/site: open build/site/index.html
	$(BIN)/python -m sphinx --fresh-env --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees docs build/site

spelling: $(DEV) ## Look for misspelled words in documents and code
	$(BIN)/codespell

pictures: $(INSTALLED) ## Draw the pictures of the documents again, from a new lake of the sample league
	@folder=$$(mktemp -d) && $(BIN)/nhl-lake demo --root $$folder/demo --json > /dev/null && \
	$(BIN)/nhl-lake --root $$folder/demo report game last HMS --to docs/pictures/game.svg --replace; \
	rm -rf $$folder

dist: | $(BIN)/python ## Build the wheel and the source archive in dist/
	$(BIN)/python -m pip install --quiet --constraint constraints.txt build
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --outdir dist . > /dev/null

bench: $(DEV) ## Run the benchmarks: each prints a table of ratios
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

.PHONY: help demo test unit soak check format docs site spelling pictures dist bench
