# Everything a newcomer types. Each target installs what it needs the first time.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
UNBUILT := --only-binary :all: --no-binary flask-principal  # its only release is a source of one file

.DEFAULT_GOAL := help
.PHONY: help run test fast bench proofs check lock messages clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/run.stamp  ## start Marronnier on http://127.0.0.1:$(PORT) with its own database
	@PORT=$(PORT) $(BIN)/marronnier run

test: $(VENV)/test.stamp  ## every check and every test, real browser included
	@$(BIN)/python -m tests.browser --install
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -n 2 --dist worksteal

fast: $(VENV)/test.stamp  ## the tests without the browser
	$(BIN)/pytest -n 2 --dist worksteal -m "not journey"

check: $(VENV)/test.stamp  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/test.stamp  ## figures of speed, as ratios measured in one run
	$(BIN)/python -m tests.bench

proofs: $(VENV)/test.stamp  ## the long campaigns, at their full figures
	MARRONNIER_FULL=1 $(BIN)/pytest -n 2 --dist worksteal -m "race"

messages: $(VENV)/test.stamp  ## collect the sentences to translate, and say what is missing
	$(BIN)/marronnier messages

lock:  ## write the lock files again from pyproject.toml
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header $(UNBUILT) --extra embedded pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header $(UNBUILT) --extra embedded --extra test -c requirements.lock pyproject.toml -o requirements-test.lock
	echo uv | $(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header --only-binary :all: - -o requirements-uv.lock

clean:  ## forget what was installed (the data in var/ stays)
	rm -rf $(VENV)

# uv installs in seconds; where it can't reach the index (a mirror known to pip alone), pip does the same more slowly.
define install
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@echo "Installing $(1)…"
	@$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes $(UNBUILT) -r $(1) \
	  || $(BIN)/pip install -q --disable-pip-version-check --require-hashes $(UNBUILT) -r $(1)
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "marronnier.pth").write_text(str(pathlib.Path.cwd()) + "\n")'
	@printf '#!/bin/sh\nexec "$${0%%/*}/python" -P -m exchange.cli "$$@"\n' > $(BIN)/marronnier && chmod +x $(BIN)/marronnier
	@$(BIN)/pybabel -q compile -d exchange/translations
	@touch $(2)
endef

$(VENV)/run.stamp: requirements.lock requirements-uv.lock $(wildcard exchange/translations/*/LC_MESSAGES/*.po)
	$(call install,requirements.lock,$@)

$(VENV)/test.stamp: requirements-test.lock requirements-uv.lock $(wildcard exchange/translations/*/LC_MESSAGES/*.po)
	$(call install,requirements-test.lock,$@)
	@touch $(VENV)/run.stamp
