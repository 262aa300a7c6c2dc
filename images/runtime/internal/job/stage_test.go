// SPDX-License-Identifier: Apache-2.0

package job

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func stagedIn(t *testing.T, m *Manager) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(m.Workdir, stagedFolder))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestAnUploadIsPlacedByTheInstallation(t *testing.T) {
	m := manager(t)
	path := filepath.Join(m.Workdir, "app", "main 🙂.py")
	full, err := m.Stage(strings.NewReader("print(1)\n"), path)
	if err != nil || full.Size != 9 || full.Path != path {
		t.Fatal(full, err)
	}
	empty, err := m.Stage(strings.NewReader(""), "")
	if err != nil || empty.Size != 0 {
		t.Fatal(empty, err)
	}
	empty.Path = filepath.Join(m.Workdir, "app", "__init__.py")
	spec := sh("one", "cat 'app/main 🙂.py'; wc -c < app/__init__.py")
	spec.Files = []File{full, empty}
	if _, err := m.Start(spec); err != nil {
		t.Fatal(err)
	}
	if s := ended(t, m); s.ExitCode != 0 || !strings.HasPrefix(s.Log, "print(1)\n") || strings.TrimSpace(s.Log[9:]) != "0" {
		t.Errorf("%+v", s)
	}
	if left := stagedIn(t, m); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
	if _, err := m.Stage(strings.NewReader("print(1)\n"), path); err != nil || len(stagedIn(t, m)) != 0 {
		t.Errorf("%v: what is in place already was kept: %v", err, stagedIn(t, m))
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAnUploadThatFailsLeavesNothing(t *testing.T) {
	m := manager(t)
	if _, err := m.Stage(broken{}, ""); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	if _, err := m.Stage(io.LimitReader(zeros{}, MaxFile+1), ""); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if _, err := m.Stage(io.LimitReader(zeros{}, MaxFile), ""); err != nil {
		t.Errorf("%v", err)
	}
	left := stagedIn(t, m)
	if len(left) != 1 {
		t.Fatalf("%v", left)
	}
	old := filepath.Join(m.Workdir, stagedFolder, left[0])
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*stagedFor)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stage(strings.NewReader("new"), ""); err != nil {
		t.Fatal(err)
	}
	if now := stagedIn(t, m); len(now) != 1 || now[0] == left[0] {
		t.Errorf("%v", now)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func wholeLogOf(t *testing.T, m *Manager) string {
	t.Helper()
	file, err := m.Log()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// More than what is kept in memory, in colour, without a last line break, and of
// an installation that fails.
func TestTheWholeLogIsKeptAlsoOfAFailure(t *testing.T) {
	m := manager(t)
	if _, err := m.Log(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	_, _ = m.Start(sh("one", `i=0; while [ $i -lt 9000 ]; do echo "line $i"; i=$((i+1)); done; printf '\033[31mred\033[0m'; exit 7`))
	if s := ended(t, m); s.ExitCode != 7 || !s.Truncated {
		t.Errorf("%d %v", s.ExitCode, s.Truncated)
	}
	var want strings.Builder
	for i := range 9000 {
		want.WriteString("line " + strconv.Itoa(i) + "\n")
	}
	if got := wholeLogOf(t, m); got != want.String()+"\x1b[31mred\x1b[0m\n" {
		t.Errorf("%d bytes", len(got))
	}
	_, _ = m.Start(sh("two", "echo another"))
	ended(t, m)
	if got := wholeLogOf(t, m); got != "another\n" {
		t.Errorf("%q", got)
	}
}

func TestALogThatCannotBeWrittenCostsNothingElse(t *testing.T) {
	m := manager(t)
	if err := os.WriteFile(filepath.Join(m.Workdir, ".agenttier"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _ = m.Start(sh("one", "echo fine"))
	if s := ended(t, m); s.ExitCode != 0 || s.Log != "fine\n" {
		t.Errorf("%+v", s)
	}
}

func TestALogThatIsTooLongSaysSo(t *testing.T) {
	l := openLog(t.TempDir())
	path := l.file.Name()
	for range 20 {
		l.add(strings.Repeat("x", 1<<20))
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > MaxLogFile+200 || l.file != nil {
		t.Errorf("%v %v", info.Size(), err)
	}
}
