// SPDX-License-Identifier: Apache-2.0

package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func manager(t *testing.T, s Settings) *Manager {
	t.Helper()
	m := &Manager{Workdir: t.TempDir(), Env: os.Environ}
	s.Hash = "h"
	m.Configure(s)
	return m
}

func agent(script string) Settings {
	return Settings{Entrypoint: []string{"sh", "-c", script, "agent"}}
}

func start(t *testing.T, m *Manager, r Request) *Invocation {
	t.Helper()
	slot, err := m.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	run, err := slot.Start(r)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

type event struct {
	Name string
	Data map[string]any
}

// follow reads to the end.
func follow(t *testing.T, run *Invocation) (events []event) {
	t.Helper()
	for last := int64(0); ; {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		batch, _, err := run.Events(ctx, last)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			return events
		}
		for _, one := range batch {
			e := event{Name: one.Name}
			if err := json.Unmarshal(one.Data, &e.Data); err != nil {
				t.Fatal(err)
			}
			events, last = append(events, e), one.ID
		}
		run.Delivered(last)
	}
}

func lines(events []event) string {
	var out []string
	for _, e := range events {
		if e.Name == "log" {
			out = append(out, e.Data["stream"].(string)+":"+e.Data["data"].(string))
		}
	}
	return strings.Join(out, "|")
}

func TestAnInvocation(t *testing.T) {
	s := agent(`cat; echo " $0 $1 $WHO $PWD"; echo oops >&2; exit 4`)
	s.Env, s.WorkingDir = map[string]string{"WHO": "me"}, "/usr"
	run := start(t, manager(t, s), Request{Prompt: "do it"})
	events := follow(t, run)
	if first := events[0]; first.Name != "start" || first.Data["invokeId"] != run.ID() || !strings.HasPrefix(run.ID(), "inv-") {
		t.Errorf("%v", first)
	}
	if got := lines(events[:len(events)-1]); !strings.Contains(got, "stdout:do it agent --prompt=do it me /usr") || !strings.Contains(got, "stderr:oops") {
		t.Errorf("%s", got)
	}
	last := events[len(events)-1]
	if last.Name != "exit" || last.Data["exitCode"] != 4.0 || last.Data["reason"] != Completed {
		t.Errorf("%v", last)
	}
}

func TestABodyIsTheInputAndNotThePrompt(t *testing.T) {
	run := start(t, manager(t, agent("cat")), Request{Prompt: "p", Body: []byte("body ☃")})
	if got := lines(follow(t, run)); got != "stdout:body ☃" {
		t.Errorf("%s", got)
	}
}

func TestHowItEnds(t *testing.T) {
	cases := []struct {
		name   string
		s      Settings
		r      Request
		act    func(*Invocation)
		reason string
	}{
		{"the caller's time", agent("sleep 100"), Request{Timeout: 50 * time.Millisecond}, nil, TimedOut},
		{"the template's time", Settings{Entrypoint: []string{"sleep", "100"}, DefaultTimeoutSeconds: 1}, Request{Timeout: time.Hour}, nil, TimedOut},
		{"the policy's ceiling", Settings{Entrypoint: []string{"sleep", "100"}, MaxTimeoutSeconds: 1}, Request{}, nil, TimedOut},
		{"cancelled", agent("trap '' TERM; sleep 100 & wait; wait"), Request{}, func(i *Invocation) { i.Cancel() }, Canceled},
		{"nobody reads", agent("sleep 100"), Request{}, func(i *Invocation) { _, leave := i.Attach(); leave() }, Canceled},
		{"no such program", Settings{Entrypoint: []string{"nothing-of-this-name"}}, Request{}, nil, Failed},
	}
	for _, c := range cases {
		run := start(t, manager(t, c.s), c.r)
		if c.act != nil {
			c.act(run)
		}
		events := follow(t, run)
		last := events[len(events)-1]
		if last.Data["reason"] != c.reason || last.Data["exitCode"] != -1.0 {
			t.Errorf("%s: %v", c.name, last)
		}
		<-run.Done()
		if run.Cancel() {
			t.Errorf("%s: an ended invocation was cancelled", c.name)
		}
	}
}

func TestTheCapHoldsUnderManyCallers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "go")
	s := agent("while [ ! -e " + file + " ]; do sleep 0.01; done")
	s.MaxConcurrent = 3
	m := manager(t, s)
	var mu sync.Mutex
	var runs []*Invocation
	busy := 0
	var wg sync.WaitGroup
	for range 40 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			slot, err := m.Reserve()
			mu.Lock()
			defer mu.Unlock()
			var full Busy
			if errors.As(err, &full) {
				busy++
				if full.Limit != 3 || full.Inflight != 3 {
					t.Errorf("%+v", full)
				}
				return
			}
			run, err := slot.Start(Request{Linger: time.Minute})
			if err != nil {
				t.Error(err)
				return
			}
			runs = append(runs, run)
		}()
	}
	wg.Wait()
	if len(runs) != 3 || busy != 37 {
		t.Errorf("%d run, %d were refused", len(runs), busy)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		follow(t, run)
	}
	waitFor(t, "the slots", func() bool { return m.State().Inflight == 0 })
	slot, err := m.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	slot.Release()
	slot.Release()
	if got := m.State().Inflight; got != 0 {
		t.Errorf("%d in flight", got)
	}
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestWhatDoesNotBegin(t *testing.T) {
	m := &Manager{Workdir: "/", Env: os.Environ}
	if _, err := m.Reserve(); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("without settings: %v", err)
	}
	m.Configure(Settings{Hash: "h"})
	if _, err := m.Reserve(); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("without an entrypoint: %v", err)
	}
	m = manager(t, agent("true"))
	m.Blocked = func() string { return "the installation is running" }
	if _, err := m.Reserve(); !errors.Is(err, ErrNotConfigured) || !strings.Contains(err.Error(), "running") {
		t.Errorf("while installing: %v", err)
	}
	m = manager(t, agent("sleep 100"))
	run := start(t, m, Request{ID: "mine", Linger: time.Minute})
	slot, _ := m.Reserve()
	if _, err := slot.Start(Request{ID: "mine"}); !errors.Is(err, ErrExists) {
		t.Errorf("the same id: %v", err)
	}
	run.Cancel()
	<-run.Done()
}

func TestADrainWaitsForInvocationsThatEndAndCancelsTheOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "go")
	m := manager(t, agent(`if [ "$1" = --prompt=quick ]; then while [ ! -e `+file+` ]; do sleep 0.01; done; else sleep 100; fi`))
	quick := start(t, m, Request{Prompt: "quick", Linger: time.Minute})
	slow := start(t, m, Request{Prompt: "slow", Linger: time.Minute})
	ctx, cancel := context.WithCancel(context.Background())
	drained := make(chan struct{})
	go func() {
		m.Drain(ctx)
		close(drained)
	}()
	waitFor(t, "the refusal of new ones", func() bool {
		slot, err := m.Reserve()
		if err == nil {
			slot.Release()
		}
		return errors.Is(err, ErrDraining)
	})
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if last := follow(t, quick); last[len(last)-1].Data["reason"] != Completed {
		t.Errorf("quick: %v", last)
	}
	cancel()
	<-drained
	if last := follow(t, slow); last[len(last)-1].Data["reason"] != Canceled {
		t.Errorf("slow: %v", last)
	}
}

func TestAReaderThatComesBackInTimeKeepsItAlive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "go")
	run := start(t, manager(t, agent("while [ ! -e "+file+" ]; do sleep 0.01; done; echo done")), Request{Linger: time.Minute})
	_, leave := run.Attach()
	leave()
	readers, detach := run.Attach()
	defer detach()
	if readers != 1 {
		t.Errorf("%d readers", readers)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lines(follow(t, run)); got != "stdout:done" {
		t.Errorf("%s", got)
	}
}

func TestAFloodReachesAReaderWhole(t *testing.T) {
	run := start(t, manager(t, agent("i=0; while [ $i -lt 60000 ]; do echo line $i of a flood that fills the log; i=$((i+1)); done")), Request{Linger: time.Minute})
	events := follow(t, run)
	if len(events) != 60_002 || events[60_000].Data["data"] != "line 59999 of a flood that fills the log" {
		t.Errorf("%d events", len(events))
	}
}

func TestWhatWasDeliveredIsKeptForAReaderWhoMayComeBack(t *testing.T) {
	const flood = "yes a line of a flood that is longer than what is kept otherwise, as it comes from a program | head -n 60000"
	first := func(linger time.Duration) (id, dropped int64) {
		run := start(t, manager(t, agent(flood)), Request{Linger: linger})
		_, detach := run.Attach()
		defer detach()
		follow(t, run)
		events, dropped, err := run.Events(context.Background(), 0)
		if err != nil || len(events) == 0 {
			t.Fatal(err)
		}
		return events[0].ID, dropped
	}
	if id, dropped := first(time.Minute); id != 1 || dropped != 0 {
		t.Errorf("the first is %d, %d are gone", id, dropped)
	}
	if id, dropped := first(0); id == 1 || dropped != id-1 {
		t.Errorf("nothing was let go: the first is %d, %d are gone", id, dropped)
	}
}

func TestEndedInvocationsDoNotPileUp(t *testing.T) {
	m := manager(t, agent("yes a line of a flood that is longer than what is kept otherwise, as it comes from a program | head -n 60000"))
	var runs []*Invocation
	for range 6 {
		run := start(t, m, Request{Linger: time.Minute})
		follow(t, run)
		runs = append(runs, run)
	}
	waitFor(t, "the first to be let go", func() bool { return m.Find(runs[0].ID()) == nil })
	if m.Find(runs[5].ID()) == nil {
		t.Error("the last is gone as well")
	}
}
