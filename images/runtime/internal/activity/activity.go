// SPDX-License-Identifier: Apache-2.0

// Package activity remembers when the sandbox was last used, for idle stops.
package activity

import (
	"sync/atomic"
	"time"
)

// Record holds the last moment of use. The zero value has none.
type Record struct {
	last    atomic.Int64
	running atomic.Int64
}

// Touch notes a use at this moment.
func (r *Record) Touch() { r.last.Store(time.Now().UnixMilli()) }

// Begin notes that something long has begun; until the returned function is
// called, the sandbox counts as used at every moment.
func (r *Record) Begin() (end func()) {
	r.Touch()
	r.running.Add(1)
	return func() {
		r.Touch()
		r.running.Add(-1)
	}
}

// Last is the last moment of use, or nil when there was none yet.
func (r *Record) Last() *time.Time {
	if r.running.Load() > 0 {
		r.Touch()
	}
	millis := r.last.Load()
	if millis == 0 {
		return nil
	}
	at := time.UnixMilli(millis).UTC()
	return &at
}
