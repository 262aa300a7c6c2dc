// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package resizer pins the upstream sidecar that grows volumes. It is a module of its own, because its release follows
// another version of the Kubernetes libraries than the other sidecars'.
package resizer

import _ "github.com/kubernetes-csi/external-resizer/v2/cmd/csi-resizer"
