// SPDX-License-Identifier: Apache-2.0

package httpapi

import "time"

const (
	// paceWindow is the longest that output is held back to be sent together.
	paceWindow = 2 * time.Millisecond
	// paceEnough is sent at once, however lately something was sent: a whole
	// message. Each costs the router and the client as much as its bytes do.
	paceEnough = messageSize
	// paceFree is how many messages in a row go out at once before a stream
	// counts as a flood.
	paceFree = 4
)

// pacer decides when output is sent: at once after a pause or after input, so
// that an echo never waits; gathered for at most paceWindow in a flood.
type pacer struct {
	last time.Time
	run  int
}

// hold is how much longer pending output should wait at the moment now.
func (p *pacer) hold(now time.Time, pending int64, typed bool) time.Duration {
	since := now.Sub(p.last)
	if typed || since > 2*paceWindow {
		p.run = 0
	}
	if p.run < paceFree || pending >= paceEnough {
		return 0
	}
	return max(0, paceWindow-since)
}

func (p *pacer) sent(now time.Time) {
	p.last = now
	p.run++
}
