# Every target makes what it needs; a second run only checks that nothing changed.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraint constraints.txt --build-constraints constraints.txt
MANIFESTS := pyproject.toml constraints.txt

help: ## What can be done here
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.demo ## A year of flights through the whole loop, in about four minutes
	$(BIN)/heptad demo

test: .venv/.test ## The whole test suite
	$(BIN)/pytest --numprocesses auto --dist worksteal

check: .venv/.check ## Lint, types, architecture, documentation
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/pytest -q tests/test_architecture.py tests/test_docs.py
	$(BIN)/zensical build --strict --clean

bench: .venv/.test ## The figures, each with its limit measured in the same run; writes bench/results.json
	$(BIN)/python -m bench

docs: .venv/.check ## The documentation as pages, in site/
	$(BIN)/zensical build --strict --clean

.venv/bin/uv: constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	@touch $@

.venv/.demo: .venv/bin/uv $(MANIFESTS)
	$(INSTALL) --editable '.[flights]'
	@touch $@

.venv/.test: .venv/bin/uv $(MANIFESTS)
	$(INSTALL) --editable '.[flights,postgresql,test]'
	@touch $@ .venv/.demo

.venv/.check: .venv/bin/uv $(MANIFESTS)
	$(INSTALL) --editable '.[flights,postgresql,test,check]'
	@touch $@ .venv/.demo .venv/.test

.PHONY: help demo test check bench docs
