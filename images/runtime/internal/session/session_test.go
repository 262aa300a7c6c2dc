// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/shell"
)

const patience = 10 * time.Second

func manager(t *testing.T) *Manager {
	t.Helper()
	m := NewManager(t.TempDir(), "", childenv.NewLive([]string{"PATH=" + os.Getenv("PATH"), "PS1=", "HOME=/"}), func() {})
	t.Cleanup(func() {
		for _, info := range m.List() {
			m.Remove(info.Name)
		}
	})
	return m
}

func open(t *testing.T, m *Manager, name string) *Session {
	t.Helper()
	s, _, err := m.Open(Request{Name: name, Shell: "/bin/sh", Cols: 80, Rows: 24, Since: -1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func typeIn(t *testing.T, s *Session, text string) {
	t.Helper()
	if err := s.Input(context.Background(), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// readUntil reads the attachment until the text so far satisfies enough.
func readUntil(t *testing.T, a *Attachment, enough func(text string) bool) string {
	t.Helper()
	var text bytes.Buffer
	limit := time.After(patience)
	buf := make([]byte, 32<<10)
	for {
		n, moved := a.Read(buf)
		text.Write(buf[:n])
		if n == 0 && moved == nil {
			if enough(text.String()) {
				return text.String()
			}
			select {
			case <-a.Changed():
			case <-limit:
				t.Fatalf("gave up; read %d bytes ending in %q", text.Len(), tail(text.String()))
			}
		}
	}
}

func tail(s string) string { return s[max(0, len(s)-200):] }

func holds(part string) func(string) bool {
	return func(text string) bool { return strings.Contains(text, part) }
}

// eventually waits for a condition with a deadline.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestASessionOutlivesItsClients(t *testing.T) {
	m := manager(t)
	s := open(t, m, "main")
	first, place := s.Attach(Client{Since: -1})
	if !place.Reset {
		t.Error("a first client is told that it goes on")
	}
	typeIn(t, s, "stty -echo; KEPT=yes; echo fir''st\n")
	seen := readUntil(t, first, holds("first\r\n"))
	first.Detach()
	typeIn(t, s, "echo while-$KEPT-away\n")
	eventually(t, "output without a client", func() bool { return s.end() > place.Offset+int64(len(seen)) })
	since := place.Offset + int64(len(seen))
	again, place := open(t, m, "main").Attach(Client{Since: since})
	if place.Reset || place.Offset != since {
		t.Errorf("asked for %d, got %+v", since, place)
	}
	if rest := readUntil(t, again, holds("\n")); rest != "while-yes-away\r\n" {
		t.Errorf("the replay is %q", rest)
	}
}

func TestReplayOfAnUnknownPlaceStartsAtTheOldestByte(t *testing.T) {
	s := open(t, manager(t), "main")
	a, place := s.Attach(Client{Since: -1})
	typeIn(t, s, "echo mar''ker\n")
	whole := readUntil(t, a, holds("marker\r\n"))
	for _, since := range []int64{-1, 0, place.Offset - 1, place.Offset + int64(len(whole)) + 1_000_000} {
		again, where := s.Attach(Client{Since: since, View: true})
		if !where.Reset || where.Offset != place.Offset {
			t.Errorf("since %d: %+v", since, where)
		}
		if got := readUntil(t, again, holds("marker\r\n")); got != whole {
			t.Errorf("since %d: %q", since, got)
		}
	}
}

func TestExitCodeAfterTheLastByte(t *testing.T) {
	s := open(t, manager(t), "main")
	a, _ := s.Attach(Client{Since: -1})
	typeIn(t, s, "stty -echo; head -c 300000 /dev/zero | tr '\\0' x; echo; echo las''t; exit 3\n")
	text := readUntil(t, a, func(string) bool { _, over := a.Exited(); return over })
	if exit, _ := a.Exited(); exit.Code != 3 {
		t.Errorf("%+v", exit)
	}
	if strings.Count(text, "x") < 300000 || !strings.HasSuffix(text, "last\r\n") {
		t.Errorf("%d bytes ending in %q", len(text), tail(text))
	}
	if err := s.Input(context.Background(), []byte("x")); !errors.Is(err, ErrEnded) {
		t.Errorf("input after the end: %v", err)
	}
}

func TestABackgroundJobDoesNotDelayTheExit(t *testing.T) {
	s := open(t, manager(t), "main")
	a, _ := s.Attach(Client{Since: -1})
	typeIn(t, s, "(trap '' HUP; while echo noise; do :; done) & exit 5\n")
	<-s.child.Done()
	began := time.Now()
	eventually(t, "the end of the session", s.hasEnded)
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("the exit came %v late", took)
	}
	readUntil(t, a, func(string) bool { _, over := a.Exited(); return over })
	if exit, _ := a.Exited(); exit.Code != 5 {
		t.Errorf("%+v", exit)
	}
}

func TestAnEndedSessionIsKeptForWhoComesBack(t *testing.T) {
	m := manager(t)
	s := open(t, m, "main")
	a, place := s.Attach(Client{Since: -1})
	typeIn(t, s, "stty -echo; echo rea''dy\n")
	seen := readUntil(t, a, holds("ready\r\n"))
	a.Detach()
	typeIn(t, s, "echo missed; exit 9\n")
	eventually(t, "the end", s.hasEnded)
	since := place.Offset + int64(len(seen))
	back, started, err := m.Open(Request{Name: "main", Shell: "/bin/sh", Cols: 80, Rows: 24, Since: since})
	if err != nil || started || back != s {
		t.Fatalf("started=%v err=%v", started, err)
	}
	again, _ := back.Attach(Client{Since: since})
	rest := readUntil(t, again, func(string) bool { _, over := again.Exited(); return over })
	if exit, _ := again.Exited(); exit.Code != 9 || rest != "missed\r\n" {
		t.Errorf("%+v after %q", exit, rest)
	}
	if fresh := open(t, m, "main"); fresh == s {
		t.Error("a new client got the ended shell")
	} else if fresh.covers(since) || fresh.covers(s.end()) {
		t.Error("a position of the old shell means something in the new one")
	}
}

func TestOneMebibytePasteArrivesWhole(t *testing.T) {
	m := manager(t)
	s := open(t, m, "main")
	a, _ := s.Attach(Client{Since: -1})
	file := filepath.Join(m.workdir, "paste")
	typeIn(t, s, "stty -echo raw; echo rea''dy; head -c 1048576 > paste; stty sane; echo do''ne\n")
	readUntil(t, a, holds("ready"))
	var paste bytes.Buffer
	for i := 0; paste.Len() < 1<<20; i++ {
		fmt.Fprintf(&paste, "%07d🙂", i)
	}
	typeIn(t, s, paste.String()[:1<<20])
	readUntil(t, a, holds("done"))
	got, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, paste.Bytes()[:1<<20]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestTheLastResizeWins(t *testing.T) {
	s := open(t, manager(t), "main")
	a, place := s.Attach(Client{Since: -1})
	if place.Cols != 80 || place.Rows != 24 {
		t.Errorf("%+v", place)
	}
	a.Resize(100, 30)
	a.Resize(65535, 1)
	a.Resize(133, 51)
	typeIn(t, s, "stty size\n")
	readUntil(t, a, holds("51 133\r\n"))
}

// The program is held up while a controlling client is behind, no byte of a
// client is lost, and a viewer holds up nobody.
func TestBackPressure(t *testing.T) {
	s := open(t, manager(t), "main")
	slow, place := s.Attach(Client{Since: -1})
	viewer, _ := s.Attach(Client{Since: -1, View: true})
	const lines = 1_000_000
	typeIn(t, s, fmt.Sprintf("stty -echo; seq %d; echo en''d\n", lines))
	eventually(t, "a full MaxLag", func() bool { n, _ := slow.Pending(); return n > MaxLag })
	held := s.end()
	time.Sleep(100 * time.Millisecond)
	if now := s.end(); now != held || now-place.Offset > MaxLag+readSize {
		t.Errorf("the program went on from %d to %d", held-place.Offset, now-place.Offset)
	}
	text := readUntil(t, slow, holds("end\r\n"))
	var want strings.Builder
	for i := 1; i <= lines; i++ {
		fmt.Fprintf(&want, "%d\r\n", i)
	}
	if from := strings.Index(text, "1\r\n2\r\n"); from < 0 || text[from:] != want.String()+"end\r\n" {
		t.Errorf("the output is not whole: %d bytes", len(text))
	}
	if n, moved := viewer.Read(make([]byte, 10)); n != 0 || moved == nil || !moved.Reset || moved.Offset != s.end()-RingSize {
		t.Errorf("the viewer got %d bytes, %+v", n, moved)
	}
}

// A client that sleeps must not stop the one that is awake.
func TestASleepingClientHoldsNobodyUpForLong(t *testing.T) {
	s := open(t, manager(t), "main")
	asleep, _ := s.Attach(Client{Since: -1})
	awake, _ := s.Attach(Client{Since: -1})
	typeIn(t, s, "stty -echo; seq 600000; echo en''d\n")
	began := time.Now()
	text := readUntil(t, awake, holds("end\r\n"))
	if took := time.Since(began); took > 5*MaxHold {
		t.Errorf("the output took %v", took)
	}
	if !strings.HasSuffix(text, "599999\r\n600000\r\nend\r\n") || strings.Count(text, "\n") < 600_000 {
		t.Errorf("%d bytes ending in %q", len(text), tail(text))
	}
	if _, moved := asleep.Read(make([]byte, 10)); moved == nil || !moved.Reset {
		t.Errorf("the sleeper goes on at %+v", moved)
	}
}

func TestRemoveEndsTheShellAndItsJobs(t *testing.T) {
	m := manager(t)
	s, _, err := m.Open(Request{Name: "x", Shell: "/bin/bash", Cols: 80, Rows: 24, Since: -1})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := s.Attach(Client{Since: -1})
	seconds := fmt.Sprint(900_000 + os.Getpid()) // of this run alone: other runs may count at the same time
	typeIn(t, s, "trap '' HUP TERM; sleep "+seconds+" & sleep "+seconds+"\n")
	eventually(t, "the jobs", func() bool { return count("sleep\x00"+seconds) == 2 })
	if !m.Remove("x") || m.Remove("x") {
		t.Error("remove says the wrong thing")
	}
	readUntil(t, a, func(string) bool { _, over := a.Exited(); return over })
	eventually(t, "the jobs' end", func() bool { return count("sleep\x00"+seconds) == 0 })
}

func count(command string) int {
	n := 0
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if text, _ := os.ReadFile(file); strings.HasPrefix(string(text), command) {
			n++
		}
	}
	return n
}

func TestChoices(t *testing.T) {
	if got, err := shell.Choose(nil, "", "/bin/sh"); got != "/bin/sh" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if _, err := shell.Choose(nil, "/bin/fish-that-is-not-here", "/bin/sh"); err == nil || !strings.Contains(err.Error(), "fish") {
		t.Errorf("a wish that is not there: %v", err)
	}
	if _, err := chooseFolder("/", "nowhere"); err == nil {
		t.Error("a folder that is not there was taken")
	}
	if folder, err := chooseFolder("/usr", "bin/.."); folder != "/usr" || err != nil {
		t.Errorf("%q %v", folder, err)
	}
	m := manager(t)
	if _, _, err := m.Open(Request{Name: "a", Shell: "/nope", Since: -1}); err == nil || len(m.List()) != 0 {
		t.Error("a session without a shell is listed")
	}
}
