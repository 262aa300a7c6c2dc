# SPDX-License-Identifier: Apache-2.0
# The two commands of the README are `make up` and `make test`; the work is done by the programs that they call.
.PHONY: up down tools test check unit go-test browser looks envtest e2e bench bench-admission bench-scale generate format bundle
NODE := PATH="$(CURDIR)/node_modules/.bin:$$PATH" node

# A Kubernetes with AgentTier on it (see e2e/cluster/up.ts); CLUSTER=bare|kind|existing chooses where.
up: node_modules/.package-lock.json
	@$(NODE) e2e/cluster/up.ts

# Removes it and every trace of it; VERIFY=1 fails when something is left.
down: node_modules/.package-lock.json
	@$(NODE) e2e/cluster/down.ts $(if $(VERIFY),--verify)

# The programs that tests without a node need: control plane, kubectl, helm.
tools: node_modules/.package-lock.json
	@$(NODE) e2e/cluster/tools.ts

# Every level of test, and one closing line over all of them (see docs/testing.md).
test: tools
	@$(NODE) e2e/testAll.ts

# One level each. `e2e` starts the cluster when there is none.
check unit go-test browser looks envtest e2e: tools
	@$(NODE) e2e/testAll.ts $@

# The figures of docs/performance.md, against the cluster of `make up`.
bench: node_modules/.package-lock.json
	@. .local/env && $(NODE) e2e/load/bench.ts --document docs/performance.md $(ARGS)

# The figures of docs/performance-admission.md: an API server, etcd and two webhook replicas of its own, no cluster needed.
bench-admission: tools
	@$(NODE) e2e/load/benchAdmission.ts --document docs/performance-admission.md $(ARGS)

# The figures of docs/performance-scale.md: thousands of sandboxes on nodes that only exist in the API, no cluster needed.
bench-scale: tools
	@$(NODE) e2e/load/benchScale.ts --document docs/performance-scale.md $(ARGS)

# Types and validators from the CRD YAML.
generate: node_modules/.package-lock.json
	@$(NODE) crds/generate.ts && $(NODE) router/generate.ts && $(NODE) plugin/generate.ts

format: node_modules/.package-lock.json
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run --silent format

# Servers and plugin as one file each, where their images expect them.
bundle: node_modules/.package-lock.json
	@$(NODE) images/bundle.ts

# Node 24 itself is one of the packages.
node_modules/.package-lock.json: package-lock.json
	@tools/install.sh
	@npm ci --no-audit --no-fund
