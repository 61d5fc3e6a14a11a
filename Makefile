# Two commands do the work: `make report` and `make test`. Each sets up what it needs.
PYTHON ?= python3
DATA   ?= data/published
OUT    ?= $(if $(filter data/published data/published/,$(DATA)),out,out/$(notdir $(patsubst %/,%,$(DATA))))
LANGS  ?= vi,en
BENCH  ?= reading indicators
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: report test lab lint bench setup clean

report: $(READY)
	$(BIN)/evalkit report $(DATA) --out $(OUT) --langs $(LANGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile
	$(BIN)/evalkit build data/published --out out
	$(BIN)/python -m pytest --nbval-lax notebooks -n auto --dist loadfile -p no:cacheprovider

lab: $(READY)
	test -d out/build || $(BIN)/evalkit build $(DATA) --out out
	$(BIN)/evalkit lab

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(READY)
	for name in $(BENCH); do $(BIN)/python benchmarks/$$name.py || exit 1; done

setup: $(READY)

# The lock names every package with its hash; nothing else is installed.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 15) else "evalkit needs Python 3.11 to 3.14; this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) out
