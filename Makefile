# `make run` and `make test` need Python 3.11, make and the package registries; they bring the rest themselves.

PORT ?= 8000
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
VENV_PYTHON := .venv/bin/python
NODE = $$($(VENV_PYTHON) -c 'import pathlib, playwright; print(pathlib.Path(playwright.__file__).parent / "driver" / "node")')
BOOTSTRAP = python="$(PYTHON)"; [ -n "$$python" ] || \
	{ echo "Soksak needs Python 3.11 or newer, and there is none on PATH." >&2; exit 2; }; \
	"$$python" chatproject/launch/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help run test lint types js bench storm screenshots lock environment dev-environment browser

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: environment ## start everything on http://localhost:8000/ (PORT=, HOST=; PROVIDER_BASE_URL= and co. for another model)
	@exec $(VENV_PYTHON) -u manage.py up --port $(PORT)

test: dev-environment browser ## everything: lint, types, JS, Python on SQLite, data tests on Postgres and Redis
	@$(VENV_PYTHON) -m tests.everything

lint: dev-environment ## ruff
	@$(VENV_PYTHON) -m ruff check .

types: dev-environment ## mypy, strict
	@$(VENV_PYTHON) -m mypy

js: dev-environment ## the browser modules' own tests
	@$(NODE) --test 'tests/js/**/*.test.js'

bench: dev-environment ## what our layers add to a token, beside two references; half an hour (BENCH=--quick, BENCH=--help)
	@$(VENV_PYTHON) -m tests.bench $(BENCH)

storm: dev-environment ## hundreds of conversations while workers and Redis die (SEED=, STORM=--takeover|--rolling|--resume|--herd)
	@$(VENV_PYTHON) -m tests.faults.storm --seed $(or $(SEED),1) $(STORM)

screenshots: dev-environment browser ## the pictures of the README, from the running product
	@$(VENV_PYTHON) -m tests.browser.screenshots

lock: dev-environment ## both lock files anew, from the *.in files
	@sh .ci/lock

environment:
	@$(BOOTSTRAP) runtime

dev-environment:
	@$(BOOTSTRAP) dev

browser:
	@$(VENV_PYTHON) -m tests.chromium
