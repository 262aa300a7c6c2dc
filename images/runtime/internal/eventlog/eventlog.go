// SPDX-License-Identifier: Apache-2.0

// Package eventlog keeps the events of one run for readers that come, go and
// come back.
package eventlog

import (
	"context"
	"sync"
)

// Event is one thing that happened; IDs begin at 1 and have no gaps.
type Event struct {
	ID   int64
	Name string
	Data []byte
}

// Log holds events. What a reader has not got yet is kept, and a writer waits
// when that comes to more than Limit bytes; what was delivered is kept up to
// the same size, or to Keep where that is more, so that a reader who lost it can
// ask again. With Lossy the writer never waits and the oldest go.
type Log struct {
	Limit int
	Keep  int
	Lossy bool

	mu        sync.Mutex
	events    []Event
	last      int64 // ID of the newest
	delivered int64 // highest ID that any reader has got
	waiting   int   // bytes not delivered
	kept      int   // bytes in all
	closed    bool
	changed   chan struct{}
}

// Append adds an event. It waits for readers when too much is undelivered, but
// not beyond ctx: what is said about an end must never wait for anybody.
func (l *Log) Append(ctx context.Context, name string, data []byte) {
	for {
		l.mu.Lock()
		if l.Lossy || l.waiting < l.Limit || ctx.Err() != nil {
			break
		}
		changed := l.signal()
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	defer l.mu.Unlock()
	l.last++
	l.events = append(l.events, Event{ID: l.last, Name: name, Data: data})
	l.waiting += len(data)
	l.kept += len(data)
	l.trim()
	l.wake()
}

// Close says that nothing will follow.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake()
}

// Size is how many bytes of events are held.
func (l *Log) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept
}

// Next returns the events after an ID, waiting for one if need be, and how many
// between were dropped already. No events and no error: the log has ended.
func (l *Log) Next(ctx context.Context, after int64) (events []Event, dropped int64, err error) {
	for {
		l.mu.Lock()
		events, dropped = l.after(after)
		ended, changed := l.closed, l.signal()
		l.mu.Unlock()
		if len(events) > 0 || ended {
			return events, dropped, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// Delivered tells that a reader has everything up to an ID.
func (l *Log) Delivered(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id = min(id, l.last); l.delivered < id; {
		l.delivered++
		if i := l.delivered - l.last + int64(len(l.events)) - 1; i >= 0 {
			l.waiting -= len(l.events[i].Data)
		}
	}
	l.trim()
	l.wake()
}

// after needs the lock. A reader that is ahead of the log gets everything new.
func (l *Log) after(id int64) (events []Event, dropped int64) {
	if len(l.events) == 0 || id >= l.last {
		return nil, 0
	}
	first := l.events[0].ID
	if id < first-1 {
		dropped, id = first-1-id, first-1
	}
	return append([]Event(nil), l.events[id-first+1:]...), dropped
}

// trim needs the lock.
func (l *Log) trim() {
	limit, gone := l.Limit+max(l.Limit, l.Keep), 0
	if l.Lossy {
		limit = l.Limit
	}
	for l.kept > limit && gone < len(l.events)-1 && (l.Lossy || l.events[gone].ID <= l.delivered) {
		event := l.events[gone]
		l.kept -= len(event.Data)
		if event.ID > l.delivered {
			l.waiting -= len(event.Data)
			l.delivered = event.ID
		}
		l.events[gone] = Event{}
		gone++
	}
	// Appending moves what is left to a new array now and then.
	l.events = l.events[gone:]
}

// signal needs the lock.
func (l *Log) signal() <-chan struct{} {
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

// wake needs the lock.
func (l *Log) wake() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}
