// SPDX-License-Identifier: Apache-2.0

package invoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/eventlog"
	"github.com/agenttier/agenttier/images/runtime/internal/program"
)

// marker is the variable by which everything that an invocation starts is known.
const marker = "AGENTTIER_INVOKE_ID"

const (
	// eventLimit is how many bytes of events may wait for a reader.
	eventLimit = 1 << 20
	// resumeLimit is how many bytes are kept for a reader who may come back. What
	// was written to a connection may be far from having arrived: the buffers of
	// the kernels on the way to the client hold several MiB.
	resumeLimit = 16 << 20
)

// How an invocation ended.
const (
	Completed = "completed"
	TimedOut  = "timeout"
	Canceled  = "canceled"
	Failed    = "error"
)

var (
	errTimeout = errors.New("timeout")
	errCancel  = errors.New("canceled")
)

// Request is one invocation. Actor is a digest of the person who asks, to tell
// later who may cancel.
type Request struct {
	ID      string
	Actor   string
	Prompt  string
	Body    []byte
	Timeout time.Duration
	// Linger is how long the invocation goes on when nobody reads its events.
	Linger time.Duration
}

// Invocation is one run of the agent.
type Invocation struct {
	id       string
	actor    string
	settings Settings
	request  Request
	began    time.Time
	log      eventlog.Log
	ctx      context.Context
	cancel   context.CancelCauseFunc
	done     chan struct{}

	mu      sync.Mutex
	readers int
	linger  *time.Timer
	reason  string
}

// Summary is an invocation as lists show it.
type Summary struct {
	ID        string `json:"invokeId"`
	StartedAt int64  `json:"startedAt"`
	// Reason is empty while it runs.
	Reason string `json:"reason,omitempty"`
}

// NewID makes an id that nobody can guess.
func NewID() string {
	var random [12]byte
	_, _ = rand.Read(random[:])
	return "inv-" + hex.EncodeToString(random[:])
}

var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidID is whether a caller may give an invocation this id.
func ValidID(id string) bool { return validID.MatchString(id) }

func newInvocation(s Settings, r Request) *Invocation {
	if r.ID == "" {
		r.ID = NewID()
	}
	run := &Invocation{
		id: r.ID, actor: r.Actor, settings: s, request: r, began: time.Now(), done: make(chan struct{}),
		log: eventlog.Log{Limit: eventLimit},
	}
	if r.Linger > 0 {
		run.log.Keep = resumeLimit
	}
	run.ctx, run.cancel = context.WithCancelCause(context.Background())
	return run
}

// ID names the invocation.
func (i *Invocation) ID() string { return i.id }

// Actor is who began it.
func (i *Invocation) Actor() string { return i.actor }

// Done is closed when it has ended with everything that it started.
func (i *Invocation) Done() <-chan struct{} { return i.done }

// Summary describes it.
func (i *Invocation) Summary() Summary {
	i.mu.Lock()
	defer i.mu.Unlock()
	return Summary{ID: i.id, StartedAt: i.began.UnixMilli(), Reason: i.reason}
}

// Cancel ends it; false when it has ended already.
func (i *Invocation) Cancel() bool {
	select {
	case <-i.done:
		return false
	default:
		i.cancel(errCancel)
		return true
	}
}

// Events returns what happened after the event with an id; see eventlog.
func (i *Invocation) Events(ctx context.Context, after int64) ([]eventlog.Event, int64, error) {
	return i.log.Next(ctx, after)
}

// Delivered tells that a reader has got everything up to an id.
func (i *Invocation) Delivered(id int64) { i.log.Delivered(id) }

// Attach counts a reader until the returned function is called, and says how
// many there are now. When the last one has gone, the invocation is cancelled
// after its linger time.
func (i *Invocation) Attach() (readers int, detach func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.readers++
	if i.linger != nil {
		i.linger.Stop()
		i.linger = nil
	}
	return i.readers, sync.OnceFunc(i.detach)
}

func (i *Invocation) detach() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.readers--
	if i.readers == 0 {
		i.linger = time.AfterFunc(i.request.Linger, func() { i.Cancel() })
	}
}

func (i *Invocation) announce() {
	i.event(i.ctx, "start", map[string]any{"invokeId": i.id, "startedAt": i.began.UnixMilli()})
}

// run waits until the program has ended and says how.
func (i *Invocation) run(workdir string, env []string) {
	ctx, over := context.WithTimeoutCause(i.ctx, i.settings.timeout(i.request.Timeout), errTimeout)
	defer over()
	code, err := program.Run(ctx, i.spec(workdir, env), func(stream, line string) {
		i.event(ctx, "log", map[string]any{"stream": stream, "data": line})
	})
	i.request.Body = nil
	reason := reasonOf(ctx, err)
	if reason != Completed {
		code = -1
	}
	if err != nil {
		i.event(ctx, "log", map[string]any{"stream": program.Stderr, "data": "[runtime] " + err.Error()})
	}
	i.mu.Lock()
	i.reason = reason
	if i.linger != nil {
		i.linger.Stop()
	}
	i.mu.Unlock()
	// What is said about the end waits for no reader.
	i.cancel(nil)
	i.event(i.ctx, "exit", map[string]any{
		"invokeId": i.id, "exitCode": code, "durationMs": time.Since(i.began).Milliseconds(), "reason": reason,
	})
	i.log.Close()
	close(i.done)
}

func reasonOf(ctx context.Context, err error) string {
	switch cause := context.Cause(ctx); {
	case err != nil:
		return Failed
	case errors.Is(cause, errTimeout):
		return TimedOut
	case cause != nil:
		return Canceled
	}
	return Completed
}

func (i *Invocation) spec(workdir string, env []string) program.Spec {
	env = childenv.SetAll(env, i.settings.Env)
	dir := childenv.Dir(workdir, i.settings.WorkingDir)
	argv, body := append([]string(nil), i.settings.Entrypoint...), i.request.Body
	if i.request.Prompt != "" {
		argv = append(argv, "--prompt="+i.request.Prompt)
		if len(body) == 0 {
			body = []byte(i.request.Prompt)
		}
	}
	return program.Spec{Argv: argv, Dir: dir, Env: env, Stdin: body, Marker: marker, ID: i.id}
}

func (i *Invocation) event(ctx context.Context, name string, data any) {
	i.log.Append(ctx, name, encode(data))
}

// encode writes one line of JSON; bytes that are no characters are replaced.
func encode(data any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(data)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
