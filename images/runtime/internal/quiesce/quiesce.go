// SPDX-License-Identifier: Apache-2.0

// Package quiesce makes the files of the workspace stand still while a
// snapshot of it is cut: what was written is brought to the disk, and the
// programs that could write more are stopped, for a bounded time.
package quiesce

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrSlow says that the disk did not take everything within the limit.
var ErrSlow = errors.New("the files were not written to the disk in time")

// Result is what stands still now.
type Result struct {
	// Frozen is the number of processes that were stopped.
	Frozen int
	// Missed is the number of those that could not be: they belong to another user.
	Missed int
	// Until is when they go on by themselves.
	Until time.Time
}

// Stillness keeps programs stopped. The zero value is ready.
type Stillness struct {
	mu      sync.Mutex
	stopped []process
	timer   *time.Timer
}

// Begin writes everything below folder's file system to the disk and stops all
// programs of the sandbox. Whatever becomes of the caller, they go on after the
// limit. It may be called again: then the limit begins anew.
func (s *Stillness) Begin(folder string, limit time.Duration) (Result, error) {
	deadline := time.Now().Add(limit)
	// The bulk of the data goes out while programs still run; what they add
	// meanwhile goes out once they stand still.
	if err := flush(folder, deadline); err != nil {
		return Result{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	more, missed := stopAll()
	s.stopped = append(s.stopped, more...)
	s.timer = time.AfterFunc(time.Until(deadline), func() { s.End() })
	if err := flush(folder, deadline); err != nil {
		s.end()
		return Result{}, err
	}
	return Result{Frozen: len(s.stopped), Missed: missed, Until: deadline}, nil
}

// End lets everything go on that Begin stopped, and returns how many that were.
func (s *Stillness) End() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end()
}

// end needs the lock. Children go on before their parents: a shell that finds
// a stopped child would take it for one that its user has put aside.
func (s *Stillness) end() int {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	count := len(s.stopped)
	for i := count - 1; i >= 0; i-- {
		one := s.stopped[i]
		if now, alive := read(one.pid); alive && now.started == one.started {
			_ = syscall.Kill(one.pid, syscall.SIGCONT)
		}
	}
	s.stopped = nil
	return count
}

// flush is syncfs(2) of the file system that folder is on. A disk that hangs
// would hold its caller for ever, so the caller is let go at the deadline.
func flush(folder string, deadline time.Time) error {
	done := make(chan error, 1)
	go func() {
		file, err := os.Open(folder)
		if err != nil {
			done <- err
			return
		}
		defer file.Close()
		done <- unix.Syncfs(int(file.Fd()))
	}()
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return ErrSlow
	}
}
