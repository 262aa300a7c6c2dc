// SPDX-License-Identifier: Apache-2.0

// Package detached runs commands for which nobody waits, and keeps what they
// printed for whoever asks later.
package detached

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/execute"
)

const (
	// DefaultTimeout and MaxTimeout are longer than those of a command for which
	// somebody holds a connection open.
	DefaultTimeout = execute.MaxTimeout
	MaxTimeout     = 24 * time.Hour
	// MaxOutput is how much of each stream is kept at most.
	MaxOutput = 1 << 20
	// MaxRunning is how many may run at the same time.
	MaxRunning = 32
	// maxEnded and maxEndedBytes bound the results that are kept; the oldest go.
	maxEnded      = 64
	maxEndedBytes = 16 << 20
)

// ErrBusy says that too many are running.
var ErrBusy = errors.New("32 detached commands are running already; end one, or wait")

// Manager holds them. The zero value is ready.
type Manager struct {
	mu   sync.Mutex
	runs []*Run // oldest first
}

// Run is one command. Output and result may be looked at while it runs.
type Run struct {
	ID      string
	Began   time.Time
	cancel  context.CancelFunc
	ended   chan struct{}
	mu      sync.Mutex
	streams [2]execute.Buffer
	result  execute.Result
}

// State is a look at a run. Result has the output so far, and the rest only
// when Running is false.
type State struct {
	Running bool
	Result  execute.Result
}

// Start begins the command. done is called when it has ended.
func (m *Manager) Start(command execute.Command, done func()) (*Run, error) {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	ctx, cancel := context.WithCancel(context.Background())
	run := &Run{ID: hex.EncodeToString(id), Began: time.Now(), cancel: cancel, ended: make(chan struct{})}
	run.streams[0].Limit, run.streams[1].Limit = capped(command.StdoutLimit), capped(command.StderrLimit)
	command.Output = run.take
	if !m.add(run) {
		cancel()
		return nil, ErrBusy
	}
	go func() {
		result := execute.Run(ctx, command)
		cancel()
		run.end(result)
		done()
		m.trim()
	}()
	return run, nil
}

func capped(limit int) int {
	if limit == 0 {
		return MaxOutput
	}
	return min(limit, MaxOutput)
}

func (m *Manager) add(run *Run) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	running := 0
	for _, other := range m.runs {
		if other.running() {
			running++
		}
	}
	if running >= MaxRunning {
		return false
	}
	m.runs = append(m.runs, run)
	return true
}

// Find gives the run of an id, or nil.
func (m *Manager) Find(id string) *Run {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, run := range m.runs {
		if run.ID == id {
			return run
		}
	}
	return nil
}

// Remove ends the run with everything that it started, if it has not ended, and
// forgets it.
func (m *Manager) Remove(id string) bool {
	run := m.Find(id)
	if run == nil {
		return false
	}
	run.cancel()
	<-run.ended
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs = slices.DeleteFunc(m.runs, func(r *Run) bool { return r == run })
	return true
}

// trim forgets the oldest results beyond what is kept.
func (m *Manager) trim() {
	m.mu.Lock()
	defer m.mu.Unlock()
	count, bytes := 0, 0
	for i := len(m.runs) - 1; i >= 0; i-- {
		if m.runs[i].running() {
			continue
		}
		count++
		bytes += m.runs[i].size()
		if count > maxEnded || bytes > maxEndedBytes {
			m.runs = slices.Delete(m.runs, i, i+1)
		}
	}
}

// Wait returns the state when the run has ended, or ctx.
func (r *Run) Wait(ctx context.Context) State {
	select {
	case <-r.ended:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	state := State{Running: r.running(), Result: r.result}
	if state.Running {
		state.Result.Duration = time.Since(r.Began)
	}
	state.Result.Stdout, state.Result.Stderr = r.streams[0].Text(), append(r.streams[1].Text(), r.result.Stderr...)
	state.Result.Truncated = r.streams[0].Cut || r.streams[1].Cut
	return state
}

func (r *Run) take(stream string, part []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stream == execute.Stdout {
		r.streams[0].Add(part)
	} else {
		r.streams[1].Add(part)
	}
}

// end takes the result; its own stderr says why a command could not start.
func (r *Run) end(result execute.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result = result
	close(r.ended)
}

func (r *Run) running() bool {
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

func (r *Run) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.streams[0].Kept) + len(r.streams[1].Kept)
}
