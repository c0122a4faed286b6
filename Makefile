# Two commands: `make demo` and `make test`. Both set up everything they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check bench lock docs clean

demo: $(VENV)/demo.done
	$(BIN)/steelyard models get --study examples/support-inbox
	$(BIN)/steelyard run examples/support-inbox --yes

# ALL=1 adds what takes minutes: the demo itself, end to end.
test: check
	$(BIN)/steelyard models get smollm2-135m-instruct $(if $(ALL),gemma-3-270m)
	$(BIN)/pytest $(if $(ALL),,-m "not slow")

check: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cog --check -r docs/commands.md

bench: $(VENV)/test.done
	$(BIN)/python benchmarks/scoring.py
	$(BIN)/python benchmarks/harness.py
	$(BIN)/python benchmarks/catalogue.py
	$(BIN)/python benchmarks/costs.py
	$(BIN)/python benchmarks/simulation.py
	$(BIN)/python benchmarks/intervals.py

docs: $(VENV)/test.done
	$(BIN)/cog -r docs/commands.md

lock: $(VENV)/test.done
	$(BIN)/pip-compile -q --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--no-header --extra local --extra test -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--no-header --extra local -c requirements.lock -o requirements-demo.lock pyproject.toml

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: requirements-demo.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --no-compile --require-hashes -r requirements-demo.lock
	$(BIN)/pip install -q --no-compile --no-deps -e .
	touch $@

$(VENV)/test.done: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps -e .
	touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
