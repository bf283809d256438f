# make run        learn both words, generate four examples, write out/index.html
# make test       run the tests and every notebook
# make lab        open JupyterLab on the first notebook
# make notebooks  run the notebooks and write them with their outputs
# make evaluate   measure the models, and the learning of unseen concepts
# make speed      compare generating and learning with plain diffusers
# make sweep      learn again with more and fewer pictures, steps, vectors
# make wheel      build one file to install, with the models in it
# make address    write where this is published: REPO=owner/name
# make test-colab run the lessons with Colab's versions of everything
# make test-real  run the lessons with a stand-in for Stable Diffusion 1.5
# make models     train the tiny models in data/tiny again
# make clean      remove what the above have made, except the models
#
# Each of them first makes .venv, once. Another Python than python3:
#     make run PYTHON=python3.12

PYTHON ?= python3
ARGS ?=
REPO ?=

BIN := .venv/bin
READY := .venv/.ready
COLAB := .venv-colab

# A cell runs as long as its machine needs: only one that hangs is stopped.
NBMAKE := --nbmake --nbmake-kernel=python3 --nbmake-timeout=3600

.PHONY: run test lab evaluate speed sweep compare models notebooks clean
.PHONY: wheel address test-colab test-real
.DEFAULT_GOAL := run

run: $(READY)
	$(BIN)/python -m tutorial_lib run $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest $(NBMAKE) tests notebooks $(ARGS)

lab: $(READY)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(ARGS)

evaluate: $(READY)
	$(BIN)/python -m tutorial_lib evaluate --kind pattern --seeds 101-140 --json out/evaluate-pattern.json $(ARGS)
	$(BIN)/python -m tutorial_lib evaluate --kind person --seeds 101-140 --json out/evaluate-person.json $(ARGS)
	$(BIN)/python -m tutorial_lib models card --card out/card.json

speed: $(READY)
	$(BIN)/python benchmarks/speed.py

sweep: $(READY)
	$(BIN)/python -m tutorial_lib sweep --kind person --seeds 101-120 --json out/sweep-person.json $(ARGS)
	$(BIN)/python -m tutorial_lib sweep --kind pattern --seeds 101-120 --json out/sweep-pattern.json $(ARGS)

compare: $(READY)
	$(BIN)/python -m tutorial_lib compare --seeds 301-302 --json out/lora-pattern.json $(ARGS)

notebooks: $(READY)
	$(BIN)/python -m tutorial_lib notebooks $(ARGS)

# Hours on two CPU cores. Made for twelve minutes of one H100 with 16 cores, images
# being rendered all the while (at full size it has not been run there yet):
#     make models ARGS="--preset gpu --workers 14"
# A rehearsal of everything at a fiftieth:
#     make models ARGS="--share 0.02 --target out/rehearsal/tiny --work out/rehearsal"
models: $(READY)
	$(BIN)/python -m tutorial_lib models $(ARGS)

# setuptools would take up what an earlier build left in build/.
wheel: $(READY)
	@rm -rf build
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls -l dist/*.whl

address:
	@$(PYTHON) -m tutorial_lib.address $(REPO)

test-colab: $(READY) $(COLAB)/.ready
	$(BIN)/python -m pytest -m slow tests/colab/test_lessons.py $(ARGS)

# -s shows how many claims each lesson passes over.
test-real: $(READY)
	$(BIN)/python -m pytest -s -m "slow or not slow" tests/standin $(ARGS)

clean:
	rm -rf .venv .venv-colab out build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so a set-up that broke off is taken up again,
# and one that is complete is never repeated until pyproject.toml changes.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "This tutorial needs Python 3.11, 3.12 or 3.13, and" \
	"'$(PYTHON)' is missing or older; name another one, for example:" \
	"make $(or $(MAKECMDGOALS),run) PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up .venv (once; a few minutes and about 6 GB) ..."
	@$(PYTHON) -m venv .venv \
	|| { echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu, install" \
	"the package python3-venv, then try again." >&2; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check \
	--editable '.[lab,test]'
	@touch $@

# Colab's Python is 3.13; its packages take another 5 GB.
$(COLAB)/.ready: tests/colab/requirements.txt
	$(PYTHON) -m venv $(COLAB)
	$(COLAB)/bin/python -m pip install --disable-pip-version-check \
	--quiet --requirement $<
	@touch $@
