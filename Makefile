# One command per intent; `make help` lists them.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -q
# Three at a time keep two cores busy, since many tests wait for processes; a browser waits for nobody.
WORKERS ?= 3
BROWSERS ?= 2
SIDE_BY_SIDE = --dist loadfile --no-loadscope-reorder
HOST ?= 127.0.0.1
PORT ?= 7860
TORCH_INDEX ?=
DATA ?=
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.PHONY: help run test test-data check format bench evalscope clean migration migration-initial
.DEFAULT_GOAL := help

help: ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.app ## build the environment, prepare the database and the demo, serve
	$(BIN)/python app.py serve --host $(HOST) --port $(PORT)

# The browser's driver keeps an event loop running in its process, in which nothing else may start one.
test: $(VENV)/.test ## set up what the tests need, check and test everything
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(PYTEST) -n $(WORKERS) $(SIDE_BY_SIDE) --ignore tests/browser
	CHROMIUM="$$(sh tests/find_chromium.sh)" $(PYTEST) -n $(BROWSERS) $(SIDE_BY_SIDE) tests/browser

test-data: $(VENV)/.test ## read outside data: make test-data DATA=folder
	@test -n "$(DATA)" || { echo "Name the folder: make test-data DATA=folder"; exit 2; }
	export PLANWRIGHT_TEST_DATA="$(abspath $(DATA))"; \
		$(PYTEST) -m outside_data tests/outside --ignore tests/outside/test_outside_walk.py && \
		CHROMIUM="$$(sh tests/find_chromium.sh)" $(PYTEST) -m outside_data tests/outside/test_outside_walk.py

check: $(VENV)/.test ## format, lint and type-check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/lint-imports
	$(BIN)/pyright

bench: $(VENV)/.test ## measure speed beside its floor; writes build/bench/*.json
	CHROMIUM="$$(sh tests/find_chromium.sh)" $(BIN)/python -m tests.bench

migration: $(VENV)/.test ## write a migration from changed tables: make migration NAME=0002_words
	$(BIN)/python -m db.migrations.write "$(NAME)"

migration-initial: $(VENV)/.test
	rm -f db/migrations/versions/0001_initial.py
	$(BIN)/python -m db.migrations.write 0001_initial

# Its opencompass extra pulls numpy back to 1.26, so it stays out of the application's environment.
evalscope: ## build the environment of EvalScope for `python app.py general`
	$(PYTHON) -m venv $(VENV)-evalscope
	$(VENV)-evalscope/bin/python -m pip install -q --disable-pip-version-check 'evalscope>=1.14,<2'

clean: ## remove the environment and build results, keep the data in var/
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch first and by itself: its index is a choice of the machine (CPU by default, TORCH_INDEX for another build).
$(VENV)/.app: constraints.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.app
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@
