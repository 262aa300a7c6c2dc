// SPDX-License-Identifier: Apache-2.0

// Package once runs work under an id, and never twice under the same one.
package once

import (
	"context"
	"sync"
)

// kept is how many results are remembered. One pod sees a few: its start, its
// stop, and an idle warning now and then.
const kept = 256

// Table remembers what was run. Its zero value is ready for use.
type Table[T any] struct {
	mu    sync.Mutex
	runs  map[string]*run[T]
	order []string
}

type run[T any] struct {
	done   chan struct{}
	result T
}

// Do runs work unless the id has been seen, and gives the one result of that
// id. The work does not end with ctx: a caller that goes away can ask again.
// ok is false when ctx ended first.
func (t *Table[T]) Do(ctx context.Context, id string, work func() T) (result T, ok bool) {
	r := t.enter(id, work)
	select {
	case <-r.done:
		return r.result, true
	case <-ctx.Done():
		return result, false
	}
}

func (t *Table[T]) enter(id string, work func() T) *run[T] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, seen := t.runs[id]; seen {
		return r
	}
	if t.runs == nil {
		t.runs = map[string]*run[T]{}
	}
	if len(t.order) == kept {
		delete(t.runs, t.order[0])
		t.order = t.order[1:]
	}
	r := &run[T]{done: make(chan struct{})}
	t.runs[id], t.order = r, append(t.order, id)
	go func() {
		defer close(r.done)
		r.result = work()
	}()
	return r
}
