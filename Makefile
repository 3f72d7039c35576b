# `make run` and `make test` set up everything they need: a virtual environment in this folder, with pinned versions.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: run run-all reference audits table test test-physics test-program test-fast lint bench clean

run: $(READY)
	$(VENV)/bin/dlnrepro run -m core
	$(VENV)/bin/dlnrepro diff --quiet --subset outputs/reference latest

run-all: $(READY)
	$(VENV)/bin/dlnrepro run
	$(VENV)/bin/dlnrepro diff --quiet outputs/reference latest

# What `make run` is compared with: one file per claim. Only claims that have changed are computed; commit the result.
reference: $(READY)
	$(VENV)/bin/dlnrepro run --reference outputs/reference
	$(VENV)/bin/python -m tests.readme

# The table of audits, claims/audits.md: one file per claim in outputs/audits. Only claims that have changed are audited.
audits: $(READY)
	$(VENV)/bin/dlnrepro audit --quiet --reference outputs/audits || test $$? -eq 4
	$(VENV)/bin/python -m tests.readme

# The pages of claims/ with their figures from outputs/reference, and the README's samples, table of papers and glossary.
table: $(READY)
	$(VENV)/bin/python -m tests.readme

# In two processes side by side, since most of the time is spent in one thread; the halves take about as long.
PHYSICS := dynamics general independent runners settings registry compute verdict test_claims.py

test: $(READY)
	$(MAKE) --jobs 2 --output-sync=target test-physics test-program

test-physics: $(READY)
	$(VENV)/bin/pytest $(MARKS) $(PHYSICS:%=tests/%)

test-program: $(READY)
	$(VENV)/bin/pytest $(MARKS) $(PHYSICS:%=--ignore tests/%)

# For the inner loop: the tests that are quick to run, in less than a minute. `make test` decides.
test-fast: $(READY)
	$(MAKE) --jobs 2 --output-sync=target test-physics test-program MARKS='-m "not slow"'

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(READY)
	$(VENV)/bin/python -m tests.benchmarks

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) outputs/cells outputs/reports outputs/latest
