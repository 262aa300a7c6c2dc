// SPDX-License-Identifier: Apache-2.0

// Package job installs the agent of a sandbox: one installation at a time,
// which goes on whoever asked for it goes away, and whose end is remembered.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/eventlog"
	"github.com/agenttier/agenttier/images/runtime/internal/program"
)

const (
	// DefaultTimeout is how long an installation may take.
	DefaultTimeout = 15 * time.Minute
	// MaxLog is how many bytes of the log are kept, from its end.
	MaxLog = 64 << 10

	marker     = "AGENTTIER_INSTALL_ID"
	eventLimit = 1 << 20
)

// ErrInvalid says that a request is wrong in itself.
var ErrInvalid = errors.New("the request is invalid")

// Running says that another installation is under way.
type Running struct{ ID string }

func (r Running) Error() string { return "another installation is running: " + r.ID }

// Spec is one installation; ID names what it comes from, so that asking again
// for the same does nothing. Without a command there are only files.
type Spec struct {
	ID             string            `json:"id"`
	Command        []string          `json:"command"`
	WorkingDir     string            `json:"workingDir"`
	Env            map[string]string `json:"env"`
	Files          []File            `json:"files"`
	TimeoutSeconds int64             `json:"timeoutSeconds"`
}

// States of an installation.
const (
	StateNone    = "none"
	StateRunning = "running"
	StateDone    = "done"
)

// State is an installation as it stands. ExitCode is -1 when the command could
// not be started, ran out of time or was cancelled; Reason says which.
type State struct {
	ID         string `json:"id,omitempty"`
	State      string `json:"state"`
	ExitCode   int    `json:"exitCode"`
	Reason     string `json:"reason,omitempty"`
	Log        string `json:"log"`
	BytesTotal int64  `json:"bytesTotal"`
	Truncated  bool   `json:"logTruncated"`
	DurationMs int64  `json:"durationMs"`
}

// Manager runs the installations of one sandbox.
type Manager struct {
	Workdir string
	Env     func() []string
	// Began is called when an installation begins; what it returns, when it ends.
	Began func() (ended func())

	mu      sync.Mutex
	current *job
}

type job struct {
	spec   Spec
	began  time.Time
	cancel context.CancelFunc
	log    tail
	events eventlog.Log
	// Two streams print at the same time.
	whole   *wholeLog
	printMu sync.Mutex
	done    chan struct{}
	// Valid when done is closed.
	code     int
	reason   string
	duration time.Duration
}

// Start begins an installation unless it is the present one, running or ended.
// started is false then. Fails with Running or Missing.
func (m *Manager) Start(spec Spec) (started bool, err error) {
	if err := spec.validate(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil && m.current.spec.ID == spec.ID {
		return false, nil
	}
	if m.current != nil && !m.current.ended() {
		return false, Running{ID: m.current.spec.ID}
	}
	if err := place(m.Workdir, spec.Files); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeoutOf(spec))
	j := &job{
		spec: spec, began: time.Now(), cancel: cancel, done: make(chan struct{}),
		log: tail{limit: MaxLog}, events: eventlog.Log{Limit: eventLimit, Lossy: true}, whole: openLog(m.Workdir),
	}
	m.current = j
	ended := func() {}
	if m.Began != nil {
		ended = m.Began()
	}
	go func() {
		defer cancel()
		j.run(ctx, m.Workdir, m.Env())
		ended()
	}()
	return true, nil
}

func (s Spec) validate() error {
	if s.ID == "" || strings.ContainsRune(s.ID, 0) {
		return fmt.Errorf("%w: id: must not be empty", ErrInvalid)
	}
	for _, file := range s.Files {
		if !filepath.IsAbs(file.Path) || filepath.Clean(file.Path) != file.Path {
			return fmt.Errorf("%w: files: %s must be absolute and clean", ErrInvalid, file.Path)
		}
	}
	return nil
}

func timeoutOf(spec Spec) time.Duration {
	if spec.TimeoutSeconds > 0 {
		return time.Duration(spec.TimeoutSeconds) * time.Second
	}
	return DefaultTimeout
}

// Cancel ends the installation of an id, if it runs, and waits for its end.
func (m *Manager) Cancel(id string) bool {
	j := m.present()
	if j == nil || j.spec.ID != id || j.ended() {
		return false
	}
	j.cancel()
	<-j.done
	return true
}

// Wait returns the state of the present installation: at once, or when it has
// ended or ctx is over.
func (m *Manager) Wait(ctx context.Context) State {
	j := m.present()
	if j == nil {
		return State{State: StateNone}
	}
	select {
	case <-j.done:
	case <-ctx.Done():
	}
	return j.state()
}

// Events returns what the present installation prints, and its id.
func (m *Manager) Events() (log *eventlog.Log, id string) {
	if j := m.present(); j != nil {
		return &j.events, j.spec.ID
	}
	return nil, ""
}

// Blocked says why the agent cannot be used, or "".
func (m *Manager) Blocked() string {
	j := m.present()
	switch {
	case j == nil:
		return ""
	case !j.ended():
		return "the installation is running"
	case j.code != 0:
		return fmt.Sprintf("the installation failed with exit code %d", j.code)
	}
	return ""
}

func (m *Manager) present() *job {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

func (j *job) run(ctx context.Context, workdir string, env []string) {
	code, reason := 0, "completed"
	if len(j.spec.Command) > 0 {
		var err error
		code, err = program.Run(ctx, j.program(workdir, env), j.line)
		switch {
		case err != nil:
			code, reason = -1, "error"
			j.line(program.Stderr, "[runtime] "+err.Error())
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			code, reason = -1, "timeout"
			j.line(program.Stderr, "[runtime] the installation took longer than "+timeoutOf(j.spec).String())
		case ctx.Err() != nil:
			code, reason = -1, "canceled"
		}
	}
	j.whole.close()
	j.code, j.reason, j.duration = code, reason, time.Since(j.began)
	j.event("exit", map[string]any{"exitCode": code, "reason": reason})
	j.events.Close()
	close(j.done)
}

func (j *job) program(workdir string, env []string) program.Spec {
	env = childenv.SetAll(env, j.spec.Env)
	dir := childenv.Dir(workdir, j.spec.WorkingDir)
	return program.Spec{Argv: j.spec.Command, Dir: dir, Env: env, Marker: marker, ID: j.spec.ID}
}

func (j *job) line(stream, line string) {
	j.printMu.Lock()
	defer j.printMu.Unlock()
	j.log.add(line)
	j.whole.add(line)
	j.event("log", map[string]any{"stream": stream, "data": line})
}

func (j *job) event(name string, data any) {
	text, _ := json.Marshal(data)
	j.events.Append(context.Background(), name, text)
}

func (j *job) state() State {
	s := State{ID: j.spec.ID, State: StateRunning, DurationMs: time.Since(j.began).Milliseconds()}
	if j.ended() {
		s.State, s.ExitCode, s.Reason, s.DurationMs = StateDone, j.code, j.reason, j.duration.Milliseconds()
	}
	s.Log, s.BytesTotal, s.Truncated = j.log.read()
	return s
}
