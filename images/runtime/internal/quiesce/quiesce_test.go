// SPDX-License-Identifier: Apache-2.0

package quiesce

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start runs a shell script and waits for its first line.
func start(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	command := exec.Command("/bin/sh", "-c", script)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		_ = command.Wait()
	})
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	return command
}

func state(t *testing.T, pid int) byte {
	t.Helper()
	one, alive := read(pid)
	if !alive {
		t.Fatalf("process %d is gone", pid)
	}
	return one.state
}

// eventually waits for a state that the kernel sets a moment after a signal.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("never: " + what)
}

const writer = `echo ready; while :; do echo x >> "$0"; done`

func TestNothingIsWrittenWhileFrozen(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "log")
	command := start(t, strings.ReplaceAll(writer, "$0", file)+" & wait")
	var still Stillness
	result, err := still.Begin(folder, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if result.Frozen < 2 {
		t.Fatalf("froze %d processes, expected the shell and its child", result.Frozen)
	}
	size := func() int64 {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	eventually(t, "the shell stopped", func() bool { return state(t, command.Process.Pid) == 'T' })
	eventually(t, "the writer stopped", func() bool {
		before := size()
		time.Sleep(2 * time.Millisecond)
		return before == size()
	})
	frozen := size()
	if thawed := still.End(); thawed != result.Frozen {
		t.Fatalf("%d of %d went on", thawed, result.Frozen)
	}
	eventually(t, "it writes again", func() bool { return size() > frozen })
}

func TestGoesOnByItself(t *testing.T) {
	command := start(t, `echo ready; while :; do :; done`)
	var still Stillness
	if _, err := still.Begin(t.TempDir(), 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it goes on after the limit", func() bool { return state(t, command.Process.Pid) != 'T' })
	if still.End() != 0 {
		t.Fatal("something was still held after the limit")
	}
}

func TestLeavesAloneWhatItsUserStopped(t *testing.T) {
	command := start(t, `echo ready; while :; do :; done`)
	pid := command.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "stopped by its user", func() bool { return state(t, pid) == 'T' })
	var still Stillness
	if _, err := still.Begin(t.TempDir(), time.Minute); err != nil {
		t.Fatal(err)
	}
	still.End()
	if state(t, pid) != 'T' {
		t.Fatal("it was set going")
	}
}

func TestAgainBeginsTheLimitAnew(t *testing.T) {
	command := start(t, `echo ready; while :; do :; done`)
	var still Stillness
	first, err := still.Begin(t.TempDir(), 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	second, err := still.Begin(t.TempDir(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if second.Frozen != first.Frozen || !second.Until.After(first.Until) {
		t.Fatalf("%+v after %+v", second, first)
	}
	still.End()
	eventually(t, "it goes on", func() bool { return state(t, command.Process.Pid) != 'T' })
}

func TestAFolderThatIsNotThereFreezesNothing(t *testing.T) {
	command := start(t, `echo ready; while :; do :; done`)
	var still Stillness
	if _, err := still.Begin("/does/not/exist", time.Minute); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("unexpected: %v", err)
	}
	if state(t, command.Process.Pid) == 'T' {
		t.Fatal("it was stopped")
	}
}

// A shell with job control must not think that its user has put a job aside.
func TestAShellDoesNotNotice(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "status")
	start(t, `set -m; (echo ready; while [ ! -e `+folder+`/go ]; do :; done) & wait $!; echo $? > `+file)
	var still Stillness
	if _, err := still.Begin(folder, time.Minute); err != nil {
		t.Fatal(err)
	}
	still.End()
	if err := os.WriteFile(filepath.Join(folder, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job ended well", func() bool {
		status, _ := os.ReadFile(file)
		return strings.TrimSpace(string(status)) == "0"
	})
}
