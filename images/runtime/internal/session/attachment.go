// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
)

// Attachment is one client's place in a session's output. Each client reads
// the ring at its own pace, so none can make another lose a byte.
type Attachment struct {
	session    *Session
	view       bool
	name       string
	cols, rows uint16 // of its own window; 0: it has not said
	turn       uint64 // the greater, the later it was active
	cursor     int64
	behind     time.Time // since when it is more than the lag behind
	inputs     uint64
	changed    chan struct{}
	news       atomic.Bool
	sized, met bool // what the news is about
}

// Client says who attaches, and how. With Since >= 0 the replay begins there
// if the ring still has it, otherwise at the oldest byte held.
type Client struct {
	Since int64
	View  bool
	// Name is for the others who are attached to read.
	Name string
	// Cols and Rows are the size of its window, or 0.
	Cols, Rows uint16
}

// Placement tells a client where its replay begins. Reset says that this is
// not where the client had stopped: it must clear its screen.
type Placement struct {
	Offset     int64
	Reset      bool
	Cols, Rows uint16
}

// Attach adds a client. Viewers never slow the program down, clients that sleep
// only for MaxHold; they are moved on when they fall out of the ring.
func (s *Session) Attach(c Client) (*Attachment, Placement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &Attachment{
		session: s, view: c.View, name: c.Name, cursor: s.ring.Start(), inputs: s.inputs, changed: make(chan struct{}, 1),
	}
	known := c.Since >= s.ring.Start() && c.Since <= s.ring.End()
	if known {
		a.cursor = c.Since
	}
	s.attached[a] = struct{}{}
	if s.away != nil {
		s.away.Stop()
	}
	if !a.view && c.Cols > 0 && c.Rows > 0 {
		a.cols, a.rows = c.Cols, c.Rows
		s.lead(a)
	}
	s.tellPeople()
	a.wake()
	return a, a.placement(!known)
}

func (a *Attachment) placement(reset bool) Placement {
	return Placement{Offset: a.cursor, Reset: reset, Cols: a.session.cols, Rows: a.session.rows}
}

// Detach removes the client; the session lives on.
func (a *Attachment) Detach() {
	a.session.mu.Lock()
	defer a.session.mu.Unlock()
	if _, there := a.session.attached[a]; there {
		delete(a.session.attached, a)
		a.session.drained.Broadcast()
		a.session.left(a)
	}
}

// Input types bytes for the program, see Session.Input. Viewers type nothing.
func (a *Attachment) Input(ctx context.Context, p []byte) error {
	if a.view || len(p) == 0 {
		return nil
	}
	a.session.mu.Lock()
	a.session.lead(a)
	a.session.mu.Unlock()
	return a.session.Input(ctx, p)
}

// Resize says how large the client's window is now. Viewers change nothing.
func (a *Attachment) Resize(cols, rows uint16) {
	if a.view {
		return
	}
	a.session.mu.Lock()
	defer a.session.mu.Unlock()
	a.cols, a.rows = cols, rows
	a.session.lead(a)
}

// Changed receives after new output or the end of the session.
func (a *Attachment) Changed() <-chan struct{} { return a.changed }

func (a *Attachment) wake() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// Read copies the next unread output into buf without blocking. A client that
// fell out of the ring gets the place where it goes on instead.
func (a *Attachment) Read(buf []byte) (n int, moved *Placement) {
	s := a.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.cursor < s.ring.Start() {
		a.cursor = s.ring.Start()
		place := a.placement(true)
		return 0, &place
	}
	before := s.ring.End() - a.cursor
	n = s.ring.ReadAt(buf, a.cursor)
	a.cursor += int64(n)
	if before > s.lag && before-int64(n) <= s.lag {
		a.behind = time.Time{}
		s.drained.Broadcast()
	}
	return n, nil
}

// Pending tells how many bytes are unread, and whether somebody typed since
// the last call: output after input is an echo that must not wait.
func (a *Attachment) Pending() (bytes int64, typed bool) {
	s := a.session
	s.mu.Lock()
	defer s.mu.Unlock()
	typed = a.inputs != s.inputs
	a.inputs = s.inputs
	return s.ring.End() - a.cursor, typed
}

// Exited tells how the shell ended, once this client has read all of its output.
func (a *Attachment) Exited() (exit reaper.Exit, ended bool) {
	s := a.session
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exit, s.ended && a.cursor == s.ring.End()
}
