// SPDX-License-Identifier: Apache-2.0

package childenv

import (
	"slices"
	"sync/atomic"
)

// Live is an environment that can change for processes that start later. A
// list that was handed out never changes.
type Live struct {
	list atomic.Pointer[[]string]
}

// NewLive makes one that begins as env.
func NewLive(env []string) *Live {
	l := &Live{}
	l.Replace(env)
	return l
}

// List is the environment of a process that starts now; it must not be changed.
func (l *Live) List() []string { return *l.list.Load() }

// Replace makes env what List returns from now on.
func (l *Live) Replace(env []string) {
	own := slices.Clone(env)
	l.list.Store(&own)
}
