# Two commands matter: `make run` and `make test`. Both build what they need.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
DEMO := COORDINATOR_PROFILE=demo
WORKERS ?= 2

.PHONY: bench run test warm browser check lint types rules demo-reset osrm explore mutants slow clean

$(VENV)/.runtime: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found." >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Building the environment (once, about a minute) ..."; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

## Build, migrate, load and plan the demo agency, and serve it on http://127.0.0.1:8000
run: $(VENV)/.runtime
	@echo "Loading the planner (compiling it takes about a minute, once) ..."
	@$(BIN)/python -m coordinator.planner --warm calendar
	@$(DEMO) $(BIN)/flask --app wsgi demo start
	@$(DEMO) exec $(BIN)/gunicorn --config config/gunicorn.py wsgi:app

## Every check and every test, on SQLite and on PostgreSQL; the browser, which mostly waits, beside the rest
test: check warm browser
	@$(BIN)/pytest tests/browser > $(VENV)/browser.log 2>&1 & one=$$!; \
		$(BIN)/pytest -n $(WORKERS) --ignore tests/browser; rest=$$?; \
		wait $$one; seen=$$?; echo "The screens in a browser:"; cat $(VENV)/browser.log; exit $$((rest + seen))

## What `make test` has no time for: long stories on the second engine
slow: warm
	@$(BIN)/pytest -n $(WORKERS) -m long

# Both engines are compiled side by side before the tests: their workers would each compile the same.
warm: $(VENV)/.dev
	@$(BIN)/python -m coordinator.planner --warm calendar & one=$$!; \
		$(BIN)/python -m coordinator.planner --warm operations && wait $$one

# Chromium and node are not Python's to install: apt does where it may. Without them the screens are not tried in a
# browser, and the last lines of the tests say so.
browser: $(VENV)/.dev
	@command -v chromium >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || \
		{ echo "Installing Chromium and node ..."; apt-get update -qq && apt-get install -y -qq chromium nodejs npm; } >/dev/null 2>&1 || \
		echo "*** Chromium or node is missing and could not be installed: the screens will not be tried in a browser. ***" >&2
	@test -d tests/browser/node_modules || ! command -v npm >/dev/null 2>&1 || \
		npm ci --prefix tests/browser --no-audit --no-fund --loglevel=error >/dev/null || \
		echo "*** axe-core and html-validate could not be installed: the screens will not be tried in a browser. ***" >&2

check: lint types

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(VENV)/.dev
	@$(BIN)/mypy

## The property tests once more, with examples that nobody tried before; what fails prints how to repeat it
explore: $(VENV)/.dev
	@HYPOTHESIS_PROFILE=explore $(BIN)/pytest -n $(WORKERS) -m hypothesis

## Change the law's numbers one by one in a copy, and list which tests notice: make mutants [SETTINGS="section.name ..."]
mutants: $(VENV)/.dev
	@$(BIN)/python -m tests.mutants $(SETTINGS)

## Write docs/rules.md from the rules that the product asks (a test fails while it is not up to date)
rules: $(VENV)/.runtime
	@$(DEMO) $(BIN)/flask --app wsgi rules document > docs/rules.md

## All benchmarks within MINUTES, tables and solutions in OUT; with PEERS=vroom,pyvrp against those solvers
MINUTES ?= 30
OUT ?= var/bench
bench: $(VENV)/.runtime $(if $(PEERS),$(VENV)/.bench)
	@$(BIN)/python -m benchmarks.all --minutes $(MINUTES) --out $(OUT) $(if $(PEERS),--peers $(PEERS))

$(VENV)/.bench: requirements-bench.txt $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

## Serve the roads of an .osm.pbf on loopback: make osrm PBF=city.osm.pbf [PORT=5000]
osrm: $(VENV)/.runtime
	@test -n "$(PBF)" || { echo "Say which map: make osrm PBF=city.osm.pbf" >&2; exit 1; }
	@exec $(BIN)/python -m benchmarks.osrm "$(PBF)" --port $(or $(PORT),5000)

## Throw the demo's database away
demo-reset:
	rm -f var/demo.sqlite3 var/demo.sqlite3-wal var/demo.sqlite3-shm

clean: demo-reset
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
