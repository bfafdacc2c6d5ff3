# What is done often, one entry each; CONTRIBUTING.md says when. `make PYTHON=.venv/bin/python fast` takes another Python.
PYTHON ?= python

.PHONY: help format lint types stubs fast test docs benchmarks

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

format: ## put the layout of all files right, and what ruff can mend
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

lint: ## style and layout, without changing a file
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: ## mypy, strict, on the package
	$(PYTHON) -m mypy

stubs: ## indexcalc/__init__.pyi, which is made from the surface
	$(PYTHON) tests/stubs.py

fast: ## the fast tier of the tests: a minute and a half on two cores
	$(PYTHON) -m pytest -n auto -m "not slow"

test: ## all tests, style and types among them: eight minutes on two cores
	$(PYTHON) -m pytest -n auto

docs: ## the pages as HTML in docs/_build; the tests run what they show
	$(PYTHON) -m sphinx -W docs docs/_build

benchmarks: ## the tables of benchmarks/README.md
	$(PYTHON) benchmarks/derive.py
	$(PYTHON) benchmarks/corpus.py
	$(PYTHON) benchmarks/limits.py
	$(PYTHON) benchmarks/speed.py
