// SPDX-License-Identifier: Apache-2.0

// Package session runs shells on terminals that belong to the runtime, not to
// a connection: clients attach and detach while the shell lives on.
package session

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/altscreen"
	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
	"github.com/agenttier/agenttier/images/runtime/internal/ring"
)

const (
	// RingSize is how much output a session keeps for replay, unless Settings say
	// otherwise; SmallestRing is the least that they can say.
	RingSize     = 2 << 20
	SmallestRing = 256 << 10
	// MaxLag is how far a controlling client may fall behind before the program
	// in the terminal is held up; half of the ring, where that is smaller.
	MaxLag = 1 << 20
	// MaxHold is how long one client may hold the program up while another
	// controlling client keeps pace. After that it is moved on like a viewer.
	MaxHold = time.Second
	// readSize is more than the kernel's terminal buffer gives at once.
	readSize = 64 << 10
	// inputPiece and inputPieces bound the input that waits for the program.
	inputPiece  = 32 << 10
	inputPieces = 64
	// drainTime and drainSize bound what is still read of a terminal after its
	// shell has ended, while something else holds it open.
	drainTime = 40 * time.Millisecond
	drainSize = 128 << 10
	// killDelay is how long a shell that is told to hang up may take.
	killDelay = 2 * time.Second
)

// ErrEnded says that the shell has ended.
var ErrEnded = errors.New("the session has ended")

// Session is one shell on one terminal.
type Session struct {
	name    string
	created time.Time
	child   *reaper.Child
	control *os.File
	input   chan []byte
	turn    sync.Mutex
	touch   func()
	filter  *altscreen.Filter // nil: the alternate screen is left to the program
	lag     int64
	ttl     time.Duration

	mu         sync.Mutex
	drained    sync.Cond
	ring       *ring.Ring
	attached   map[*Attachment]struct{}
	cols, rows uint16
	// leader is the controlling client that was active last: its size is the
	// terminal's. turns orders the others, should it leave.
	leader     *Attachment
	turns      uint64
	away       *time.Timer
	lastInput  time.Time
	lastOutput time.Time
	inputs     uint64
	ended      bool
	exit       reaper.Exit
}

// Info describes a session to clients.
type Info struct {
	Name         string     `json:"name"`
	Pid          int        `json:"pid"`
	Cols         uint16     `json:"cols"`
	Rows         uint16     `json:"rows"`
	Clients      int        `json:"clients"`
	Viewers      int        `json:"viewers"`
	CreatedAt    time.Time  `json:"createdAt"`
	LastInputAt  *time.Time `json:"lastInputAt"`
	LastOutputAt *time.Time `json:"lastOutputAt"`
	ExitCode     *int       `json:"exitCode"`
}

// launch starts the shell on a new terminal and the two goroutines that move
// its bytes. base is the position of the first byte it will print.
func launch(name string, plan plan, base int64) (*Session, error) {
	control, terminal, err := openTerminal(plan.cols, plan.rows)
	if err != nil {
		return nil, err
	}
	child, err := reaper.Start(plan.shell, []string{plan.shell}, &os.ProcAttr{
		Dir:   plan.folder,
		Env:   plan.env,
		Files: []*os.File{terminal, terminal, terminal},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0},
	})
	_ = terminal.Close()
	if err != nil {
		_ = control.Close()
		return nil, err
	}
	s := &Session{
		name: name, created: time.Now(), child: child, control: control,
		input: make(chan []byte, inputPieces), touch: plan.touch, ring: ring.New(plan.scrollback, base),
		attached: map[*Attachment]struct{}{}, cols: plan.cols, rows: plan.rows,
		lag: int64(min(MaxLag, plan.scrollback/2)), ttl: plan.ttl,
	}
	if !plan.keepScreen {
		s.filter = &altscreen.Filter{}
	}
	s.drained.L = &s.mu
	output := make(chan struct{})
	go s.pumpOutput(output)
	go s.pumpInput()
	go s.finish(output)
	return s, nil
}

// pumpOutput moves what the program prints into the ring, until the terminal
// closes or finish interrupts it. It stops reading, and so in time the program,
// while a controlling client is too far behind (see held).
func (s *Session) pumpOutput(done chan<- struct{}) {
	defer close(done)
	buf := make([]byte, readSize)
	for {
		n, err := s.control.Read(buf)
		s.publish(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.drain(buf)
			return
		}
		if err != nil {
			return
		}
	}
}

// drain reads what the ended shell has left in the kernel's buffer. Nearly
// always the terminal is closed by then and the read after the last byte fails
// at once; the limits are for a background job that still has it open. Time in
// which a slow client holds us up does not count.
func (s *Session) drain(buf []byte) {
	deadline := time.Now().Add(drainTime)
	for total := 0; total < drainSize; {
		_ = s.control.SetReadDeadline(deadline)
		n, err := s.control.Read(buf)
		read := time.Now()
		s.publish(buf[:n])
		if err != nil {
			return
		}
		total += n
		deadline = deadline.Add(time.Since(read))
	}
}

func (s *Session) publish(p []byte) {
	if s.filter != nil {
		p = s.filter.Next(p)
	}
	s.append(p)
}

func (s *Session) append(p []byte) {
	if len(p) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.held(time.Now()) {
		again := time.AfterFunc(MaxHold/4, s.drained.Broadcast)
		s.drained.Wait()
		again.Stop()
	}
	s.ring.Write(p)
	s.lastOutput = time.Now()
	// Those who only look on use nothing.
	if len(s.attached) > s.viewers() {
		s.touch()
	}
	for a := range s.attached {
		a.wake()
	}
}

// held tells whether the program must wait for a client. Viewers do not count,
// nor does a client that has been behind for long while another keeps pace:
// who only looks on or sleeps must not hold up the others.
func (s *Session) held(now time.Time) bool {
	behind, fresh, keepsPace := false, false, false
	for a := range s.attached {
		if a.view {
			continue
		}
		if s.ring.End()-a.cursor <= s.lag {
			keepsPace = true
			continue
		}
		if a.behind.IsZero() {
			a.behind = now
		}
		behind, fresh = true, fresh || now.Sub(a.behind) < MaxHold
	}
	return behind && (fresh || !keepsPace)
}

func (s *Session) pumpInput() {
	for {
		select {
		case p := <-s.input:
			if _, err := s.control.Write(p); err != nil {
				return
			}
		case <-s.child.Done():
			return
		}
	}
}

// finish waits for the shell, lets its last output arrive, and tells everybody.
func (s *Session) finish(output <-chan struct{}) {
	exit := s.child.Wait()
	_ = s.control.SetReadDeadline(time.Now())
	<-output
	if s.filter != nil {
		s.append(s.filter.Rest())
	}
	s.mu.Lock()
	s.ended, s.exit = true, exit
	for a := range s.attached {
		a.wake()
	}
	s.mu.Unlock()
	_ = s.control.Close()
}

// Input queues bytes for the program, whole and in order, and blocks while too
// much waits already. It fails when ctx or the session ends.
func (s *Session) Input(ctx context.Context, p []byte) error {
	select {
	case <-s.child.Done():
		return ErrEnded
	default:
	}
	s.mu.Lock()
	s.lastInput = time.Now()
	s.inputs++
	s.mu.Unlock()
	s.touch()
	s.turn.Lock()
	defer s.turn.Unlock()
	for len(p) > 0 {
		n := min(len(p), inputPiece)
		select {
		case s.input <- p[:n]:
			p = p[n:]
		case <-ctx.Done():
			return ctx.Err()
		case <-s.child.Done():
			return ErrEnded
		}
	}
	return nil
}

// hangUp ends the shell and its jobs as a closed terminal would, and for good
// when they do not heed it.
func (s *Session) hangUp() {
	s.child.SignalTree(syscall.SIGHUP)
	s.child.SignalTree(syscall.SIGCONT)
	timer := time.AfterFunc(killDelay, func() { s.child.SignalTree(syscall.SIGKILL) })
	go func() {
		<-s.child.Done()
		timer.Stop()
	}()
}

func (s *Session) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// covers tells whether the output from since on is still held.
func (s *Session) covers(since int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return since >= s.ring.Start() && since <= s.ring.End()
}

func (s *Session) end() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ring.End()
}

func (s *Session) info() Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	info := Info{
		Name: s.name, Pid: s.child.Pid, Cols: s.cols, Rows: s.rows, Clients: len(s.attached),
		Viewers: s.viewers(), CreatedAt: s.created.UTC(), LastInputAt: instant(s.lastInput), LastOutputAt: instant(s.lastOutput),
	}
	if s.ended {
		info.ExitCode = &s.exit.Code
	}
	return info
}

func (s *Session) viewers() int {
	count := 0
	for a := range s.attached {
		if a.view {
			count++
		}
	}
	return count
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}
