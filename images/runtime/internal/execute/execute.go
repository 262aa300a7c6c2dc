// SPDX-License-Identifier: Apache-2.0

// Package execute runs one command to its end and collects what it prints.
package execute

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
)

const (
	// DefaultTimeout applies when a command names none.
	DefaultTimeout = 60 * time.Second
	// MaxTimeout is the longest a command may run.
	MaxTimeout = 30 * time.Minute
	// MaxOutput is how many bytes of each stream are kept.
	MaxOutput = 8 << 20
	// pipeGrace is how long the output of a finished command may still arrive
	// while something that it started holds the pipe open.
	pipeGrace = 150 * time.Millisecond
	// lateLimit bounds what is taken after the end from something that floods.
	lateLimit = 1 << 20
)

// The streams of a command.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Command is one program run; Env is complete, Dir absolute.
type Command struct {
	Argv    []string
	Dir     string
	Env     []string
	Stdin   string
	Timeout time.Duration
	// StdoutLimit and StderrLimit are how much is kept; 0 = MaxOutput.
	StdoutLimit, StderrLimit int
	// Output takes the output while it comes, from one goroutine for each stream
	// and never after Run has returned; nothing is kept then. It may take its
	// time: the command waits.
	Output func(stream string, part []byte)
}

// Result is how the command ended. ExitCode is -1 when it could not start or
// ran out of time, 128 + n when signal n ended it.
type Result struct {
	ExitCode  int
	Stdout    []byte
	Stderr    []byte
	Duration  time.Duration
	TimedOut  bool
	Truncated bool
}

// Run starts the command in a session of its own and waits for it. When the
// time is over or ctx ends, the whole session is killed. Processes that the
// command leaves behind live on, but nobody waits for them.
func Run(ctx context.Context, command Command) Result {
	began := time.Now()
	streams, err := openStreams(command.Stdin)
	if err != nil {
		return notStarted(err, began)
	}
	child, err := start(command, streams)
	streams.closeChildEnds()
	if err != nil {
		streams.abandon()
		return notStarted(err, began)
	}
	kept := [2]Buffer{{Limit: limitOr(command.StdoutLimit)}, {Limit: limitOr(command.StderrLimit)}}
	stdout := collect(streams.stdout[0], command.taker(Stdout, &kept[0]))
	stderr := collect(streams.stderr[0], command.taker(Stderr, &kept[1]))
	streams.feed(command.Stdin)
	timedOut := await(ctx, child, command.Timeout)
	exit := child.Wait()
	closeEnd(streams.stdin[1])
	result := Result{ExitCode: exit.Code, TimedOut: timedOut}
	if timedOut {
		result.ExitCode = -1
	}
	stdout.settle()
	stderr.settle()
	result.Stdout, result.Stderr = kept[0].Text(), kept[1].Text()
	result.Truncated = kept[0].Cut || kept[1].Cut
	result.Duration = time.Since(began)
	return result
}

func limitOr(limit int) int {
	if limit == 0 {
		return MaxOutput
	}
	return limit
}

func (c Command) taker(stream string, kept *Buffer) func([]byte) {
	if c.Output == nil {
		return kept.Add
	}
	return func(part []byte) { c.Output(stream, part) }
}

func notStarted(err error, began time.Time) Result {
	text := fmt.Sprintf("[runtime] %v\n", err)
	return Result{ExitCode: -1, Stderr: []byte(text), Duration: time.Since(began)}
}

func start(command Command, s *streams) (*reaper.Child, error) {
	path, err := childenv.LookPath(command.Argv[0], command.Dir, command.Env)
	if err != nil {
		return nil, err
	}
	return reaper.Start(path, command.Argv, &os.ProcAttr{
		Dir:   command.Dir,
		Env:   childenv.Set(command.Env, "PWD", command.Dir),
		Files: []*os.File{s.stdin[0], s.stdout[1], s.stderr[1]},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

func await(ctx context.Context, child *reaper.Child, timeout time.Duration) (timedOut bool) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-child.Done():
	case <-timer.C:
		timedOut = true
		child.SignalTree(syscall.SIGKILL)
	case <-ctx.Done():
		child.SignalTree(syscall.SIGKILL)
	}
	return timedOut
}

// streams are the three pipes: index 0 is read from, 1 written to.
type streams struct {
	stdin, stdout, stderr [2]*os.File
}

func openStreams(stdin string) (*streams, error) {
	s := &streams{}
	var err error
	if stdin == "" {
		s.stdin[0], err = os.Open(os.DevNull)
	} else {
		s.stdin[0], s.stdin[1], err = os.Pipe()
	}
	if err == nil {
		s.stdout[0], s.stdout[1], err = os.Pipe()
	}
	if err == nil {
		s.stderr[0], s.stderr[1], err = os.Pipe()
	}
	if err != nil {
		s.closeChildEnds()
		s.abandon()
		return nil, err
	}
	return s, nil
}

// feed writes the input in the background. Run closes the pipe when the
// command has ended, which also ends a writer that nobody reads from.
func (s *streams) feed(input string) {
	if s.stdin[1] == nil {
		return
	}
	go func() {
		_, _ = io.WriteString(s.stdin[1], input)
		closeEnd(s.stdin[1])
	}()
}

func (s *streams) closeChildEnds() {
	closeEnd(s.stdin[0])
	closeEnd(s.stdout[1])
	closeEnd(s.stderr[1])
}

func (s *streams) abandon() {
	closeEnd(s.stdin[1])
	closeEnd(s.stdout[0])
	closeEnd(s.stderr[0])
}

func closeEnd(end *os.File) {
	if end != nil {
		_ = end.Close()
	}
}
