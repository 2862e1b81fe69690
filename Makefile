# `make` or `make help` lists the targets. Variables may be given on the command line: make test PYTHON=python3.12

PYTHON ?= python3
BIND ?= 127.0.0.1:8000
FUZZTIME ?= 30s
SOAKTIME ?= 30m
ROUNDS ?= 11
export PYTHON PYTHONS BIND FUZZTIME SOURCE NOGIL_VERSION NOGIL_SHA256

# Everything that goes into the binary is asked of the go command, which rebuilds only what has changed.
# -buildvcs=false: a source tree of another owner must not fail the build, and nothing shows the revision.
GOBUILD = go build -trimpath -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: help build run test race asan lint docs fmt fuzz python-nogil bench bench-full bench-slow bench-threads bench-go profile gate load soak \
	build-cpy3 clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/pyhost
	@scripts/toolchain.sh
	CGO_ENABLED=1 $(GOBUILD) -o bin/pyhost ./cmd/pyhost

run: ## serve the Django project of pyapps/django_project on BIND (127.0.0.1:8000)
	@scripts/run.sh

test: ## run all tests on every Python found, or on PYTHON and PYTHONS="python3.8 /path/to/python3.12"
	@scripts/test.sh

race: ## run the tests of the Go packages and the black-box suite with the race detector
	@scripts/suite.sh race

asan: ## run the black-box suite with AddressSanitizer watching the C layer
	@scripts/suite.sh asan

python-nogil: ## build a free-threaded CPython in .pythons (SOURCE: its archive), which make test then uses too
	@scripts/python-nogil.sh

lint: ## check formatting, go vet, golangci-lint, C warnings and shell scripts
	@scripts/lint.sh

docs: ## write what the documentation says about settings from their table
	go test -count=1 -run TestDocumentationIsUpToDate ./config -args -write

fmt: ## format the Go code
	gofmt -w $$(go list -f '{{.Dir}}' ./...)

fuzz: ## run every fuzz test for FUZZTIME (30s)
	@scripts/fuzz.sh

bench: build ## compare speed and memory with other servers
	@bench/setup.sh
	$(PYTHON) bench/run.py

bench-full: build ## the same with ROUNDS (11) rounds; rewrites docs/performance.md
	@bench/setup.sh
	$(PYTHON) bench/run.py --full --rounds $(ROUNDS) --json bin/bench.json --markdown docs/performance.md

bench-slow: build ## compare what slow clients do to the others: heads, bodies and responses, a crowd of 2,400
	@bench/setup.sh
	$(PYTHON) bench/slow.py

bench-threads: build ## measure how one worker scales from one thread to two, with and without the GIL
	$(PYTHON) bench/threads.py

profile: build ## sample pyhost with perf; rewrites docs/profile.md and its flame graphs (about 2 minutes)
	@bench/setup.sh
	$(PYTHON) bench/budget.py --docs docs

bench-go: ## run the benchmarks of the Go packages
	go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /tests)

load: ## reload, recycle, scale and kill under load for as long as it takes to trust it (about 15 minutes)
	@scripts/suite.sh load

gate: ## count the C layer's instructions per request, and make that the bound (embedpy/gate)
	@mkdir -p build/gate
	go test -count=1 -v ./embedpy/gate -args -write -keep $(CURDIR)/build/gate
	@echo "by function: callgrind_annotate build/gate/callgrind.out.1"

soak: ## load, reload, scale and kill processes for SOAKTIME (30m), and watch that nothing is lost or grows
	@SOAKTIME=$(SOAKTIME) scripts/suite.sh soak

build-cpy3: ## build bin/pyhost-cpy3, bound to PYTHON's libpython by the linker
	@scripts/toolchain.sh
	flags=$$(scripts/cpy3-flags.sh $(PYTHON)) && eval "$$flags" && $(GOBUILD) -tags cpy3 -o bin/pyhost-cpy3 ./cmd/pyhost

clean: ## remove what was built, the virtual environments and the demo's data
	rm -rf bin build .venvs .venv-bench pyapps/django_project/data pyapps/flask_app/data
	if [ -L .venv ]; then rm .venv; fi
	find pyapps embedpy -name __pycache__ -type d -prune -exec rm -rf {} +
