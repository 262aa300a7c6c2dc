// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func manager(t *testing.T) *Manager {
	t.Helper()
	return &Manager{Workdir: t.TempDir(), Env: os.Environ}
}

func sh(id, script string) Spec { return Spec{ID: id, Command: []string{"sh", "-c", script}} }

func ended(t *testing.T, m *Manager) State {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s := m.Wait(ctx)
	if s.State != StateDone {
		t.Fatalf("%+v", s)
	}
	return s
}

func TestAnInstallation(t *testing.T) {
	m := manager(t)
	if s := m.Wait(context.Background()); s.State != StateNone {
		t.Errorf("%+v", s)
	}
	spec := sh("one", "echo $WHO; pwd; echo err >&2; printf unfinished; exit 3")
	spec.Env = map[string]string{"WHO": "me"}
	started, err := m.Start(spec)
	if !started || err != nil {
		t.Fatal(started, err)
	}
	s := ended(t, m)
	if s.ExitCode != 3 || s.ID != "one" || s.Truncated || s.BytesTotal != int64(len(s.Log)) {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"me\n", m.Workdir + "\n", "err\n", "unfinished\n"} {
		if !strings.Contains(s.Log, want) {
			t.Errorf("%q is not in %q", want, s.Log)
		}
	}
	if got := m.Blocked(); !strings.Contains(got, "exit code 3") {
		t.Errorf("%q", got)
	}
	if again, err := m.Start(spec); again || err != nil {
		t.Errorf("the same again: %v %v", again, err)
	}
}

func TestOneAtATimeAndAnEndOnDemand(t *testing.T) {
	m := manager(t)
	_, _ = m.Start(sh("long", "sleep 100"))
	_, err := m.Start(sh("other", "true"))
	var running Running
	if !errors.As(err, &running) || running.ID != "long" {
		t.Errorf("%v", err)
	}
	if m.Blocked() == "" || m.Cancel("other") || !m.Cancel("long") || m.Cancel("long") {
		t.Error("cancelling")
	}
	if s := ended(t, m); s.ExitCode != -1 || s.Reason != "canceled" {
		t.Errorf("%+v", s)
	}
	if started, err := m.Start(sh("other", "true")); !started || err != nil {
		t.Fatal(started, err)
	}
	if s := ended(t, m); s.ExitCode != 0 || m.Blocked() != "" {
		t.Errorf("%+v", s)
	}
}

func TestTheTimeAndTheStart(t *testing.T) {
	m := manager(t)
	spec := sh("slow", "echo begun; sleep 100")
	spec.TimeoutSeconds = 1
	_, _ = m.Start(spec)
	if s := ended(t, m); s.ExitCode != -1 || s.Reason != "timeout" || !strings.Contains(s.Log, "begun\n[runtime] the installation took longer") {
		t.Errorf("%+v", s)
	}
	_, _ = m.Start(Spec{ID: "none", Command: []string{"no-such-program"}})
	if s := ended(t, m); s.ExitCode != -1 || s.Reason != "error" || !strings.Contains(s.Log, "no-such-program") {
		t.Errorf("%+v", s)
	}
	for _, spec := range []Spec{{}, {ID: "x", Files: []File{{Path: "a"}}}, {ID: "x", Files: []File{{Path: "/a/../b"}}}} {
		if _, err := m.Start(spec); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", spec, err)
		}
	}
}

func TestTheLogIsCutBetweenCharacters(t *testing.T) {
	m := manager(t)
	_, _ = m.Start(sh("loud", `i=0; while [ $i -lt 3000 ]; do echo "x🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂"; i=$((i+1)); done; echo end`))
	s := ended(t, m)
	if !s.Truncated || s.BytesTotal != 3000*82+4 || len(s.Log) > MaxLog || len(s.Log) < MaxLog-4 {
		t.Errorf("%d of %d bytes, cut %v", len(s.Log), s.BytesTotal, s.Truncated)
	}
	if !utf8.ValidString(s.Log) || !strings.HasSuffix(s.Log, "\nend\n") {
		t.Error("the log is broken")
	}
}

func fileOf(path, content string) File {
	sum := sha256.Sum256([]byte(content))
	return File{Path: path, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

func TestFilesArePlacedFromTheStagingFolder(t *testing.T) {
	m := manager(t)
	there := fileOf(filepath.Join(m.Workdir, "there"), "already")
	late := fileOf(filepath.Join(m.Workdir, "deep/late"), "late\n")
	empty := fileOf(filepath.Join(m.Workdir, "empty"), "")
	if err := os.WriteFile(there.Path, []byte("already"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := sh("files", "cat deep/late")
	spec.Files = []File{there, late, empty}
	_, err := m.Start(spec)
	var missing Missing
	if !errors.As(err, &missing) || len(missing.Paths) != 2 {
		t.Fatalf("%v", err)
	}
	if s := m.Wait(context.Background()); s.State != StateNone {
		t.Errorf("%+v", s)
	}
	for _, file := range []struct{ file, content string }{{late.SHA256, "late\n"}, {empty.SHA256, ""}} {
		path := filepath.Join(m.Workdir, stagedFolder, file.file)
		_ = os.MkdirAll(filepath.Dir(path), 0o700)
		if err := os.WriteFile(path, []byte(file.content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Start(spec); err != nil {
		t.Fatal(err)
	}
	if s := ended(t, m); s.ExitCode != 0 || s.Log != "late\n" {
		t.Errorf("%+v", s)
	}
	if left, _ := os.ReadDir(filepath.Join(m.Workdir, stagedFolder)); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	spec.Files[0].SHA256 = fileOf("", "other!!").SHA256
	spec.ID = "changed"
	if _, err := m.Start(spec); !errors.As(err, &missing) || missing.Paths[0] != there.Path {
		t.Errorf("%v", err)
	}
}
