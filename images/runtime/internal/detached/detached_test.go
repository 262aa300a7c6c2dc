// SPDX-License-Identifier: Apache-2.0

package detached

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/execute"
)

func sh(script string) execute.Command {
	return execute.Command{Argv: []string{"sh", "-c", script}, Dir: "/", Env: os.Environ(), Timeout: time.Minute}
}

func start(t *testing.T, m *Manager, command execute.Command) *Run {
	t.Helper()
	run, err := m.Start(command, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func result(t *testing.T, run *Run) State {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	state := run.Wait(ctx)
	if state.Running {
		t.Fatal("it runs on")
	}
	return state
}

func TestTheResultIsThereLater(t *testing.T) {
	var m Manager
	ended := make(chan struct{})
	run, err := m.Start(sh("echo out; echo err >&2; exit 3"), func() { close(ended) })
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	got := result(t, m.Find(run.ID)).Result
	if got.ExitCode != 3 || string(got.Stdout) != "out\n" || string(got.Stderr) != "err\n" || got.Truncated {
		t.Errorf("%+v", got)
	}
	if !m.Remove(run.ID) || m.Find(run.ID) != nil || m.Remove(run.ID) {
		t.Error("it is remembered")
	}
}

func TestWhatWasPrintedSoFarIsSeenWhileItRuns(t *testing.T) {
	var m Manager
	run := start(t, &m, sh("echo begun; exec sleep 1000"))
	defer m.Remove(run.ID)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		state := run.Wait(over)
		if state.Running && string(state.Result.Stdout) == "begun\n" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", state)
		}
	}
}

func TestRemoveEndsEverythingThatWasStarted(t *testing.T) {
	var m Manager
	file := filepath.Join(t.TempDir(), "pid")
	run := start(t, &m, sh("sleep 1000 & echo $! > "+file+"; wait"))
	var pid int
	for deadline := time.Now().Add(10 * time.Second); pid == 0 && time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		text, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if pid == 0 || !m.Remove(run.ID) {
		t.Fatal("it did not run")
	}
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the child lives on")
		}
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	var m Manager
	command := sh("")
	command.Argv = []string{"no-such-program"}
	got := result(t, start(t, &m, command)).Result
	if got.ExitCode != -1 || !strings.HasPrefix(string(got.Stderr), "[runtime] ") {
		t.Errorf("%+v", got)
	}
}

func TestAsManyAsMayRunAndNoMore(t *testing.T) {
	var m Manager
	var all sync.WaitGroup
	var mu sync.Mutex
	var runs []*Run
	refused := 0
	for range MaxRunning + 5 {
		all.Add(1)
		go func() {
			defer all.Done()
			run, err := m.Start(sh("exec sleep 1000"), func() {})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused++
				return
			}
			runs = append(runs, run)
		}()
	}
	all.Wait()
	if len(runs) != MaxRunning || refused != 5 {
		t.Errorf("%d run, %d were refused", len(runs), refused)
	}
	for _, run := range runs {
		m.Remove(run.ID)
	}
}

func TestOldResultsGo(t *testing.T) {
	var m Manager
	first := start(t, &m, sh("true"))
	result(t, first)
	for range maxEnded {
		run := start(t, &m, sh("true"))
		result(t, run)
	}
	m.trim()
	if m.Find(first.ID) != nil || len(m.runs) != maxEnded {
		t.Errorf("%d are kept", len(m.runs))
	}
}

func TestOutputIsBounded(t *testing.T) {
	var m Manager
	got := result(t, start(t, &m, sh("head -c 3000000 /dev/zero; echo done >&2"))).Result
	if len(got.Stdout) < MaxOutput || len(got.Stdout) > MaxOutput+100 || !got.Truncated || string(got.Stderr) != "done\n" {
		t.Errorf("%d bytes %v %q", len(got.Stdout), got.Truncated, got.Stderr)
	}
}
