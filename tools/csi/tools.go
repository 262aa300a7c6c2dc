// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package csi pins the upstream sidecars that stand between Kubernetes and the driver. They are a module of their own:
// their releases follow another version of the Kubernetes libraries than the node's.
package csi

import (
	_ "github.com/kubernetes-csi/external-provisioner/v5/cmd/csi-provisioner"
	_ "github.com/kubernetes-csi/external-snapshotter/v8/cmd/csi-snapshotter"
	_ "github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller"
)
