# Every target makes .venv by itself; a machine with Python 3.11, make and git is enough.
# PYTHON=/path/to/python3 picks the interpreter of .venv.

VENV := .venv
BIN := $(VENV)/bin
# The lists are complete. Left to seek what a package needs, pip refuses a list as soon as there is a
# newer release of something it names with an extra.
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes \
	--no-deps

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$python; break; }; done)

.PHONY: help venv run demo test disorder chaos soak mutants chaos-cluster cluster-demo browser screenshots icons bench coverage check format translations clean

help:
	@echo "make demo      the board and a simulated exchange, on this machine"
	@echo "make run       the board, with the settings of the environment"
	@echo "make test      every test"
	@echo "make chaos     kills, full disks, damage, hostile peers, proxies: half an hour"
	@echo "make disorder  10,000 chance stories of late, doubled and lost webhooks; EXAMPLES=1000 for less"
	@echo "make cluster-demo   three NATS servers, three nodes, nginx, PBXs: to look at and to kill"
	@echo "make chaos-cluster  a hundred kills under load, then (as root) cut cables: half an hour"
	@echo "make soak      a day of a large floor at 20 times its speed; MINUTES=10 for less"
	@echo "make mutants   break the code in small ways: which breaks does no test see?"
	@echo "make check     format, lint and types"
	@echo "make format    put the code into the project's format"
	@echo "make translations  bring the catalogues in translations/ up to date with the code"
	@echo "make screenshots  the pictures in docs/pictures, made anew"
	@echo "make icons     static/icons.woff, made anew of the pictures in static/icons"
	@echo "make bench     how fast it is, in ratios, into docs/performance.md (twelve minutes)"
	@echo "make coverage  how much of the core the tests reach"
	@echo "make venv      only install what the others need, into $(VENV)"
	@echo "make clean     remove $(VENV) and caches; data/ stays"

venv: $(VENV)/.tools

run: $(VENV)/.needs
	$(BIN)/python -m app serve

demo: $(VENV)/.needs
	$(BIN)/python -m app demo

# A process for each core: much of the time is waiting. PYTEST_OPTIONS=-n0 is one after the other.
PYTEST_OPTIONS ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 3
test: $(VENV)/.tools browser
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

# Pytest would think that a test of minutes hangs, and say where.
disorder: $(VENV)/.tools
	PITWALL_TEST_EXAMPLES=$(or $(EXAMPLES),10000) \
		$(BIN)/python -m pytest -o faulthandler_timeout=0 -o timeout=0 tests/test_disorder.py

# A day of a floor, in 72 minutes unless MINUTES says otherwise.
soak: $(VENV)/.tools
	$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) --note docs/soak.md

mutants: $(VENV)/.tools
	$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) --note docs/mutants.md

# Half an hour of kills, full disks and restarts; as root also on a small disk of its own.
chaos: $(VENV)/.tools
	$(BIN)/python -m tests.chaos
	$(BIN)/python -m tests.chaos.proxies

chaos-cluster: $(VENV)/.tools
	$(BIN)/python -m tests.cluster.chaos
	$(BIN)/python -m tests.cluster.cut

cluster-demo: $(VENV)/.tools
	$(BIN)/python -m tests.cluster.demo

browser: $(VENV)/.tools
	@$(BIN)/python -m tests.browser_setup

screenshots: $(VENV)/.tools browser
	$(BIN)/python -m tests.screenshots

icons: $(VENV)/.tools
	$(BIN)/python -m tests.icon_font

bench: $(VENV)/.tools
	$(BIN)/python -m bench

coverage: $(VENV)/.tools
	$(BIN)/python -m pytest -m "not browser" --cov

check: $(VENV)/.tools
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy --strict app bench tests
	$(BIN)/python -m tests.dependency_audit

format: $(VENV)/.tools
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

translations: $(VENV)/.tools
	@$(BIN)/pybabel -q extract -F pyproject.toml --sort-by-file --add-location=file \
		--project=Pitwall -o translations/pitwall.pot .
	@$(BIN)/pybabel -q update -i translations/pitwall.pot -d translations -D pitwall -l vi \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=100
	@rm translations/pitwall.pot
	@$(BIN)/python -m pytest -q tests/test_language.py -k catalogue

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Pitwall needs Python 3.11 or newer and found none." \
		"Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11, or does not start." \
		"Name a newer one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make virtual environments." \
		"On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.needs: requirements.txt | $(BIN)/python
	@echo "Installing what Pitwall needs into $(VENV)"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.tools: requirements-dev.txt requirements-cluster.txt $(VENV)/.needs
	@echo "Installing what tests and checks need into $(VENV)"
	@$(PIP_INSTALL) -r requirements.txt -r requirements-dev.txt -r requirements-cluster.txt
	@touch $@
