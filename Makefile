# make demo | test | bench | faults | check | generate — each installs what it needs into .venv first.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test bench faults check generate clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/g60 demo $(ARGS)

test: $(VENV)/installed
	$(BIN)/pytest $(ARGS)

bench: $(VENV)/installed
	$(BIN)/python -m tests.benchmarks $(ARGS)

faults: $(VENV)/installed
	$(BIN)/python -m tests.faults $(ARGS)

check: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.generate --check

generate: $(VENV)/installed
	$(BIN)/python -m deploy.generate

clean:
	rm -rf $(VENV) .g60 .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
