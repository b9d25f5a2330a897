# Two commands: `make results` and `make test`. Each makes its own environment in .venv first.

PYTHON ?= python3
CONFIG ?= config/quick.yaml
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PEERS := .venv-peers
GPUS ?= 1
# A target of Snakemake stands before its flags, two of which would take it for one of their values.
LIMITS = --cores all --resources gpu=$(GPUS)

.PHONY: results gate peers growth golden wheel unlock test slow torture kernels check format lint docs setup clean
.DELETE_ON_ERROR:

results: setup  ## tables, figures and the HTML report of CONFIG (default config/quick.yaml)
	$(BIN)/snakemake $(LIMITS) --configfile "$(CONFIG)"

gate: CONFIG = config/ci.yaml
gate: results  ## config/ci.yaml against its accepted facts: quality, bytes, work, latency
	$(BIN)/python -m bench check results/ci --baseline results/baselines/ci.json --markdown results/ci/gate.md --junit results/ci/gate.xml

peers: CONFIG = config/peers.yaml
peers: setup $(PEERS)/colbert-ai/ready $(PEERS)/fast-plaid/ready $(PEERS)/xtr-warp-rs/ready  ## ours beside colbert-ai, fast-plaid and WARP, each in an environment of its own
	$(BIN)/snakemake peers $(LIMITS) --configfile "$(CONFIG)"

growth: CONFIG = config/peers.yaml
growth: setup  ## how search time grows from 0.25 to 16 million vectors
	$(BIN)/snakemake growth $(LIMITS) --configfile "$(CONFIG)"

golden: GOLDEN = tests/golden
golden: OUT = build/golden
# A folder that is made anew: colbert-ai waits for ever for a compilation that was killed.
golden: export TORCH_EXTENSIONS_DIR = $(abspath $(OUT)/extensions)
golden: setup $(PEERS)/pylate/ready $(PEERS)/colbert-ai-export/ready $(PEERS)/fast-plaid/ready  ## golden vectors and indexes made anew, and exported ones opened in PyLate and colbert-ai
	rm -rf $(OUT) && mkdir -p $(OUT)
	$(PEERS)/pylate/bin/python $(GOLDEN)/make_pylate.py $(GOLDEN)/pylate
	$(BIN)/python $(GOLDEN)/make_model.py $(OUT)/model
	set -e; for name in $(notdir $(wildcard $(GOLDEN)/pylate/*.npz)); do \
		$(BIN)/python -m bench export $(GOLDEN)/pylate/$${name%.npz} --layout pylate --output $(OUT)/$${name%.npz}; \
		$(PEERS)/pylate/bin/python $(GOLDEN)/check_export.py pylate $(OUT)/$${name%.npz} $(GOLDEN)/pylate/$$name; \
	done
	$(BIN)/python $(GOLDEN)/write_ours.py $(OUT)/model $(OUT)/model.npz
	$(BIN)/python -m bench export $(OUT)/model --layout pylate --output $(OUT)/to-pylate
	$(PEERS)/pylate/bin/python $(GOLDEN)/check_export.py pylate $(OUT)/to-pylate $(OUT)/model.npz
	$(BIN)/python -m bench export $(OUT)/model --layout official --output $(OUT)/to-official
	$(PEERS)/colbert-ai-export/bin/python $(GOLDEN)/check_export.py official $(OUT)/to-official $(OUT)/model.npz
	$(PEERS)/colbert-ai-export/bin/python $(GOLDEN)/make_indexes.py colbert-ai $(GOLDEN)/indexes
	$(PEERS)/fast-plaid/bin/python $(GOLDEN)/make_indexes.py fast-plaid $(GOLDEN)/indexes
	$(BIN)/python $(GOLDEN)/write_index.py $(OUT)/model $(OUT)/indexes
	set -e; for bits in 1 2 4 8; do \
		$(BIN)/python -m bench export $(OUT)/indexes/bits-$$bits/index $(OUT)/to-colbert-ai-$$bits --layout colbert-ai; \
		$(PEERS)/colbert-ai-export/bin/python $(GOLDEN)/check_index.py $(OUT)/to-colbert-ai-$$bits $(OUT)/to-official $(OUT)/indexes/bits-$$bits.npz $(OUT)/indexes/passages.json; \
	done

$(PEERS)/pylate/ready $(PEERS)/colbert-ai-export/ready: private INSTALL := --no-deps
$(PEERS)/fast-plaid/ready $(PEERS)/xtr-warp-rs/ready: private INSTALL := --no-deps

$(PEERS)/%/ready: workflow/envs/%.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet $(INSTALL) --requirement $<
	@touch $@

wheel: setup  ## the package with its workflow as a wheel in dist/
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation --wheel-dir dist .

unlock: setup  ## after a hard kill or a power loss, once no other run is on: let the next run go on where that one stopped
	$(BIN)/snakemake --configfile "$(CONFIG)" --unlock

# Every worker takes whole files. One more than there are cores, up to four: some wait for the run of config/ci.yaml.
WORKERS = $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 1 : 4)))
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder

test: setup  ## the test suite
	$(PYTEST) -m "not slow"

slow: setup  ## tests that take long: runs that are killed, several processes, memory, the corpus that models are trained on
	$(PYTEST) -m slow

MUTATIONS = 500
KILLS = 16
RUNS = 26
INPUTS = 1300
LOSSES = 4

torture: setup  ## files damaged, stages and runs killed or without power, and inputs of any shape, at random: what was lost
	$(BIN)/python -m tests.torture $(MUTATIONS) $(KILLS) $(RUNS) $(INPUTS) $(LOSSES)

KERNELS = tests/search/test_cuda.py tests/search/test_cuda_compiles.py tests/codec/test_cuda.py

kernels: setup  ## the kernels for a GPU (Linux): in Triton's interpreter, against the reference, and compiled
	$(BIN)/python -m pip install --disable-pip-version-check --quiet triton==3.9.0
	TRITON_INTERPRET=1 $(PYTEST) -m "gpu and not slow" $(KERNELS)
	$(PYTEST) -m "gpu and slow" $(KERNELS)

check: format lint docs  ## formats, types, links and figures of the documents, and the workflow's own lint
	$(BIN)/mypy
	$(BIN)/snakemake --lint --configfile config/ci.yaml

lint: setup  ## ruff, and the GitHub workflow against its schema
	$(BIN)/ruff check .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: setup  ## the formats of Python and of the rules, nothing changed
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules

docs: setup  ## the documents as a site in site/, their links and figures checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	$(BIN)/python docs/check_numbers.py

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed, $(PYTHON) is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

clean:  ## everything made here but the environment
	rm -rf build dist logs benchmarks .snakemake $(filter-out results/README.md results/published.csv results/baselines,$(wildcard results/*))
