# The tasks of the project; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test check format accept readme interview index priors accuracy fidelity real-kube-proxy bench packages clean
export PYTHON

BIN := .venv/bin
# The console script of a moved folder would still name the old one.
RUN := $(BIN)/python -m

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## install into .venv and diagnose the example
	@.ci/venv
	@$(RUN) kubereach diagnose examples/founding-case/post.txt || case $$? in 1|3) ;; *) exit 1 ;; esac

test: packages ## install what the tests need, then check everything
	@.ci/venv dev
	@$(MAKE) --no-print-directory check

check: ## format, lint, types, layers and tests, with what is installed
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto

format: ## format the code and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

accept: ## rewrite the golden files with what comes out now; look at the difference before committing
	$(BIN)/pytest -n auto --accept
	@git --no-pager diff --stat

readme: ## renew the diagnosis that README.md shows
	$(BIN)/pytest -q tests/contract/test_readme.py --accept

interview: ## renew the interview that docs/interview.md shows
	$(BIN)/pytest -q tests/contract/test_interview_page.py --accept

index: ## rewrite the generated indexes of readers, probes and faults
	$(RUN) kubereach.evidence.indexing
	$(RUN) kubereach.diagnose.indexing

priors: ## rewrite docs/priors.md, which lists every prior, trust and nominal value with its reason
	$(RUN) kubereach.diagnose.priors

accuracy: ## measure how often broken clusters are diagnosed right, write docs/accuracy.md (RUNS, SEED, JOBS)
	$(RUN) benchmarks.diagnosis --runs $(or $(RUNS),94) --seed $(or $(SEED),1) --jobs $(or $(JOBS),1) --write docs/accuracy.md

bench: ## run the benchmarks
	@for file in benchmarks/bench_*.py; do [ ! -e "$$file" ] || $(BIN)/python "$$file" || exit; done

RUNS ?= 500
FIRST ?= 1
JOBS ?= 4
fidelity: packages ## hold the simulator against the lab (RUNS= drawn systems from FIRST= on), and write docs/fidelity.md
	@.ci/venv dev
	@mkdir -p fidelity
	$(RUN) kubereach.lab.fidelity.judging --jobs 2 --records fidelity/judged.jsonl
	$(RUN) kubereach.lab.fidelity --runs $(RUNS) --first $(FIRST) --jobs $(JOBS) --kept fidelity --write docs/fidelity.md

real-kube-proxy: ## build Kubernetes 1.20.2's own kube-proxy and API server for the lab (minutes), and test against them
	@.ci/apt etcd-server socat || true
	@$(RUN) kubereach.lab.kubernetes_build || echo "note: the tests against the real kube-proxy are skipped"
	$(BIN)/pytest -q -m real_kubernetes tests/kernel

packages:
	@.ci/apt $$(sed 's/#.*//' .ci/apt-packages) || echo "note: some system packages are missing (see .ci/apt-packages); tests that need them are skipped"

clean: ## remove what was made here
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
