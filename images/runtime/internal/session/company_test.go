// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
)

func sized(cols, rows uint16) Client { return Client{Since: -1, Cols: cols, Rows: rows} }

func (s *Session) size() Size {
	info := s.info()
	return Size{info.Cols, info.Rows}
}

// G-12: a viewer's window and keys reach nobody.
func TestTheSizeIsThatOfTheControllerWhoWasActiveLast(t *testing.T) {
	s := open(t, manager(t), "main")
	steps := func(what string, want Size) {
		t.Helper()
		if got := s.size(); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	big, _ := s.Attach(sized(200, 50))
	small, _ := s.Attach(sized(60, 20))
	steps("the one that came last", Size{60, 20})
	viewer, _ := s.Attach(Client{Since: -1, View: true, Cols: 10, Rows: 10})
	viewer.Resize(11, 11)
	if viewer.Input(context.Background(), []byte("exit\n")) != nil {
		t.Error("a viewer's keys are a fault")
	}
	steps("a viewer", Size{60, 20})
	if big.Input(context.Background(), []byte("stty size\n")) != nil {
		t.Fatal("no input")
	}
	steps("the one that types", Size{200, 50})
	readUntil(t, big, holds("50 200\r\n"))
	if size, _ := small.News(); size == nil || *size != (Size{200, 50}) {
		t.Errorf("the other one learns of %v", size)
	}
	if size, _ := big.News(); size != nil {
		t.Errorf("who made the size is told of it: %v", size)
	}
	small.Resize(61, 21)
	steps("the one that resizes", Size{61, 21})
	small.Detach()
	steps("after it left", Size{200, 50})
	big.Detach()
	steps("with a viewer alone", Size{200, 50})
}

func TestManyWindowsResizeAtOnce(t *testing.T) {
	s := open(t, manager(t), "main")
	var all sync.WaitGroup
	for i := range 40 {
		a, _ := s.Attach(sized(80, 24))
		all.Go(func() {
			for n := range 50 {
				a.Resize(uint16(40+i), uint16(10+n))
				a.News()
			}
			if i%2 == 0 {
				a.Detach()
			}
		})
	}
	all.Wait()
	last, _ := s.Attach(sized(133, 51))
	_ = last.Input(context.Background(), []byte("stty size\n"))
	readUntil(t, last, holds("51 133\r\n"))
	if got := s.info().Clients; got != 21 {
		t.Errorf("%d clients", got)
	}
}

func TestEverybodyLearnsWhoIsThere(t *testing.T) {
	s := open(t, manager(t), "main")
	ann, _ := s.Attach(Client{Since: -1, Name: "Ann"})
	_, _ = ann.News()
	bob, _ := s.Attach(Client{Since: -1, Name: "Bob", View: true})
	want := []Person{{"Ann", "control"}, {"Bob", "view"}}
	for _, a := range []*Attachment{ann, bob} {
		if _, people := a.News(); len(people) != 2 || people[0] != want[0] || people[1] != want[1] {
			t.Errorf("%s sees %v", a.name, people)
		}
		if size, people := a.News(); size != nil || people != nil {
			t.Error("old news")
		}
	}
	bob.Detach()
	if _, people := ann.News(); len(people) != 1 {
		t.Errorf("after Bob left: %v", people)
	}
	if info := s.info(); info.Clients != 1 || info.Viewers != 0 {
		t.Errorf("%+v", info)
	}
}

func TestADetachedSessionEndsAfterItsTime(t *testing.T) {
	m := manager(t)
	m.Settings.DetachedTTL = 50 * time.Millisecond
	s := open(t, m, "main")
	a, _ := s.Attach(Client{Since: -1})
	b, _ := s.Attach(Client{Since: -1, View: true})
	a.Detach()
	b.Detach()
	again, _ := s.Attach(Client{Since: -1})
	typeIn(t, s, "echo ali''ve\n")
	readUntil(t, again, holds("alive\r\n"))
	again.Detach()
	eventually(t, "the end", s.hasEnded)
}

func TestScrollbackIsAsLargeAsAsked(t *testing.T) {
	m := manager(t)
	m.Settings.Scrollback = SmallestRing
	s := open(t, m, "main")
	viewer, _ := s.Attach(Client{Since: -1, View: true})
	a, _ := s.Attach(Client{Since: -1})
	typeIn(t, s, "stty -echo; seq 200000; echo en''d\n")
	text := readUntil(t, a, holds("end\r\n"))
	if !strings.Contains(text, "\r\n199999\r\n200000\r\nend") || strings.Count(text, "\n") < 200_000 {
		t.Errorf("a controller lost bytes: %d lines", strings.Count(text, "\n"))
	}
	if _, moved := viewer.Read(make([]byte, 10)); moved == nil || s.end()-moved.Offset != SmallestRing {
		t.Errorf("a viewer goes on at %+v, %d bytes before the end", moved, s.end()-moved.Offset)
	}
}

func TestTheAlternateScreenIsLeftOutUnlessAskedFor(t *testing.T) {
	m := manager(t)
	keep := true
	text := func(name string, r Request) string {
		t.Helper()
		r.Name, r.Shell, r.Cols, r.Rows, r.Since = name, "/bin/sh", 80, 24, -1
		s, _, err := m.Open(r)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := s.Attach(Client{Since: -1})
		typeIn(t, s, "stty -echo; printf 'A\\033[?25;1049hB\\033[?10'; printf '49lC'; echo en''d; printf '\\033[?'; exit\n")
		return readUntil(t, a, func(string) bool { _, over := a.Exited(); return over })
	}
	if got := text("stripped", Request{}); !strings.Contains(got, "A\x1b[?25hBCend") || !strings.HasSuffix(got, "\x1b[?") {
		t.Errorf("%q", got)
	}
	if got := text("kept", Request{KeepScreen: &keep}); !strings.Contains(got, "A\x1b[?25;1049hB\x1b[?1049lCend") {
		t.Errorf("%q", got)
	}
}

// Those who only look on are no use of the sandbox.
func TestAViewerAloneIsNoUse(t *testing.T) {
	var mu sync.Mutex
	touched := 0
	m := NewManager(t.TempDir(), "", childenv.NewLive([]string{"PATH=" + os.Getenv("PATH"), "PS1="}), func() {
		mu.Lock()
		defer mu.Unlock()
		touched++
	})
	s := open(t, m, "main")
	viewer, _ := s.Attach(Client{Since: -1, View: true})
	s.append([]byte("printed\n"))
	readUntil(t, viewer, holds("printed\n"))
	mu.Lock()
	if touched != 0 {
		t.Errorf("touched %d times", touched)
	}
	mu.Unlock()
	m.Remove("main")
}
