# Each target sets itself up: it makes .venv when there is none, and installs only when pyproject.toml, or for the tests
# requirements-frameworks.txt, has changed since.
# PYTHON=python3.12 chooses the interpreter, ARGS="-k cache" goes to the program behind a target.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The first interpreter on the path that is new enough. Evaluated only when the environment has to be made.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in $(CANDIDATES); do if $$p $(NEW_ENOUGH) 2>/dev/null; then echo $$p; break; fi; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test lint bench torture docs dashboard screenshots clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed-frameworks ## make .venv with everything that developers need

demo: $(VENV)/.installed ## run the example on real data and show what was kept
	@LINEAL_HOME="$(CURDIR)/.lineal" $(BIN)/python examples/breast_cancer.py $(ARGS)

serve: $(VENV)/.installed-dev ## open the dashboard on what the example left
	@LINEAL_HOME="$(CURDIR)/.lineal" $(BIN)/lineal up $(ARGS)

test: $(VENV)/.installed-frameworks ## run all tests
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

lint: $(VENV)/.installed-dev ## check style, formatting, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.installed-dev ## measure against the floor and write bench/RESULTS.md
	@$(BIN)/python -m bench $(ARGS)

torture: $(VENV)/.installed-dev ## kill, cut the power, fill the disk; HOURS=0.5 does it that long and writes docs/reliability.md
	@$(BIN)/python -m torture $(if $(HOURS),--hours $(HOURS) --write docs/reliability.md,--short) $(ARGS)

docs: $(VENV)/.installed-frameworks ## run every code block of the README and of docs/
	@$(BIN)/python -m pytest tests/docs $(ARGS)

dashboard: dashboard/node_modules/.package-lock.json ## check, test and build the dashboard into src/lineal/server/static
	cd dashboard && npm test && npm run build

screenshots: $(VENV)/.installed-dev ## take pictures of every page of the dashboard, into .screenshots
	@$(BIN)/python docs/make_screenshots.py $(ARGS)

dashboard/node_modules/.package-lock.json: dashboard/package-lock.json
	@command -v npm >/dev/null || { echo "the dashboard is built with Node 20 or newer and npm: install them first" >&2; exit 1; }
	cd dashboard && npm ci --no-audit --no-fund

clean: ## remove .venv and all caches; stored artifacts stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A half-made environment would look finished the next time, so it is removed when a step fails.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Lineal needs Python 3.11 or newer; none was found on the path. Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) $(NEW_ENOUGH) || { echo "Lineal needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

# What developers need holds all that the example needs, so either stamp serves the demo.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing lineal and what the example needs into $(VENV)"
	@$(BIN)/python -m pip install --quiet -e '.[all]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing lineal and the developers' tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $(VENV)/.installed $@

# Half of the time and most of the space: only what runs the tests of these libraries waits for it.
$(VENV)/.installed-frameworks: requirements-frameworks.txt $(VENV)/.installed-dev
	@echo "installing the frameworks whose models are tested into $(VENV)"
	@$(BIN)/python -m pip install --quiet -r requirements-frameworks.txt
	@touch $@
