// SPDX-License-Identifier: Apache-2.0

// Package spent remembers which tickets have opened a terminal. All routers of
// an installation meet in the runtime of a sandbox and nowhere else, so here,
// and only here, "once" can be exact.
package spent

import (
	"errors"
	"sync"
	"time"
)

const (
	// keep is how long a nonce is remembered. Tickets live for a minute; the rest
	// is for clocks of routers that do not agree.
	keep = 10 * time.Minute
	// most bounds the memory that a flood of tickets can take, about 1 MiB.
	most = 8192
	// longest is the length of a nonce that is taken.
	longest = 64
)

var (
	// ErrUsed says that the ticket has opened something before.
	ErrUsed = errors.New("this ticket has been used: get another one")
	// ErrFull says that more tickets were used lately than can be remembered.
	ErrFull = errors.New("too many tickets were used in the last minutes: try again later")
	// ErrMalformed says that the text is no nonce of a ticket.
	ErrMalformed = errors.New("ticket: must be the nonce of a ticket, at most 64 characters")
)

// Nonces is the set of nonces seen lately. The zero value is empty.
type Nonces struct {
	mu    sync.Mutex
	seen  map[string]time.Time
	sweep time.Time
}

// Spend notes the nonce, or says why it does not count.
func (n *Nonces) Spend(nonce string, now time.Time) error {
	if nonce == "" || len(nonce) > longest {
		return ErrMalformed
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.forget(now)
	if _, there := n.seen[nonce]; there {
		return ErrUsed
	}
	if len(n.seen) >= most {
		return ErrFull
	}
	if n.seen == nil {
		n.seen = map[string]time.Time{}
	}
	n.seen[nonce] = now
	return nil
}

// forget drops old nonces, at most once in a while: it walks over all of them.
func (n *Nonces) forget(now time.Time) {
	if now.Before(n.sweep) && len(n.seen) < most {
		return
	}
	n.sweep = now.Add(keep / 10)
	for nonce, at := range n.seen {
		if now.Sub(at) > keep {
			delete(n.seen, nonce)
		}
	}
}
