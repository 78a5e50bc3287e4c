# make demo [IN=image]   install the core (no torch) into .venv and colorize an image
# make test              install everything and run the linter, the types and the fast tests
# make test-all          also the slow tests and those on real pairs
# make table1            write the tables of the comparison anew from runs/; TRAIN=1 trains all systems first (DATA=pairs)
# make clean             remove what these left

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

DATA ?= $(or $(IRCOLOR_DATA),../shared/data)
COMPARE = $(BIN)/ircolor compare --data "$(DATA)" --seeds 3 --runs runs/compare

.PHONY: demo test test-all table1 lint clean

demo: .venv/core
	@$(BIN)/ircolor demo $(if $(IN),"$(IN)")

test: lint
	$(BIN)/pytest

test-all: lint
	$(BIN)/pytest -m ""

table1: .venv/dev
ifdef TRAIN
	@mkdir -p out
	$(COMPARE) --protocol nirscene --report out/nirscene.html --json runs/compare/nirscene-test.json
	$(COMPARE) --protocol paper-like --epochs 2 --report out/paper-like.html --json runs/compare/paper-like-test.json
endif
	$(BIN)/python scripts/readme.py

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The files below .venv are the marks of what is installed; they age with the requirements.
.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $(PYTHON) is older than 3.11; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/core: .venv/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

.venv/dev: .venv/python pyproject.toml constraints.txt
	$(PIP) --editable '.[dev]'
	@touch $@ .venv/core

clean:
	rm -rf .venv dist build demo out .pytest_cache .mypy_cache .ruff_cache .hypothesis
