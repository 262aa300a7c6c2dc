// SPDX-License-Identifier: Apache-2.0

package execute

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func command(argv ...string) Command {
	return Command{Argv: argv, Dir: "/", Env: os.Environ(), Timeout: 20 * time.Second}
}

func sh(script string) Command { return command("sh", "-c", script) }

func TestRun(t *testing.T) {
	cases := []struct {
		name           string
		command        Command
		code           int
		stdout, stderr string
	}{
		{"both streams and the code", sh("echo out; echo err >&2; exit 3"), 3, "out\n", "err\n"},
		{"a signal", sh("kill -TERM $$"), 143, "", ""},
		{"no input is the null device", sh("cat; echo end"), 0, "end\n", ""},
		{"unread input", Command{Argv: []string{"true"}, Dir: "/", Env: os.Environ(), Timeout: time.Minute, Stdin: strings.Repeat("x", 1<<20)}, 0, "", ""},
		{"the folder", Command{Argv: []string{"sh", "-c", "pwd; echo $PWD"}, Dir: "/usr", Env: os.Environ(), Timeout: time.Minute}, 0, "/usr\n/usr\n", ""},
	}
	for _, c := range cases {
		got := Run(context.Background(), c.command)
		if got.ExitCode != c.code || string(got.Stdout) != c.stdout || string(got.Stderr) != c.stderr || got.TimedOut {
			t.Errorf("%s: %d %q %q timedOut=%v", c.name, got.ExitCode, got.Stdout, got.Stderr, got.TimedOut)
		}
	}
}

func TestLargeInputComesBackWhole(t *testing.T) {
	c := command("cat")
	c.Stdin = strings.Repeat("0123456789abcdef", 200_000)
	if got := Run(context.Background(), c); string(got.Stdout) != c.Stdin || got.Truncated {
		t.Errorf("%d of %d bytes", len(got.Stdout), len(c.Stdin))
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	for _, c := range []Command{command("no-such-program"), command("/etc/passwd"), {Argv: []string{"true"}, Dir: "/nowhere", Env: os.Environ(), Timeout: time.Minute}} {
		got := Run(context.Background(), c)
		if got.ExitCode != -1 || !strings.HasPrefix(string(got.Stderr), "[runtime] ") {
			t.Errorf("%v: %d %q", c.Argv, got.ExitCode, got.Stderr)
		}
	}
}

func TestOutputIsCutButTheCommandGoesOn(t *testing.T) {
	got := Run(context.Background(), sh("head -c 9000000 /dev/zero; echo done >&2"))
	if got.ExitCode != 0 || !got.Truncated || string(got.Stderr) != "done\n" {
		t.Fatalf("%d truncated=%v %q", got.ExitCode, got.Truncated, got.Stderr)
	}
	if len(got.Stdout) != MaxOutput+len(cutMark) || !strings.HasSuffix(string(got.Stdout), cutMark) {
		t.Errorf("%d bytes", len(got.Stdout))
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && syscall.Kill(pid, 0) == nil && !strings.Contains(string(stat), ") Z ")
}

func readPid(t *testing.T, path string) int {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		text, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return pid
		}
	}
	t.Fatal("no pid was written")
	return 0
}

func gone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d lives on", pid)
		}
	}
}

func TestTimeoutKillsGrandchildrenAndAnswersAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	c := sh("echo before; sh -c 'sleep 1000 & echo $! > " + file + "; wait'")
	c.Timeout = 300 * time.Millisecond
	got := Run(context.Background(), c)
	if got.ExitCode != -1 || !got.TimedOut || string(got.Stdout) != "before\n" || got.Duration > 3*time.Second {
		t.Errorf("%+v", got)
	}
	gone(t, readPid(t, file))
}

func TestDisconnectKillsTheTree(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		readPid(t, file)
		cancel()
	}()
	got := Run(ctx, sh("sleep 1000 & echo $! > "+file+"; wait"))
	if got.ExitCode != 137 || got.TimedOut {
		t.Errorf("%+v", got)
	}
	gone(t, readPid(t, file))
}

func TestABackgroundProcessHoldsNobodyUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	began := time.Now()
	got := Run(context.Background(), sh("sleep 1000 & echo $! > "+file+"; echo started"))
	pid := readPid(t, file)
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	if got.ExitCode != 0 || string(got.Stdout) != "started\n" || time.Since(began) > 3*time.Second {
		t.Errorf("%+v", got)
	}
	if !alive(pid) {
		t.Error("the background process was killed")
	}
}

func TestLimitsCutEachStream(t *testing.T) {
	c := sh("printf 123456; printf abcdef >&2")
	c.StdoutLimit, c.StderrLimit = 3, 6
	got := Run(context.Background(), c)
	if string(got.Stdout) != "123"+cutMark || string(got.Stderr) != "abcdef" || !got.Truncated {
		t.Errorf("%+v", got)
	}
}

func TestOutputIsGivenOnWhileItComes(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var all [2]strings.Builder
	c := sh("echo first; cat " + fifo + " >/dev/null; echo second >&2; printf last")
	c.Output = func(stream string, part []byte) {
		if stream == Stderr {
			all[1].Write(part)
			return
		}
		all[0].Write(part)
		// The command goes on only when its first line has been seen.
		if all[0].String() == "first\n" {
			_ = os.WriteFile(fifo, []byte("go"), 0)
		}
	}
	got := Run(context.Background(), c)
	if got.ExitCode != 0 || len(got.Stdout)+len(got.Stderr) != 0 || all[0].String() != "first\nlast" || all[1].String() != "second\n" {
		t.Errorf("%+v %q %q", got, all[0].String(), all[1].String())
	}
}

func TestASlowTakerMissesNothing(t *testing.T) {
	got, want := 0, 300_000
	c := sh("head -c " + strconv.Itoa(want) + " /dev/zero")
	c.Output = func(_ string, part []byte) {
		if got == 0 {
			time.Sleep(2 * pipeGrace)
		}
		got += len(part)
	}
	if Run(context.Background(), c); got != want {
		t.Errorf("%d of %d bytes", got, want)
	}
}

func TestWhatFloodsFromTheBackgroundHoldsNobodyUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	c := sh("yes & echo $! > " + file)
	c.Output = func(string, []byte) {}
	got := Run(context.Background(), c)
	pid := readPid(t, file)
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	if got.ExitCode != 0 || !alive(pid) {
		t.Errorf("%+v", got)
	}
}
