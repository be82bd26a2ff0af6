# simfactory: `make demo` shows what it does, `make test` proves that it works. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Chooses the interpreter, 3.11 or 3.12: make setup PYTHON=python3.12
PYTHON ?=
export PYTHON

bin := .venv/bin

# What `make demo` makes: category:scene:seed, so many clips of each.
DEMO ?= rigid:domino_row:3 soft_body:drop_onto_soft:1
CLIPS ?= 4
FRAMES ?= 48
FPS ?= 24
SIZE ?= 256x256
BACKEND ?= newton
OUT ?= out/demo
TRAIN_OUT ?= out/demo-train

# How `make test` runs pytest: processes, and anything else (make test PYTEST_ARGS="-k flow --cov").
PYTEST_WORKERS ?= 2
PYTEST_ARGS ?=

.PHONY: help setup setup-train setup-test demo demo-train picture test check fix bench screenshots openapi lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## make .venv with the simfactory command in it (no root needed)
	@deploy/setup.sh generate

setup-train:
	@deploy/setup.sh train

setup-test:
	@deploy/setup.sh test

demo: setup ## generate a small dataset of rigid and soft bodies on the CPU and say where to look
	for part in $(DEMO); do \
		IFS=: read -r category scene seed <<< "$$part"; \
		$(bin)/simfactory generate --category $$category --scene $$scene --seed $$seed --clips $(CLIPS) --frames $(FRAMES) --fps $(FPS) --size $(SIZE) --backend $(BACKEND) --out $(OUT); \
	done
	$(bin)/python deploy/overview.py $(OUT) $(OUT)/overview.png

demo-train: setup-train ## train a small video model on a small dataset, and compare it before and after
	deploy/demo_train.sh $(TRAIN_OUT)

picture: demo ## make the README's picture anew, from the demo
	cp $(OUT)/overview.png docs/overview.png

test: check ## lint, check types and imports, run all tests
	$(bin)/pytest -n $(PYTEST_WORKERS) --dist loadscope $(PYTEST_ARGS)

check: setup-test ## lint, check types and imports only
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

fix: setup-test ## format the code and repair what the linter can
	$(bin)/ruff check --fix
	$(bin)/ruff format

bench: setup ## measure the cost of a committed frame
	$(bin)/python benchmarks/generate.py

screenshots: setup-test ## make the dashboard's pictures in docs/ anew, from a real service
	PYTHONPATH=. $(bin)/python deploy/screenshots.py

openapi: setup-test ## write docs/openapi.json anew from the service's routes
	PYTHONPATH=. $(bin)/python deploy/openapi.py

lock: ## write requirements/*.txt anew from pyproject.toml (LOCK_ARGS=--upgrade: newer versions)
	deploy/lock.sh $(LOCK_ARGS)

clean: ## remove .venv, caches and out/
	rm -rf .venv out build dist .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
