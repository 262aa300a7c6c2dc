// SPDX-License-Identifier: Apache-2.0

package execute

import (
	"io"
	"os"
	"sync/atomic"
	"time"
)

const cutMark = "\n[truncated]"

// collector gives on what a stream brings. When the command has ended, output
// may still be under way: it is waited for, but not longer than pipeGrace in
// all, not counting the time that a slow taker needs, since something that was
// left behind may hold the pipe open. What that prints later is read away: it
// must neither block nor die for it.
type collector struct {
	from   *os.File
	ending atomic.Bool
	done   chan struct{}
}

// collect calls take with each part, never after done is closed.
func collect(from *os.File, take func([]byte)) *collector {
	c := &collector{from: from, done: make(chan struct{})}
	go func() {
		defer from.Close()
		if c.read(take) {
			close(c.done)
			return
		}
		close(c.done)
		_ = from.SetReadDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, from)
	}()
	return c
}

// read tells whether the stream has ended.
func (c *collector) read(take func([]byte)) (ended bool) {
	buf := make([]byte, 32<<10)
	patience, late := pipeGrace, 0
	for {
		ending, asked := c.ending.Load(), time.Now()
		if ending {
			_ = c.from.SetReadDeadline(asked.Add(patience))
		}
		n, err := c.from.Read(buf)
		if ending {
			patience -= time.Since(asked)
			late += n
		}
		if n > 0 {
			take(buf[:n])
		}
		switch {
		case os.IsTimeout(err), ending && (patience <= 0 || late > lateLimit):
			return false
		case err != nil:
			return true
		}
	}
}

// settle returns when all that belongs to the command was given on.
func (c *collector) settle() {
	c.ending.Store(true)
	_ = c.from.SetReadDeadline(time.Now().Add(pipeGrace))
	<-c.done
}

// Buffer keeps the first Limit bytes of a stream.
type Buffer struct {
	Limit int
	Kept  []byte
	Cut   bool
}

// Add takes one more part of the stream.
func (b *Buffer) Add(p []byte) {
	if room := b.Limit - len(b.Kept); len(p) > room {
		p, b.Cut = p[:room], true
	}
	b.Kept = append(b.Kept, p...)
}

// Text is what was kept, with a mark where something is missing.
func (b *Buffer) Text() []byte {
	if !b.Cut {
		return b.Kept
	}
	return append(b.Kept[:len(b.Kept):len(b.Kept)], cutMark...)
}
