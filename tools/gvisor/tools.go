// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package gvisor pins containerd's shim for gVisor, which Debian's package of runsc lacks. A module of its own because
// it follows other versions of containerd's libraries than anything else here.
package gvisor

import _ "gvisor.dev/gvisor/shim"
