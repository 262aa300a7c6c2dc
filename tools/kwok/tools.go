// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package kwok pins the program that plays kubelets where none is needed: nodes and pods that only exist in the API.
package kwok

import _ "sigs.k8s.io/kwok/cmd/kwok"
