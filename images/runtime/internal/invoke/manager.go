// SPDX-License-Identifier: Apache-2.0

// Package invoke runs the agent of a sandbox, once per invocation. It owns the
// table of invocations and their cap: whoever asks, from wherever, asks here.
package invoke

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Reasons why an invocation does not begin.
var (
	ErrNotConfigured = errors.New("the agent has no entrypoint yet: configure it first")
	ErrDraining      = errors.New("the sandbox is stopping")
	ErrExists        = errors.New("an invocation of this id exists")
)

// Busy says that the cap is reached.
type Busy struct{ Limit, Inflight int }

func (b Busy) Error() string {
	return fmt.Sprintf("%d of %d invocations are running; try again when one has ended", b.Inflight, b.Limit)
}

const (
	// keepFor is how long the events of an ended invocation can be read again.
	keepFor = 2 * time.Minute
	// keepMost and keepBytes bound how many ended invocations are kept.
	keepMost  = 32
	keepBytes = 24 << 20
)

// Manager holds the invocations of one sandbox.
type Manager struct {
	Workdir string
	Env     func() []string
	// Began is called when an invocation begins; what it returns, when it ends.
	Began func() (ended func())
	// Blocked says why the agent cannot be invoked at present, or "".
	Blocked func() string

	mu       sync.Mutex
	settings *Settings
	inflight int
	draining bool
	runs     map[string]*Invocation
	ended    []*Invocation
	idle     chan struct{}
}

// Configure replaces the settings; invocations that run keep theirs.
func (m *Manager) Configure(s Settings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settings = &s
}

// State is what a look from outside shows.
type State struct {
	Hash     string    `json:"hash"`
	Limit    int       `json:"limit"`
	Inflight int       `json:"inflight"`
	Draining bool      `json:"draining"`
	Invokes  []Summary `json:"invokes"`
}

// State lists the settings' hash, the cap and every invocation that is known.
func (m *Manager) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := State{Inflight: m.inflight, Draining: m.draining, Invokes: []Summary{}}
	if m.settings != nil {
		s.Hash, s.Limit = m.settings.Hash, m.settings.MaxConcurrent
	}
	for _, run := range m.runs {
		s.Invokes = append(s.Invokes, run.Summary())
	}
	return s
}

// Slot is the right to run one invocation.
type Slot struct {
	m        *Manager
	settings Settings
	once     sync.Once
}

// Reserve takes a slot, before anything of a request is read. Exactly one of
// Start and Release must follow.
func (m *Manager) Reserve() (*Slot, error) {
	blocked := ""
	if m.Blocked != nil {
		blocked = m.Blocked()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.draining:
		return nil, ErrDraining
	case m.settings == nil || len(m.settings.Entrypoint) == 0:
		return nil, ErrNotConfigured
	case blocked != "":
		return nil, fmt.Errorf("%w: %s", ErrNotConfigured, blocked)
	case m.settings.MaxConcurrent > 0 && m.inflight >= m.settings.MaxConcurrent:
		return nil, Busy{Limit: m.settings.MaxConcurrent, Inflight: m.inflight}
	}
	m.inflight++
	return &Slot{m: m, settings: *m.settings}, nil
}

// Release gives an unused slot back.
func (s *Slot) Release() { s.once.Do(s.m.release) }

func (m *Manager) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inflight--
	if m.inflight == 0 && m.idle != nil {
		close(m.idle)
		m.idle = nil
	}
}

// Start runs an invocation in the slot. It has begun when this returns, and
// goes on when nobody reads its events for as long as Request.Linger.
func (s *Slot) Start(r Request) (*Invocation, error) {
	run := newInvocation(s.settings, r)
	if err := s.m.add(run); err != nil {
		s.Release()
		return nil, err
	}
	ended := func() {}
	if s.m.Began != nil {
		ended = s.m.Began()
	}
	run.announce()
	go func() {
		run.run(s.m.Workdir, s.m.Env())
		ended()
		s.m.retire(run)
		s.Release()
	}()
	return run, nil
}

func (m *Manager) add(run *Invocation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs == nil {
		m.runs = map[string]*Invocation{}
	}
	if m.runs[run.id] != nil {
		return ErrExists
	}
	m.runs[run.id] = run
	return nil
}

// retire keeps an ended invocation for a while, for readers that come back.
func (m *Manager) retire(run *Invocation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = append(m.ended, run)
	for len(m.ended) > 1 && (len(m.ended) > keepMost || sizeOf(m.ended) > keepBytes) {
		delete(m.runs, m.ended[0].id)
		m.ended = m.ended[1:]
	}
	time.AfterFunc(keepFor, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.runs[run.id] == run {
			delete(m.runs, run.id)
		}
		for i, one := range m.ended {
			if one == run {
				m.ended = append(m.ended[:i], m.ended[i+1:]...)
				break
			}
		}
	})
}

func sizeOf(runs []*Invocation) (bytes int) {
	for _, run := range runs {
		bytes += run.log.Size()
	}
	return bytes
}

// Find returns a running or lately ended invocation, or nil.
func (m *Manager) Find(id string) *Invocation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runs[id]
}

// Drain refuses new invocations, waits until the present ones have ended or ctx
// is over, and cancels what is left then.
func (m *Manager) Drain(ctx context.Context) {
	idle := m.stopTaking()
	select {
	case <-idle:
		return
	case <-ctx.Done():
	}
	m.mu.Lock()
	for _, run := range m.runs {
		run.Cancel()
	}
	m.mu.Unlock()
	select {
	case <-idle:
	case <-time.After(2 * time.Second):
	}
}

func (m *Manager) stopTaking() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.draining = true
	idle := make(chan struct{})
	if m.inflight == 0 {
		close(idle)
		return idle
	}
	m.idle = idle
	return idle
}
