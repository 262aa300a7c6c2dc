// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package tools pins the programs that are built as they are.
package tools

import (
	_ "helm.sh/helm/v3/cmd/helm"
	_ "sigs.k8s.io/kube-network-policies/cmd"
)
