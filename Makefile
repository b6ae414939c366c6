# Everything that people type. Each target sets up .venv by itself, with uv where it is there, else with pip.
# Python 3.11 or later and make are enough; `make install PYTHON=/path/to/python3.12` names another one.

SHELL := /bin/sh
PYTHON ?=
ARGS ?=
ONCE ?=
CONFIG ?=
COVER ?=
SECONDS ?= 1200

BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
LOCK := $(wildcard uv.lock)
FROZEN := $(if $(LOCK),--frozen)
# setuptools warns of folders that are named as the package; the package is named so that there are none.
QUIETLY := PYTHONWARNINGS=ignore
REAL := .venvs/real.env
# Reading needs no client of a platform but where stores without a server are opened; the others are large, and for writing.
EXTRAS := mlflow

.DEFAULT_GOAL := help
.PHONY: help demo install run test test-hard test-long soak coverage reached mutate test-real real-servers failures lint format bench package clean

help: ## what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1#\2/p' Makefile | while IFS='#' read -r name what; do printf '%-20s %s\n' "$$name" "$$what"; done

demo: $(READY) ## four platforms in miniature, synced, asked and served; with ONCE=1 it prints the answers and ends
	@$(BIN)/watersmeet demo $(if $(filter-out 0,$(ONCE)),--once) $(ARGS)

install: $(READY_DEV) ## set up .venv with all extras, and with what tests and checks need

run: $(READY) ## serve what watersmeet.yaml, or CONFIG=file, describes
	@$(BIN)/watersmeet $(if $(CONFIG),--config "$(CONFIG)") serve $(ARGS)

test: $(READY_DEV) ## the tests; those that need a real server say how to get it. COVER=1 measures what they reach
	@$(if $(COVER),rm -f .coverage .coverage.*)
	@$(BIN)/python -m pytest -n 3 --dist loadfile -rs --ignore=tests/benchmarks -m "not hard" $(if $(COVER),--cov --cov-report=) $(ARGS)
	@$(if $(COVER),$(MAKE) -s reached)

test-hard: $(READY_DEV) ## laws, kills and fire at the numbers that CI holds them to
	@WATERSMEET_SCALE=ci $(BIN)/python -m pytest -n 3 --dist loadgroup -m "hard or law" -rs --durations=15 $(ARGS)

test-long: $(READY_DEV) ## the same with ten times as many histories and five times as many kills; takes hours
	@WATERSMEET_SCALE=long $(BIN)/python -m pytest -n 2 --dist loadgroup -m "hard or law" -rs --durations=15 --timeout=0 $(ARGS)

soak: $(READY_DEV) ## syncs, events, questions and restarts at once, for 20 minutes or SECONDS; prints what memory did
	@WATERSMEET_SOAK=$(SECONDS) $(BIN)/python -m pytest tests/soak -q -s -rs $(ARGS)

coverage: ## how much of the code the tests reach, by branch; fails below 95 % of federation/ and 90 % of all
	@$(MAKE) -s test COVER=1

reached: $(READY_DEV) ## what the last measured run of the tests reached
	@$(BIN)/python -m coverage report --skip-covered --fail-under=90 --sort=cover
	@$(BIN)/python -m coverage report --skip-covered --fail-under=95 --include='federation/*' | tail -n 3

mutate: $(READY_DEV) ## change naming, identity, graph and events a little, and count how often a test notices; takes an hour
	@if command -v uv >/dev/null 2>&1; then uv sync -q $(FROZEN) --all-extras --group mutate; \
	 else $(BIN)/python -m pip install -q --group mutate; fi
	@$(BIN)/python tests/mutation/mutate.py $(ARGS)

real-servers: $(REAL) ## install a real MLflow, dbt and Spark into .venvs (about 1.5 GB)

test-real: $(READY_DEV) $(REAL) ## the end-to-end tests with them; nothing may be skipped
	@. ./$(REAL) && WATERSMEET_REQUIRE_REAL=1 $(BIN)/python -m pytest -n 2 --dist loadfile tests/e2e -rs $(ARGS)

failures: $(READY_DEV) ## do every failure to the platforms in miniature, and write docs/failures.md anew
	@WATERSMEET_WRITE_FAILURES=1 $(BIN)/python -m pytest tests/connectors/contract -q -k Failures $(ARGS)

lint: $(READY_DEV) ## style, types, and which floor imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(READY_DEV) ## put the code into the one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY_DEV) ## how fast it is on this machine
	@$(BIN)/python -m pytest tests/benchmarks -q -s -p no:cacheprovider $(ARGS)

package: $(READY_DEV) ## build the wheel and look into it
	@rm -rf dist build
	@if command -v uv >/dev/null 2>&1; then uv build -q --wheel; else $(BIN)/python -m pip wheel -q --no-deps -w dist .; fi
	@rm -rf build
	@WATERSMEET_WHEEL=dist $(BIN)/python -m pytest tests/unit/test_packaging.py -q -rs

clean: ## take away everything that was made
	rm -rf .venv .venvs build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# Sets `python` to the one that is named, else to the first that is new enough; tells clearly if there is none.
define find_python
python=; for name in $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11); do \
	        if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	    done; \
	    if [ -z "$$python" ]; then \
	        echo "Watersmeet needs Python 3.11 or later; $(or $(PYTHON),python3) is none." >&2; \
	        echo "Install one, or name it: make install PYTHON=/path/to/python3.12" >&2; exit 1; \
	    fi
endef

# What the product needs. A stamp is written last: a setup that was cut off is done again.
$(READY): pyproject.toml $(LOCK)
	@echo "Setting up .venv (only once; it takes a minute) ..."
	@if command -v uv >/dev/null 2>&1; then \
	    uv sync -q $(FROZEN) $(addprefix --extra ,$(EXTRAS)) --no-dev $(if $(PYTHON),--python "$(PYTHON)"); \
	else \
	    $(find_python) && \
	    { $(BIN)/python -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear .venv; } && \
	    $(BIN)/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1' && \
	    $(QUIETLY) $(BIN)/python -m pip install -q -e '.[$(EXTRAS)]'; \
	fi
	@touch $@

# And what tests and checks need. `.venv/named/watersmeet` lets the type checker find the package in a clone of any name.
$(READY_DEV): $(READY)
	@echo "Adding what tests and checks need ..."
	@if command -v uv >/dev/null 2>&1; then \
	    uv sync -q $(FROZEN) --all-extras $(if $(PYTHON),--python "$(PYTHON)"); \
	else \
	    $(QUIETLY) $(BIN)/python -m pip install -q -e '.[all]' --group dev; \
	fi
	@mkdir -p .venv/named && ln -sfn ../.. .venv/named/watersmeet
	@touch $@

$(REAL): tests/e2e/provide.sh
	@bash tests/e2e/provide.sh
