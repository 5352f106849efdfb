# Everything sets itself up: a machine needs only make and Python 3.11 or newer.

# The first Python that is new enough; `make PYTHON=/path/to/python ...` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Which torch: cpu, cuda, or empty for the one that is installed, else cpu.
TORCH ?=
# More arguments for pytest, as in `make test ARGS="tests/index -x"`.
ARGS ?=
# A folder of your own documents, as in `make demo DOCS=~/notes`.
DOCS ?=

VENV := .venv
PY := $(VENV)/bin/python
# Has the packages of VENV too; where a peer wants another version of one, it has its own.
PEERS := build/peers
# The same for AgentDojo, which wants four clients of language models.
DOJO := build/agentdojo
RECIPE := pyproject.toml constraints.txt infra/install.py

.DEFAULT_GOAL := help
.PHONY: help setup demo local-cloud package test bench bench-peers bench-agentdojo real-model soak check lint types format readme picture lock clean FORCE

help: ## list what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## install everything, tools for development too (TORCH=cuda for a GPU)

demo: $(VENV)/.run ## talk to Footnote in a local Slack, no account needed (DOCS=folder)
	@$(PY) -m handlers demo $(if $(DOCS),--docs "$(DOCS)")

local-cloud: $(VENV)/.dev ## talk to the real stack, deployed to a local AWS (DOCS=folder, ARGS=...)
	@$(PY) -m infra.local_cloud $(if $(DOCS),--docs "$(DOCS)") $(ARGS)

package: $(VENV)/.dev ## make the zips that serverless.yml names (ARGS=--python 3.12)
	@$(PY) -m infra.package $(ARGS)

test: $(VENV)/.dev ## run the whole suite that protects behaviour (ARGS=...)
	@$(PY) infra/browser.py
	@$(PY) -m pytest $(ARGS)

bench: $(VENV)/.dev ## measure instead of judging
	@$(PY) -m pytest tests/benchmarks -m bench -s $(ARGS)

bench-peers: $(PEERS)/.ready ## measure Footnote beside LanceDB, bm25s, chroma, Haystack and numpy
	@$(PY) -m pytest tests/benchmarks/peers -m bench -s $(ARGS)

bench-agentdojo: $(DOJO)/.ready ## attack the agent with AgentDojo, and count what gets through
	@$(PY) -m pytest tests/benchmarks/agentdojo -m bench -s $(ARGS)

real-model: $(VENV)/.dev ## fetch a small language model (1.1 GB), put 50 questions to it, and give its agent 12 tasks
	@$(PY) -m tests.benchmarks.real_model.fetch
	@$(PY) -m pytest tests/benchmarks/real_model -m bench -s $(ARGS)

soak: $(VENV)/.dev ## run the tests that take minutes
	@$(PY) -m pytest -m soak $(ARGS)

check: lint types ## lint and check types

lint: $(VENV)/.dev ## check style and layout of the code
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(VENV)/.dev ## check types, strictly
	@$(PY) -m mypy

readme: $(VENV)/.dev ## write the table of settings into README.md
	@$(PY) -m infra.readme

format: $(VENV)/.dev ## lay out the code and mend what can be mended
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

picture: $(VENV)/.dev ## take the picture in README.md again
	@$(PY) infra/browser.py
	@$(PY) -m pytest -q tests/journeys/test_in_a_browser.py
	@cp build/answer.png infra/images/answer.png

lock: ## choose the newest set that pyproject.toml allows, write constraints.txt
	@$(PYTHON) infra/install.py --lock --venv build/lock

clean: ## remove all that these targets made, except the index in .footnote
	rm -rf $(VENV) build .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name node_modules -prune -exec rm -rf {} +

$(VENV)/.run: $(RECIPE)
	@$(require-python)
	@$(PYTHON) infra/install.py --torch "$(TORCH)"
	@touch $@

$(VENV)/.dev: $(RECIPE)
	@$(require-python)
	@$(PYTHON) infra/install.py --torch "$(TORCH)" --extras dev
	@touch $(VENV)/.run $@

$(PEERS)/.ready: tests/benchmarks/peers/requirements.txt $(VENV)/.dev
	@$(PY) -m venv $(PEERS)
	@$(PY) -c "$(SITE)" > "$$($(PEERS)/bin/python -c "$(SITE)")/footnote.pth"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(DOJO)/.ready: tests/benchmarks/agentdojo/requirements.txt $(VENV)/.dev
	@$(PY) -m venv $(DOJO)
	@$(PY) -c "$(SITE)" > "$$($(DOJO)/bin/python -c "$(SITE)")/footnote.pth"
	@$(DOJO)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@$(DOJO)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps agentdojo==0.1.35
	@touch $@

SITE := import sysconfig; print(sysconfig.get_path('purelib'))

# A build of torch that was asked for by name is looked at again.
ifneq ($(TORCH),)
$(VENV)/.run $(VENV)/.dev: FORCE
endif

define require-python
test -n "$(PYTHON)" || { \
	echo "Footnote needs Python 3.11 or newer; say where: make PYTHON=/path/to/python" >&2; exit 1; }
endef
