// SPDX-License-Identifier: Apache-2.0

// Package program runs one program with everything that it starts, and gives
// its output line by line while it runs.
package program

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
)

const (
	// endGrace is how long a program may take to end by itself once it is told
	// to, before everything that it started is killed.
	endGrace = 400 * time.Millisecond
	// pipeGrace is how long output may still be under way after the end.
	pipeGrace = 150 * time.Millisecond
	// pipeLimit bounds what is read after the end from somebody who escaped.
	pipeLimit = 1 << 20
)

// Streams of a line.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Spec is one run. Env is complete and Dir absolute. Marker names a variable
// whose value is this run's alone: by it everything that the program started is
// found again, whatever session it moved to.
type Spec struct {
	Argv   []string
	Dir    string
	Env    []string
	Stdin  []byte
	Marker string
	ID     string
}

// Run starts the program and waits until it and everything it started has
// ended. When ctx ends it is asked to end, and killed soon after. give is called
// for each line, never after Run has returned; it may take its time, the program
// then waits. The code is -1 when the program could not be started.
func Run(ctx context.Context, spec Spec, give func(stream, line string)) (code int, err error) {
	env := childenv.Set(childenv.Set(spec.Env, "PWD", spec.Dir), spec.Marker, spec.ID)
	path, err := childenv.LookPath(spec.Argv[0], spec.Dir, env)
	if err != nil {
		return -1, err
	}
	p, err := openPipes(len(spec.Stdin) > 0)
	if err != nil {
		return -1, err
	}
	child, err := reaper.Start(path, spec.Argv, &os.ProcAttr{
		Dir: spec.Dir, Env: env, Files: p.child[:], Sys: &syscall.SysProcAttr{Setsid: true},
	})
	p.closeChild()
	if err != nil {
		p.closeOurs()
		return -1, err
	}
	p.feed(spec.Stdin)
	p.pump(give)
	await(ctx, child)
	reaper.KillMarked(spec.Marker + "=" + spec.ID)
	exit := child.Wait()
	p.settle()
	return exit.Code, nil
}

// await returns when the program has ended or was killed.
func await(ctx context.Context, child *reaper.Child) {
	select {
	case <-child.Done():
		return
	case <-ctx.Done():
	}
	child.SignalTree(syscall.SIGTERM)
	child.SignalTree(syscall.SIGCONT)
	timer := time.NewTimer(endGrace)
	defer timer.Stop()
	select {
	case <-child.Done():
	case <-timer.C:
		child.SignalTree(syscall.SIGKILL)
	}
}

// pipes are the program's streams: its own ends, and ours.
type pipes struct {
	child  [3]*os.File
	input  *os.File
	output [2]*os.File
	ending atomic.Bool
	done   sync.WaitGroup
}

func openPipes(input bool) (*pipes, error) {
	p := &pipes{}
	var err error
	if input {
		p.child[0], p.input, err = os.Pipe()
	} else {
		p.child[0], err = os.Open(os.DevNull)
	}
	for i := 0; i < 2 && err == nil; i++ {
		p.output[i], p.child[i+1], err = os.Pipe()
	}
	if err != nil {
		p.closeChild()
		p.closeOurs()
		return nil, err
	}
	return p, nil
}

// feed writes the input in the background; settle ends a writer nobody reads.
func (p *pipes) feed(input []byte) {
	if p.input == nil {
		return
	}
	go func() {
		_, _ = p.input.Write(input)
		_ = p.input.Close()
	}()
}

func (p *pipes) pump(give func(stream, line string)) {
	for i, stream := range [2]string{Stdout, Stderr} {
		p.done.Add(1)
		go func() {
			defer p.done.Done()
			s := splitter{give: func(line string) { give(stream, line) }}
			p.read(p.output[i], s.write)
			s.end()
		}()
	}
}

// read gives on everything until the stream ends. After the end of the program
// each read has only a short time, anew: somebody who escaped may hold the pipe
// open, and a slow taker of lines must not cost what is still in it.
func (p *pipes) read(from *os.File, take func([]byte)) {
	buf := make([]byte, 32<<10)
	for after := 0; after < pipeLimit; {
		if p.ending.Load() {
			_ = from.SetReadDeadline(time.Now().Add(pipeGrace))
		}
		n, err := from.Read(buf)
		take(buf[:n])
		if p.ending.Load() {
			after += n
		}
		if err != nil {
			return
		}
	}
}

// settle waits until all output was given on.
func (p *pipes) settle() {
	p.ending.Store(true)
	for _, output := range p.output {
		_ = output.SetReadDeadline(time.Now().Add(pipeGrace))
	}
	p.done.Wait()
	p.closeOurs()
}

func (p *pipes) closeChild() {
	for _, end := range p.child {
		closeEnd(end)
	}
}

func (p *pipes) closeOurs() {
	closeEnd(p.input)
	for _, end := range p.output {
		closeEnd(end)
	}
}

func closeEnd(end io.Closer) {
	if file, ok := end.(*os.File); ok && file != nil {
		_ = file.Close()
	}
}
