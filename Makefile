# make album  set up, run the whole chain on the embedded default, say where the album is
#             make album ARGS="data=folder data.path=$$HOME/midi name=mine"
#             make album ARGS="data=chorales"
# make listen three short songs of the models that come along, as they are: about a minute
# make studio open the album in the browser, to change its songs and keep them;  make studio ARGS="name=mine"
# make test   set up, lint, types, all tests;  make check  lint and the fast tests
# make bench  measure speed and memory on this machine;  make bench ARGS="--midi $$HOME/midi" with your own files
# PYTHON=python3.12 chooses the interpreter (3.11 to 3.13); TORCH="torch==2.13.0 --index-url URL" another build of torch.

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
  $$python -c "$(FITS)" 2>/dev/null && { echo $$python; break; }; done)
TORCH ?= torch==2.13.0
ARGS ?=
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
RUN := .venv/bin/python -m
PARALLEL := --numprocesses=auto --dist=worksteal

.PHONY: album listen studio test tests check bench lint format clean

album: .venv/installed
	@$(RUN) pipeline +stage=album $(ARGS)

listen: .venv/installed
	@$(RUN) pipeline +stage=album name=listen train.steps=0 generate.songs=3 generate.max_seconds=90 \
	  lyrics.model.steps=1 $(ARGS)

studio: .venv/installed
	@$(RUN) pipeline +stage=studio $(ARGS)

test: .venv/installed
	@$(MAKE) --no-print-directory --jobs=2 lint tests

tests: .venv/installed
	@$(RUN) pytest $(PARALLEL)

check: lint
	@$(RUN) pytest $(PARALLEL) -m "not slow"

bench: .venv/installed
	@$(RUN) pipeline.bench $(ARGS)

lint: .venv/installed
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy

format: .venv/installed
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .
	@$(RUN) pipeline.readme_tables

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

.venv/installed: requirements.lock
	@$(or $(PYTHON),false) -c "$(FITS)" 2>/dev/null || \
	  { echo "AlbumGAN needs Python 3.11 to 3.13: install one, then make $(MAKECMDGOALS) PYTHON=/its/path"; exit 1; }
	@echo "Setting up .venv with $(PYTHON): a minute or two, more where torch comes with its GPU libraries."
	@$(PYTHON) -m venv .venv
	@$(PIP) $(TORCH)
	@$(PIP) --no-deps -r requirements.lock
	@touch $@
