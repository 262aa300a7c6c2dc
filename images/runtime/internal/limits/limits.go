// SPDX-License-Identifier: Apache-2.0

// Package limits holds what the harness allows the programs of a sandbox.
package limits

import (
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of zero are none.
type Limits struct {
	// Command is how long one command may run, whatever its caller asks for.
	Command time.Duration
	// FileBytes is the size beyond which no process can write a file.
	FileBytes int64
}

// Clamp is the timeout that a command gets, and whether that is less than what
// was asked for.
func (l Limits) Clamp(asked time.Duration) (timeout time.Duration, less bool) {
	if l.Command > 0 && l.Command < asked {
		return l.Command, true
	}
	return asked, false
}

// Enforce makes the kernel hold this process, and all that it starts from now
// on, to the size of files. A write beyond it fails with EFBIG: without the
// signal being ignored, which children inherit, it would kill the writer.
func (l Limits) Enforce() error {
	if l.FileBytes <= 0 {
		return nil
	}
	signal.Ignore(syscall.SIGXFSZ)
	size := uint64(l.FileBytes)
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: size})
}
