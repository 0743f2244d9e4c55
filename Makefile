# `make report` and `make test` set up everything they need, on a fresh machine too.
# make itself ends with status 2 whenever a command fails; its last line names the command's own.

PROBLEM := problems/homework1.toml
SET :=
OUT :=
PORT := 8000
PYTHON :=
export PROBLEM SET OUT PORT PYTHON
unexport PYTHONHOME PYTHONPATH
MAKEFLAGS += --no-print-directory
python := .venv/bin/python

.PHONY: help report serve test setup validate bench lock clean

help:
	@echo 'make report      build/homework1.pdf from problems/homework1.toml'
	@echo '                 PROBLEM=problems/other.toml   another homework file'
	@echo '                 SET="q1.x1=2 q1.w1=0.5"       other inputs'
	@echo '                 OUT=build/mine.pdf            another place'
	@echo 'make serve       the live page of a homework file: PROBLEM=mine.toml PORT=8000'
	@echo 'make test        linter, type checker and tests'
	@echo 'make validate    veraPDF on every PDF in build/: PDF/UA-1 and PDF/A-3a, or PDF/UA-2 and PDF/A-4f'
	@echo 'make bench       the benchmarks, into build/bench/'
	@echo 'make lock        lock files from pyproject.toml (scripts/lock --upgrade: newest versions)'
	@echo 'make clean       remove what was made, the virtual environment too'

report:
	@scripts/setup report
	@scripts/build

serve:
	@scripts/setup report
	@$(python) -m report serve "$$PROBLEM" --port "$$PORT"

test:
	@scripts/setup test
	@$(python) -m ruff check --quiet .
	@$(python) -m ruff format --check --quiet .
	@$(python) -m mypy
	@scripts/check-js
	@.venv/bin/lint-imports --no-cache >/dev/null || .venv/bin/lint-imports --no-cache
	@$(python) -m pytest

setup:
	@scripts/setup test

validate:
	@scripts/setup report
	@scripts/validate

bench:
	@scripts/setup test
	@$(python) -m benchmarks

lock:
	@scripts/lock

clean:
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find report tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
