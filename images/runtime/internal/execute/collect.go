// SPDX-License-Identifier: Apache-2.0

package execute

import (
	"context"
	"os"
	"sync"
)

const cutMark = "\n[truncated]"

// collector gathers a stream up to MaxOutput and lets the rest pass unseen: a
// command must neither block nor die because it prints too much, or because
// it left something running that still prints.
type collector struct {
	done chan struct{}

	mu      sync.Mutex
	kept    []byte
	cut     bool
	settled bool
}

func collect(from *os.File) *collector {
	c := &collector{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer from.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			c.take(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	return c
}

func (c *collector) take(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled || len(p) == 0 {
		return
	}
	room := MaxOutput - len(c.kept)
	if len(p) > room {
		p, c.cut = p[:room], true
	}
	c.kept = append(c.kept, p...)
}

// settle returns what has arrived when the stream ends or the grace is over.
func (c *collector) settle(grace context.Context) (kept []byte, cut bool) {
	select {
	case <-c.done:
	case <-grace.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, c.kept, c.settled = c.kept, nil, true
	if c.cut {
		kept = append(kept, cutMark...)
	}
	return kept, c.cut
}
