// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
	"github.com/agenttier/agenttier/images/runtime/internal/shell"
)

const (
	markFolder = stateFolder + "/init"
	maxTail    = 600
	maxTitle   = 60
	// outputGrace is how long a script's last output may take while something
	// that it left running holds its stream open.
	outputGrace = 150 * time.Millisecond
)

// ScriptFailed says which script did not end well.
type ScriptFailed struct {
	Number, Of int
	Title      string
	Code       int
	Tail       string
}

func (e *ScriptFailed) Error() string {
	text := fmt.Sprintf("init script %d of %d (%s) ended with exit code %d", e.Number, e.Of, e.Title, e.Code)
	if e.Tail != "" {
		text += ": " + e.Tail
	}
	return text
}

// Runner is the surroundings of init scripts.
type Runner struct {
	Folder, Workdir string
	Env             []string
	Output          io.Writer
}

// Scripts runs the plan's scripts one after the other and stops at the first
// that fails, with a *ScriptFailed. A script that has run well on this volume
// is not run again, unless the plan says Always: the mark is by its text, so a
// script that was changed is another one.
func (r Runner) Scripts(plan Plan) error {
	root, err := os.OpenRoot(r.Workdir)
	if err != nil {
		return err
	}
	defer root.Close()
	seen := map[string]int{}
	for i, script := range plan.Scripts {
		text, err := script.read(r.Folder)
		if err != nil {
			return fmt.Errorf("init script %d of %d: %w", i+1, len(plan.Scripts), err)
		}
		key := digest(text)
		seen[key]++
		// The same text a second time is another run.
		mark := fmt.Sprintf("%s/%s-%d", markFolder, key, seen[key])
		if err := r.one(root, plan, step{number: i + 1, text: text, mark: mark}); err != nil {
			return err
		}
	}
	return nil
}

type step struct {
	number int
	text   []byte
	mark   string
}

func (r Runner) one(root *os.Root, plan Plan, s step) error {
	name := fmt.Sprintf("init script %d of %d (%s)", s.number, len(plan.Scripts), title(s.text))
	if plan.RunScripts != Always && isMarked(root, s.mark) {
		fmt.Fprintf(r.Output, "[agenttier] %s has run on this volume\n", name)
		return nil
	}
	fmt.Fprintf(r.Output, "[agenttier] %s begins\n", name)
	code, tail, err := r.run(plan, s.text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(r.Output, "[agenttier] %s ended with exit code %d\n", name, code)
	if code != 0 {
		return &ScriptFailed{Number: s.number, Of: len(plan.Scripts), Title: title(s.text), Code: code, Tail: tail}
	}
	return putState(root, s.mark, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"))
}

func isMarked(root *os.Root, mark string) bool {
	_, err := root.Lstat(mark)
	return !errors.Is(err, fs.ErrNotExist)
}

func (r Runner) run(plan Plan, text []byte) (code int, tail string, err error) {
	dir, err := os.MkdirTemp("", "agenttier-init-")
	if err != nil {
		return 0, "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, text, 0o700); err != nil {
		return 0, "", err
	}
	argv, err := r.argv(plan, text, file)
	if err != nil {
		return 0, "", err
	}
	return r.start(argv, r.folder(plan))
}

// argv leaves it to a script's first line to say what runs it.
func (r Runner) argv(plan Plan, text []byte, file string) ([]string, error) {
	if bytes.HasPrefix(text, []byte("#!")) {
		return []string{file}, nil
	}
	chosen, err := shell.Choose(r.Env, plan.Shell)
	if err != nil {
		return nil, err
	}
	return shell.FileArgv(chosen, file), nil
}

func (r Runner) folder(plan Plan) string {
	if filepath.IsAbs(plan.WorkingDir) {
		if info, err := os.Stat(plan.WorkingDir); err == nil && info.IsDir() {
			return plan.WorkingDir
		}
		return r.Workdir
	}
	return filepath.Join(r.Workdir, plan.WorkingDir)
}

func (r Runner) start(argv []string, dir string) (code int, tail string, err error) {
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return 0, "", err
	}
	defer nothing.Close()
	from, to, err := os.Pipe()
	if err != nil {
		return 0, "", err
	}
	child, err := reaper.Start(argv[0], argv, &os.ProcAttr{
		Dir: dir, Env: childenv.Set(r.Env, "PWD", dir), Files: []*os.File{nothing, to, to},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	_ = to.Close()
	if err != nil {
		_ = from.Close()
		return 0, "", err
	}
	end, copied := &tailWriter{}, make(chan struct{})
	go func() {
		defer close(copied)
		defer from.Close()
		_, _ = io.Copy(io.MultiWriter(r.Output, end), from)
	}()
	exit := child.Wait()
	select {
	case <-copied:
	case <-time.After(outputGrace):
	}
	return exit.Code, end.text(), nil
}

// tailWriter keeps the end of what is written to it.
type tailWriter struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tailWriter) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = t.kept[over:]
	}
	return len(p), nil
}

func (t *tailWriter) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.kept), ""))
}

// title is the first line of a script that does something.
func title(text []byte) string {
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "set ") {
			continue
		}
		if len(line) > maxTitle {
			line = strings.ToValidUTF8(line[:maxTitle], "") + "..."
		}
		return line
	}
	return "empty"
}
