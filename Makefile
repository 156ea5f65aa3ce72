# Works where only Python 3.11, pip, git and make exist: uv is fetched by pip into .tools/.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := $(UV) run --no-sync
export UV_PYTHON ?= $(PYTHON)
# Each stack of the tests starts a dozen processes: none of them should compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-docker test-k8s test-upgrade test-published faults test-browser check lint bench fmt clean
.DEFAULT_GOAL := help

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: .venv/synced  ## Start the whole stack on this machine and show a cue being delivered
	@$(RUN) python -m deploy.local

test: .venv/synced  ## Run every test
	@$(RUN) pytest -n 2 --dist loadgroup --no-loadscope-reorder

test-docker: .venv/synced  ## Build the image, bring docker-compose.yml up and deliver a cue in it
	@VENV=.venv tests/deploy/docker/run.sh

test-k8s: .venv/synced  ## Render deploy/k8s and check every object of it; needs kubectl or kustomize
	@CUEAPI_TEST_KUBERNETES=1 $(RUN) pytest tests/deploy/k8s

test-upgrade: .venv/synced  ## Roll the release before out to this one and back, under load
	@CUEAPI_TEST_UPGRADE=1 $(RUN) pytest tests/upgrade

test-published: .venv/synced  ## Drive the clients on PyPI against the stack; needs the registry
	@CUEAPI_TEST_PUBLISHED=1 $(RUN) pytest tests/published

test-browser: .venv/synced  ## Drive the pages in Chromium, with axe; needs Chromium (apt install chromium)
	@CUEAPI_TEST_BROWSER=1 $(RUN) pytest tests/browser tests/clients/dashboard

faults: .venv/synced  ## Do every fault to the real processes, and check what is left
	@$(RUN) python -m tests.faults $(FAULTS)

check: lint test  ## What CI runs: lint, types, import contracts, tests

lint: .venv/synced  ## Lint, types and import contracts
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy --python-version 3.10 -p cueapi -p cueapi_cli -p cueapi_worker -p cueapi_mcp & \
		clients=$$!; $(RUN) mypy && wait $$clients
	@$(RUN) lint-imports

bench: .venv/synced  ## Measure rates and lateness; writes bench/results/
	@$(RUN) python -m bench

fmt: .venv/synced  ## Format, and fix what can be fixed
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

clean:  ## Remove what make has made, except the data in .cueapi/
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache

$(UV):
	@echo "Fetching uv into .tools/ ..."
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.8,<1"

.venv/synced: $(UV) pyproject.toml uv.lock $(wildcard clients/*/pyproject.toml)
	@echo "Installing the locked dependencies into .venv/ ..."
	@$(UV) sync --frozen --all-packages --quiet --compile-bytecode
	@touch $@
