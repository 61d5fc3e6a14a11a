# Two commands do the work: `make report` and `make test`. Each sets up what it needs.
PYTHON ?= python3
DATA   ?= data/published
OUT    ?= $(if $(filter data/published data/published/,$(DATA)),out,out/$(notdir $(patsubst %/,%,$(DATA))))
LANGS  ?= vi,en
BENCH  ?= reading indicators
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: report test lab lint bench docs dist try-dist setup clean

report: $(READY)
	$(BIN)/evalkit report $(DATA) --out $(OUT) --langs $(LANGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile
	$(BIN)/evalkit build data/published --out out
	$(BIN)/python -m pytest --nbval-lax notebooks -n auto --dist loadfile -p no:cacheprovider

lab: $(READY)
	test -d out/build || $(BIN)/evalkit build $(DATA) --out out
	$(BIN)/evalkit lab $(PLACE)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(READY)
	for name in $(BENCH); do $(BIN)/python benchmarks/$$name.py || exit 1; done

# Pages that are written from the code; a test fails where they differ from it.
docs: $(READY)
	$(BIN)/python docs/generate.py

dist: $(READY)
	rm -rf dist
	$(BIN)/python -m hatchling build

# The wheel in an environment of its own, outside the checkout: a starter, its check, its report, the register.
try-dist: dist
	rm -rf dist/try && $(PYTHON) -m venv dist/try/venv
	dist/try/venv/bin/python -m pip install --quiet --disable-pip-version-check dist/evalkit-*.whl
	cd dist/try && venv/bin/evalkit new data && venv/bin/evalkit check data && venv/bin/evalkit report data --langs vi && venv/bin/evalkit lab 99001 --no-open && venv/bin/evalkit report published --out published --place 08473

setup: $(READY)

# The lock names every package with its hash; nothing else is installed.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 15) else "evalkit needs Python 3.11 to 3.14; this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) out dist  # what is in lab/ is somebody's work and stays
