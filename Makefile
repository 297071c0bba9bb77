# Everything that is done with this repository, by one word each.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOLANGCI := bin/golangci-lint-v2.15.0
# Written by make gen alone, from the schemas.
GENERATED := ent graph migrations ui/src/graphql go.mod go.sum

.PHONY: help run build ui test test-long test-go test-ui e2e gen check-gen lint bench torture mutations clean docker

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Build, load demo data on the first start, and serve on 127.0.0.1:8080
	bin/cockpit serve --demo $(ARGS)

build: ui ## Build the server with its pages into bin/cockpit
	go build -ldflags "-s -w -X main.version=$(VERSION)" -o bin/cockpit .

ui: ui/dist/index.html ## Build the pages, if their sources have changed

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund
	@touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json $(shell find ui/src ui/public ui/*.html ui/*.ts -type f)
	cd ui && npm run --silent build
	@touch ui/dist/.gitkeep $@

test: ## Run all tests; with PostgreSQL and a browser where they are installed
	@if [ -z "$${COCKPIT_TEST_DATABASE_URL:-}" ] && .ci/postgres --check; then \
	  .ci/postgres $(MAKE) --no-print-directory test-go; else $(MAKE) --no-print-directory test-go; fi
	@$(MAKE) --no-print-directory test-ui
	@$(MAKE) --no-print-directory e2e

OFFICIAL = internal/mcp/testdata/official
$(OFFICIAL)/node_modules/.package-lock.json: $(OFFICIAL)/package.json $(OFFICIAL)/package-lock.json
	cd $(OFFICIAL) && npm ci --no-audit --no-fund
	@touch $@

test-go: ui $(OFFICIAL)/node_modules/.package-lock.json ## Run the Go tests; on PostgreSQL too if COCKPIT_TEST_DATABASE_URL names a server
	@[ -n "$${COCKPIT_TEST_DATABASE_URL:-}" ] || echo '*** PostgreSQL is not there: its tests are skipped. Install it, or set COCKPIT_TEST_DATABASE_URL.'
	go test -p 2 -timeout 30m ./...

# Cases of a property: fewer where each takes a database, or a whole history.
CASES = $(or $(RAPID_CHECKS),20000)
one-in = -timeout 3h -rapid.checks=$(shell expr $(CASES) / $(1) + 1)
test-long: ## Run the property tests for RAPID_CHECKS cases each, 20,000 unless set
	go test ./internal/money ./internal/idtoken ./internal/grant ./internal/access ./internal/feature ./internal/guardrail ./internal/gateway ./internal/oauth \
	  -run 'Property|Subtree|OnlyTakes|NeverOverflows|Peek|ParsedBack|TestAdd|CostAndCredits|TakesWhatIsJSON|TokenCounts|CantBeMadeUp' $(call one-in,1)
	go test ./internal/budget -run 'Forecast|WhatIf|ExactlyWhatIsLeft|BoundCovers|NoGap|NotWrapped' $(call one-in,1)
	MODELCHECK_STATES=$(or $(MODELCHECK_STATES),12000000) go test ./internal/budget/modelcheck -timeout 2h
	go test ./internal/budget -run SequentialModel $(call one-in,5)
	go test ./graph ./internal/identity ./internal/oauth ./internal/events -run 'Property|AgreesWithItsModel|MadeUpParameters|DeliversInOrder' $(call one-in,20)
	go test ./internal/budget -run UsageAddsUp $(call one-in,100)

test-ui: ui/node_modules/.package-lock.json ## Check the pages' types and run their unit tests
	cd ui && npm run --silent typecheck && npm run --silent test

e2e: build ## Run the browser tests against the built server
	@if command -v chromium >/dev/null; then .ci/e2e; else \
	  echo '*** Chromium is not there: the browser tests are skipped. Install the package chromium.'; fi

gen: ui/node_modules/.package-lock.json ## Generate code anew: entities, GraphQL server, GraphQL types of the pages
	go run ent/entc.go
	go run github.com/99designs/gqlgen generate
	cd ui && npm run --silent codegen

check-gen: ## Fail if generated code or migrations lag behind the schemas
	@list() { find $(GENERATED) -type f -exec sha256sum {} + | sort -k 2; }; \
	before=$$(list); $(MAKE) --no-print-directory gen; \
	if [ -n "$${COCKPIT_DEV_DATABASE_URL:-}" ]; then go run migrations/generate.go lagging; else \
	  echo '*** COCKPIT_DEV_DATABASE_URL is not set: the migrations are not checked.'; fi; \
	diff <(echo "$$before") <(list) || { echo 'Generated code lagged behind; it is fresh now. Commit it.'; exit 1; }

lint: $(GOLANGCI) ui/node_modules/.package-lock.json ## Lint Go and TypeScript
	$(GOLANGCI) run --allow-parallel-runners ./...
	cd ui && npm run --silent lint

$(GOLANGCI):
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv bin/golangci-lint $@

bench: ## Measure the budget engine, the gateway and live burn, on PostgreSQL too where it is installed
	@if [ -z "$${COCKPIT_TEST_DATABASE_URL:-}" ] && .ci/postgres --check; then \
	  .ci/postgres $(MAKE) --no-print-directory bench; else \
	  go run ./bench -database "$${COCKPIT_TEST_DATABASE_URL:-}" && \
	  go test ./graph -run '^$$' -bench BenchmarkPage -benchtime 200x; fi

torture: ## Kill replicas over PostgreSQL for TORTURE (1m unless set), and check every charge
	@if [ -z "$${COCKPIT_TEST_DATABASE_URL:-}" ]; then .ci/postgres $(MAKE) --no-print-directory torture; else \
	  go run ./bench -torture $(or $(TORTURE),1m) -database "$$COCKPIT_TEST_DATABASE_URL"; fi

mutations: ## Break the budget engine's key lines one by one, and see that the tests notice
	@if [ -z "$${COCKPIT_TEST_DATABASE_URL:-}" ]; then .ci/postgres $(MAKE) --no-print-directory mutations; else go run ./bench/mutations; fi

docker: ## Build the container image
	docker build --build-arg VERSION=$(VERSION) -t cockpit:$(VERSION) .

clean: ## Remove what was built; demo data in data/ stays
	rm -rf bin ui/node_modules $(OFFICIAL)/node_modules ui/test-results ui/playwright-report
	find ui/dist -mindepth 1 ! -name .gitkeep -delete
