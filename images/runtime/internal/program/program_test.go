// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

type printed struct {
	mu    sync.Mutex
	lines map[string][]string
	over  bool
	late  bool
}

func (p *printed) give(stream, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		p.late = true
	}
	if p.lines == nil {
		p.lines = map[string][]string{}
	}
	p.lines[stream] = append(p.lines[stream], line)
}

func run(ctx context.Context, t *testing.T, p *printed, stdin, script string) int {
	t.Helper()
	code, err := Run(ctx, Spec{
		Argv: []string{"sh", "-c", script}, Dir: "/", Env: os.Environ(), Stdin: []byte(stdin),
		Marker: "AGENTTIER_TEST_ID", ID: strings.ReplaceAll(t.Name(), "/", "-") + strconv.Itoa(os.Getpid()),
	}, p.give)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	return code
}

func TestLinesComeWholeWithTheLastOneUnfinished(t *testing.T) {
	var p printed
	code := run(context.Background(), t, &p, "in🙂put", `cat; echo; printf 'a\r\nb\n\nlast'; echo err >&2; exit 3`)
	if code != 3 {
		t.Errorf("code %d", code)
	}
	want := map[string][]string{Stdout: {"in🙂put", "a", "b", "", "last"}, Stderr: {"err"}}
	if !reflect.DeepEqual(p.lines, want) {
		t.Errorf("%q", p.lines)
	}
}

func TestLongLinesComeInPiecesOfWholeCharacters(t *testing.T) {
	var p printed
	run(context.Background(), t, &p, "", `i=0; while [ $i -lt 20000 ]; do printf '🚀🚀x'; i=$((i+1)); done`)
	for _, line := range p.lines[Stdout] {
		if len(line) >= maxLine+utf8.UTFMax || strings.ContainsRune(line, '\uFFFD') {
			t.Errorf("a piece of %d bytes", len(line))
		}
	}
	if all := strings.Join(p.lines[Stdout], ""); all != strings.Repeat("🚀🚀x", 20_000) {
		t.Errorf("%d bytes in %d pieces", len(all), len(p.lines[Stdout]))
	}
}

func pidIn(t *testing.T, path string) int {
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
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") || syscall.Kill(pid, 0) != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d lives on", pid)
		}
	}
}

// What moved to a session of its own, holds the pipes and ignores TERM.
const stubborn = `setsid sh -c 'trap "" TERM; echo $$ > "$0"; while :; do sleep 1; done' FILE & wait`

func TestTheEndOfTheContextEndsEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(context.Background())
	var p printed
	go func() {
		pidIn(t, file)
		cancel()
	}()
	began := time.Now()
	run(ctx, t, &p, "", "trap '' TERM; echo before; "+strings.ReplaceAll(stubborn, "FILE", file))
	if time.Since(began) > 5*time.Second || p.lines[Stdout][0] != "before" {
		t.Errorf("%v %q", time.Since(began), p.lines)
	}
	gone(t, pidIn(t, file))
}

func TestNothingOutlivesAProgramThatEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	script := strings.TrimSuffix(strings.ReplaceAll(stubborn, "FILE", file), " wait")
	var p printed
	if code := run(context.Background(), t, &p, "", script+" while [ ! -s "+file+" ]; do sleep 0.01; done; exit 0"); code != 0 {
		t.Errorf("code %d", code)
	}
	gone(t, pidIn(t, file))
}

func TestASlowTakerGetsAllThatWasPrinted(t *testing.T) {
	var p printed
	count := 0
	code, err := Run(context.Background(), Spec{
		Argv: []string{"sh", "-c", "i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); done"}, Dir: "/", Env: os.Environ(),
		Marker: "AGENTTIER_TEST_ID", ID: t.Name() + strconv.Itoa(os.Getpid()),
	}, func(stream, line string) {
		time.Sleep(time.Millisecond)
		count++
		p.give(stream, line)
	})
	if err != nil || code != 0 || count != 400 {
		t.Errorf("%v: code %d, %d lines", err, code, count)
	}
}

func TestWhatCannotStartIsAnError(t *testing.T) {
	for _, argv := range [][]string{{"no-such-program"}, {"/etc/passwd"}} {
		if _, err := Run(context.Background(), Spec{Argv: argv, Dir: "/", Env: os.Environ(), Marker: "M", ID: "1"}, nil); err == nil {
			t.Errorf("%v started", argv)
		}
	}
}
