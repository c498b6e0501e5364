# Two commands matter: "make run" and "make test". Both do their own set-up.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export SIPAS_INSTANCE ?= $(CURDIR)/instance
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test check lint types imports bench soak install clean

run: install
	@$(BIN)/sipas demo --if-missing
	@$(BIN)/sipas serve --port $(PORT)

test: install
	$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST)

check: lint types imports test

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/bandit -q -c .bandit.yaml -r survey forms analysis
	$(BIN)/djlint --lint survey/templates --quiet

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m benchmarks

soak: install
	$(BIN)/python -m benchmarks soak

install: .venv/.ready

.venv/.ready: requirements-dev.txt setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
