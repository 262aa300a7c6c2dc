# SPDX-License-Identifier: Apache-2.0
# The two commands of the README are `make up` and `make test`; the work is done by the programs that they call.
.PHONY: up down tools
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

# Node 24 itself is one of the packages.
node_modules/.package-lock.json: package-lock.json
	@tools/install.sh
	@npm ci --no-audit --no-fund
