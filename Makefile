# Everything a newcomer types. Each target installs what it needs the first time.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UNBUILT := --only-binary :all: --no-binary flask-principal  # its only release is a source of one file

.DEFAULT_GOAL := help
.PHONY: help run test fast bench bench-web proofs screenshots check lock messages clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/run.stamp  ## start Marronnier on http://127.0.0.1:$(PORT) with its own database
	@PORT=$(PORT) $(BIN)/marronnier run

test: $(VENV)/test.stamp  ## every check and every test, real browser included
	@$(PY) -m tests.browser --install
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest -n 2 --dist worksteal

fast: $(VENV)/test.stamp  ## the tests without the browser
	$(PY) -m pytest -n 2 --dist worksteal -m "not journey"

check: $(VENV)/test.stamp  ## lint and types
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: $(VENV)/test.stamp $(VENV)/bench.stamp  ## figures of speed, as ratios measured in one run
	BENCH_ANOTHER=$(VENV)/another/bin/python $(PY) -m tests.bench

# another ledger, for the bench alone, apart from what we depend on
$(VENV)/bench.stamp: $(VENV)/test.stamp
	@$(PYTHON) -m venv $(VENV)/another
	@$(VENV)/another/bin/python -m pip install -q --disable-pip-version-check 'django-hordak==2.0.0' 'psycopg[binary]==3.3.9'
	@touch $@

proofs: $(VENV)/test.stamp  ## the long campaigns, at their full figures
	MARRONNIER_FULL=1 $(PY) -m pytest -n 2 --dist worksteal -m "race or campaign"
	$(PY) -m tests.mutants

bench-web: $(VENV)/test.stamp  ## pages as a telephone of the middle range meets them
	@$(PY) -m tests.browser --install
	@$(PY) -m tests.bench.web

screenshots: $(VENV)/test.stamp  ## every page of the demonstration, in both widths and themes, in var/screens
	@$(PY) -m tests.browser --install
	@$(PY) -m tests.screens

messages: $(VENV)/test.stamp  ## collect the sentences to translate, and say what is missing
	$(BIN)/marronnier messages

lock:  ## write the lock files again from pyproject.toml
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header $(UNBUILT) --extra embedded pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header $(UNBUILT) --extra embedded --extra test -c requirements.lock pyproject.toml -o requirements-test.lock
	echo uv | $(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header --only-binary :all: - -o requirements-uv.lock

clean:  ## forget what was installed (the data in var/ stays)
	rm -rf $(VENV)

# uv installs in seconds; where it can't reach the index (a mirror known to pip alone), pip does the same more slowly.
# What is written below holds no path of this folder, which can be copied or moved with what it installed.
define install
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@echo "Installation des bibliothèques de $(1)…"
	@$(BIN)/uv pip install -q --compile-bytecode --python $(PY) --require-hashes $(UNBUILT) -r $(1) 2>/dev/null \
	  || $(PY) -m pip install -q --disable-pip-version-check --require-hashes $(UNBUILT) -r $(1)
	@$(PY) -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "marronnier.pth").write_text("../../../..\n")'
	@printf '#!/bin/sh\nexec "$${0%%/*}/python" -P -m exchange.cli "$$@"\n' > $(BIN)/marronnier && chmod +x $(BIN)/marronnier
	@$(PY) -m babel.messages.frontend -q compile -d exchange/translations
	@touch $(2)
endef

$(VENV)/run.stamp: requirements.lock requirements-uv.lock $(wildcard exchange/translations/*/LC_MESSAGES/*.po)
	$(call install,requirements.lock,$@)

$(VENV)/test.stamp: requirements-test.lock requirements-uv.lock $(wildcard exchange/translations/*/LC_MESSAGES/*.po)
	$(call install,requirements-test.lock,$@)
	@touch $(VENV)/run.stamp
