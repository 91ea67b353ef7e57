# Two commands: `make demo` and `make test`. Everything is set up below this folder, nothing else is touched.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: demo test lint bench format clean-demo requirements setup setup-dev chromium

setup: .venv/base.stamp node_modules/.stamp
	@$(BIN)/rathaus assets build

setup-dev: setup .venv/dev.stamp

.venv/base.stamp: requirements/base.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/base.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/dev.stamp: .venv/base.stamp requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

node_modules/.stamp: package.json package-lock.json
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

demo: setup
	$(BIN)/rathaus demo $(ARGS)

clean-demo:
	test ! -x $(BIN)/rathaus || $(BIN)/rathaus demo --forget

test: setup-dev chromium
	$(BIN)/python -m pytest $(ARGS)

# The browser: the machine's own, else from the system's packages where we may install them.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium; \
	  else echo "Für die Browsertests fehlt Chromium. Installieren Sie es, zum Beispiel: sudo apt-get install chromium" >&2; exit 1; fi; }

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint src
	$(BIN)/rathaus service check leistungen/*

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev
	$(BIN)/rathaus bench $(ARGS)

COMPILE := $(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
requirements: .venv/dev.stamp
	$(COMPILE) --upgrade --extra build -o requirements/base.txt
	$(COMPILE) --upgrade --extra build --extra dev -c requirements/base.txt -o requirements/dev.txt
