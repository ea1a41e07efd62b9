# The venue's commands. Each sets itself up first: a Python 3.11 or newer is all that must be there.
# Every variable of the configuration (README.md) works in front of them: PORT=5010 INSTANCE_PATH=/tmp/second make run

SHELL := /bin/sh
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup run test test-full bench screenshots check assets format clean setup-dev migrate

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv and install what the venue runs on
	@deploy/setup.sh requirements.txt

setup-dev: setup ## The same with what tests and checks need
	@deploy/setup.sh requirements-dev.txt

assets: setup static/vendor/.stamp ## Install the browser files (Bootstrap, charts, fonts) and minify our scripts

static/vendor/.stamp: package-lock.json cli/assets.py $(shell find static/js -name "*.js")
	@$(BIN)/flask assets
	@touch $@

migrate: setup ## Bring the database to the newest migration
	@$(BIN)/flask db upgrade

run: setup assets ## Run the venue (http://127.0.0.1:5003 unless HOST and PORT say otherwise)
	@exec $(BIN)/gunicorn --config deploy/gunicorn.conf.py "app:create_app()"

test: setup-dev assets ## Run the tests (some minutes; without MariaDB or Chromium theirs are skipped)
	@$(PYTEST) -m "not full" --numprocesses=auto --maxprocesses=4 --dist=loadfile

test-full: setup-dev assets ## Run the long tests too
	@TEST_FULL=1 $(PYTEST) --timeout=3600

bench: setup-dev assets ## Measure what the venue reaches beside what the machine allows (ONLY=name runs one)
	@ONLY=$(ONLY) $(BIN)/python -m bench

screenshots: setup-dev assets ## Picture every page, three widths and two themes, into screenshots/ (ONLY=desk takes some)
	@ONLY=$(ONLY) PYTHONPATH=.:test:test/browser $(BIN)/python test/browser/screenshots.py

check: setup-dev assets ## Check format, style, types, floors and templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet

format: setup-dev ## Format the Python code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what was installed and built; accounts, orders and logs stay
	rm -rf .venv node_modules static/vendor static/built test-results screenshots .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
