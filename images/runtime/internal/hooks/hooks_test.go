// SPDX-License-Identifier: Apache-2.0

package hooks

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
)

func TestMain(m *testing.M) {
	reaper.Init()
	os.Exit(m.Run())
}

func runner(t *testing.T) *Runner {
	return &Runner{Env: childenv.NewLive(os.Environ()), Workdir: t.TempDir(), Shell: "/bin/sh"}
}

func TestAHookRunsOncePerID(t *testing.T) {
	r := runner(t)
	request := Request{ID: "pod-1", Script: "echo $AGENTTIER_HOOK >> log; echo said; echo bad >&2; exit 3"}
	for range 3 {
		got, ok := r.Run(context.Background(), "onStart", request)
		if !ok || got.ExitCode != 3 || got.Stdout != "said\n" || got.Stderr != "bad\n" || got.ID != "pod-1" {
			t.Errorf("%+v %v", got, ok)
		}
	}
	r.Run(context.Background(), "onStop", request)
	request.ID = "pod-2"
	r.Run(context.Background(), "onStart", request)
	if log, _ := os.ReadFile(filepath.Join(r.Workdir, "log")); string(log) != "onStart\nonStop\nonStart\n" {
		t.Errorf("%q", log)
	}
}

func TestAHookStopsAtItsFirstFailureAndItsLimit(t *testing.T) {
	r := runner(t)
	got, _ := r.Run(context.Background(), "onStart", Request{ID: "a", Script: "false\necho on"})
	if got.ExitCode != 1 || got.Stdout != "" {
		t.Errorf("%+v", got)
	}
	got, _ = r.Run(context.Background(), "onStop", Request{ID: "b", Script: "sleep 600", TimeoutSeconds: 1})
	if !got.TimedOut || got.ExitCode != -1 {
		t.Errorf("%+v", got)
	}
}

func TestAHookMayLeaveAProgramRunning(t *testing.T) {
	r := runner(t)
	got, _ := r.Run(context.Background(), "onStart", Request{ID: "a", Script: "sleep 600 & echo $! > pid"})
	if got.ExitCode != 0 {
		t.Fatalf("%+v", got)
	}
	pid, _ := os.ReadFile(filepath.Join(r.Workdir, "pid"))
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err != nil {
		t.Errorf("the program that the hook started is gone: %v", err)
	}
	r.Run(context.Background(), "onStop", Request{ID: "a", Script: "kill $(cat pid)"})
}

func TestWhatCannotRunSaysWhy(t *testing.T) {
	got, _ := runner(t).Run(context.Background(), "onStart", Request{ID: "a", Script: "true", Shell: "/no/shell"})
	if got.ExitCode != -1 || !strings.Contains(got.Stderr, "/no/shell") {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		name    string
		request Request
		want    string
	}{
		{"onBirthday", Request{ID: "a", Script: "true"}, "must be onStart"},
		{"onStart", Request{Script: "true"}, "id:"},
		{"onStart", Request{ID: "a"}, "script:"},
		{"onStart", Request{ID: "a", Script: "true", TimeoutSeconds: -1}, "timeoutSeconds:"},
		{"onStart", Request{ID: "a", Script: strings.Repeat("x", 200<<10)}, "script:"},
	} {
		if err := Check(c.name, c.request); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.request.ID, err)
		}
	}
}

func TestTail(t *testing.T) {
	if got := Tail([]byte(strings.Repeat("é", 4000))); len(got) > maxTail || strings.Trim(got, "é") != "" {
		t.Errorf("%d bytes", len(got))
	}
}
