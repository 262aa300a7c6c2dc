// SPDX-License-Identifier: Apache-2.0

// Package reaper is the only place in the process that waits for children.
//
// PID 1 inherits every orphan of the container and must wait for it, or it
// stays a zombie. A wait for "any child" would also take the exit status of
// the children that were started on purpose, so these are started here too:
// one lock covers fork and wait, and each status goes to its owner.
package reaper

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// ErrStopping says that no process is started any more.
var ErrStopping = errors.New("the sandbox is stopping")

// Exit is how a process ended. Code is 128 + the signal's number when a signal
// ended it, as shells report it.
type Exit struct {
	Code   int
	Signal syscall.Signal
}

// Child is a process started by Start; it leads its own process group.
type Child struct {
	Pid      int
	terminal bool
	done     chan struct{}
	exit     Exit
}

var (
	once     sync.Once
	mu       sync.Mutex
	children = map[int]*Child{}
	closed   bool
	empty    = make(chan struct{})
)

const prSetChildSubreaper = 36

// Init starts reaping. Orphans come here even when the process is not PID 1.
func Init() {
	once.Do(func() {
		_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0)
		exits := make(chan os.Signal, 1)
		signal.Notify(exits, syscall.SIGCHLD)
		go func() {
			for range exits {
				reap()
			}
		}()
	})
}

// Start runs argv with the program at path. attr.Sys must put the child into
// its own process group (Setsid or Setpgid).
func Start(path string, argv []string, attr *os.ProcAttr) (*Child, error) {
	Init()
	mu.Lock()
	defer mu.Unlock()
	if closed {
		return nil, ErrStopping
	}
	process, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return nil, err
	}
	child := &Child{Pid: process.Pid, terminal: attr.Sys.Setctty, done: make(chan struct{})}
	children[child.Pid] = child
	_ = process.Release()
	return child, nil
}

// Done is closed when the process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Wait blocks until the process has ended and tells how.
func (c *Child) Wait() Exit {
	<-c.done
	return c.exit
}

// SignalGroup signals the child's process group, unless the child is gone: its
// number may already belong to somebody else then.
func (c *Child) SignalGroup(sig syscall.Signal) {
	mu.Lock()
	defer mu.Unlock()
	if children[c.Pid] == c {
		_ = syscall.Kill(-c.Pid, sig)
	}
}

// SignalTree signals the child's group and all other processes of its session:
// a shell with job control gives each job a group of its own.
func (c *Child) SignalTree(sig syscall.Signal) {
	mu.Lock()
	defer mu.Unlock()
	if children[c.Pid] == c {
		signalTree(c.Pid, sig)
	}
}

// Shutdown refuses further children, asks the present ones to end (and, as
// PID 1, every process of the container), kills what is left after the grace
// and returns when no child remains, at most a second later.
func Shutdown(grace time.Duration) {
	Init()
	mu.Lock()
	closed = true
	signalAll(syscall.SIGTERM)
	mu.Unlock()
	reap()
	if waitEmpty(grace) {
		return
	}
	mu.Lock()
	signalAll(syscall.SIGKILL)
	mu.Unlock()
	waitEmpty(time.Second)
}

func waitEmpty(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-empty:
		return true
	case <-timer.C:
		return false
	}
}

// signalAll needs the lock. An interactive shell heeds SIGHUP but not SIGTERM,
// and a stopped process acts on a signal only when it is continued.
func signalAll(sig syscall.Signal) {
	for pid, child := range children {
		signalTree(pid, sig)
		if child.terminal {
			signalTree(pid, syscall.SIGHUP)
		}
		signalTree(pid, syscall.SIGCONT)
	}
	if os.Getpid() == 1 {
		_ = syscall.Kill(-1, sig)
	}
}

func reap() {
	mu.Lock()
	defer mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err == syscall.ECHILD && closed {
			closeOnce(empty)
		}
		if err != nil || pid <= 0 {
			return
		}
		if child := children[pid]; child != nil {
			delete(children, pid)
			child.exit = exitOf(status)
			close(child.done)
		}
	}
}

func exitOf(status syscall.WaitStatus) Exit {
	if status.Signaled() {
		return Exit{Code: 128 + int(status.Signal()), Signal: status.Signal()}
	}
	return Exit{Code: status.ExitStatus()}
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
