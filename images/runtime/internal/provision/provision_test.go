// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
)

func TestMain(m *testing.M) {
	reaper.Init()
	os.Exit(m.Run())
}

func file(path, content string) File {
	return File{Path: path, Mode: 0o640, Content: Content{Inline: []byte(content)}}
}

func deliverAll(t *testing.T, workdir string, files ...File) {
	t.Helper()
	if err := Files(Plan{Files: files}, "", workdir); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func put(t *testing.T, content string, parts ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(parts...), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFilesComeWithContentAndMode(t *testing.T) {
	contents, workdir := t.TempDir(), t.TempDir()
	big := strings.Repeat("0123456789abcdef", 1<<16)
	put(t, big, contents, "f0")
	put(t, `{"files":[{"path":"deep/down/big.bin","mode":384,"source":"f0"},{"path":"run.sh","mode":493,"inline":"aGk="}]}`, contents, ManifestName)
	plan, err := Read(contents)
	if err == nil {
		err = plan.Check()
	}
	if err == nil {
		err = Files(plan, contents, workdir)
	}
	if err != nil {
		t.Fatal(err)
	}
	if read(t, workdir, "deep/down/big.bin") != big || read(t, workdir, "run.sh") != "hi" {
		t.Error("contents differ")
	}
	for path, mode := range map[string]os.FileMode{"deep/down/big.bin": 0o600, "run.sh": 0o755} {
		if info, _ := os.Stat(filepath.Join(workdir, path)); info.Mode() != mode {
			t.Errorf("%s: %v", path, info.Mode())
		}
	}
}

func TestWhatAPersonChangedIsNotTakenBack(t *testing.T) {
	workdir := t.TempDir()
	deliverAll(t, workdir, file("a", "one"), file("b", "one"), file("c", "one"))
	put(t, "mine", workdir, "a")
	if err := os.Remove(filepath.Join(workdir, "c")); err != nil {
		t.Fatal(err)
	}
	deliverAll(t, workdir, file("a", "one"), file("b", "one"), file("c", "one"))
	if read(t, workdir, "a") != "mine" || read(t, workdir, "c") != "one" {
		t.Error("the same content again must change nothing, and bring back what is gone")
	}
	deliverAll(t, workdir, file("a", "two"), file("b", "two"))
	if read(t, workdir, "a") != "two" || read(t, workdir, "a.kept") != "mine" || read(t, workdir, "b") != "two" {
		t.Error("new content must come, and the person's own stay beside it")
	}
	if _, err := os.Lstat(filepath.Join(workdir, "b.kept")); err == nil {
		t.Error("what was delivered itself is not worth keeping")
	}
	put(t, "again", workdir, "a")
	deliverAll(t, workdir, file("a", "three"))
	if read(t, workdir, "a.kept") != "mine" || read(t, workdir, "a.kept-2") != "again" {
		t.Error("an earlier kept version was lost")
	}
	owned := file("p", "prompt")
	owned.Owned = true
	put(t, "tampered", workdir, "p")
	deliverAll(t, workdir, owned)
	if read(t, workdir, "p") != "prompt" {
		t.Error("the platform's own file must be what the specification says")
	}
}

func TestNoLinkIsFollowed(t *testing.T) {
	workdir, outside := t.TempDir(), t.TempDir()
	put(t, "safe", outside, "target")
	for name, target := range map[string]string{"dir": outside, "inside": ".", "leaf": filepath.Join(outside, "target")} {
		if err := os.Symlink(target, filepath.Join(workdir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"dir/target", "inside/x"} {
		err := Files(Plan{Files: []File{file(path, "bad")}}, "", workdir)
		if err == nil || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("%s: %v", path, err)
		}
	}
	deliverAll(t, workdir, file("leaf", "good"))
	if read(t, outside, "target") != "safe" || read(t, workdir, "leaf") != "good" {
		t.Error("a link was followed")
	}
	if target, err := os.Readlink(filepath.Join(workdir, "leaf.kept")); err != nil || target != filepath.Join(outside, "target") {
		t.Errorf("the link itself is kept: %q %v", target, err)
	}
	if err := Files(Plan{Files: []File{file("leaf/x", "bad")}}, "", workdir); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func TestAPlanIsChecked(t *testing.T) {
	for _, plan := range []Plan{
		{Files: []File{file("../x", "")}}, {Files: []File{file("/etc/x", "")}}, {Files: []File{file(".", "")}},
		{Files: []File{{Path: "x", Mode: 0o4755}}}, {RunScripts: "Never"},
	} {
		if plan.Check() == nil {
			t.Errorf("%+v passes", plan)
		}
	}
}

func scripts(texts ...string) Plan {
	plan := Plan{Shell: "/bin/sh"}
	for _, text := range texts {
		plan.Scripts = append(plan.Scripts, Content{Inline: []byte(text)})
	}
	return plan
}

func runner(t *testing.T, output *bytes.Buffer) Runner {
	return Runner{Workdir: t.TempDir(), Env: append(os.Environ(), "GREETING=hello"), Output: output}
}

func TestScriptsRunOnceInOrder(t *testing.T) {
	var output bytes.Buffer
	r := runner(t, &output)
	plan := scripts("echo $GREETING >> log", "#!/bin/sh\npwd >> log", "echo $GREETING >> log")
	for range 2 {
		if err := r.Scripts(plan); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := read(t, r.Workdir, "log"), "hello\n"+r.Workdir+"\nhello\n"; got != want {
		t.Errorf("%q", got)
	}
	plan.RunScripts = Always
	if err := r.Scripts(plan); err != nil || strings.Count(read(t, r.Workdir, "log"), "\n") != 6 {
		t.Errorf("Always: %v", err)
	}
	if err := r.Scripts(scripts("echo new >> log", "echo $GREETING >> log")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, r.Workdir, "log"); strings.Count(got, "\n") != 7 || !strings.HasSuffix(got, "new\n") {
		t.Errorf("only what is new runs: %q", got)
	}
}

func TestAFailureNamesItsScriptAndIsTriedAgain(t *testing.T) {
	var output bytes.Buffer
	r := runner(t, &output)
	plan := scripts("echo a >> log", "# installs\nls /no/such/file\necho on >> log", "echo c >> log")
	for range 2 {
		var failed *ScriptFailed
		err := r.Scripts(plan)
		if !errors.As(err, &failed) || failed.Number != 2 || failed.Of != 3 || failed.Code == 0 {
			t.Fatalf("%v", err)
		}
		if text := err.Error(); !strings.Contains(text, "init script 2 of 3 (ls /no/such/file)") || !strings.Contains(text, "No such file") {
			t.Errorf("%s", text)
		}
	}
	if got := read(t, r.Workdir, "log"); got != "a\n" {
		t.Errorf("%q", got)
	}
	if text := output.String(); !strings.Contains(text, "No such file") || !strings.Contains(text, "[agenttier] init script 1 of 3 (echo a >> log) has run") {
		t.Errorf("%s", text)
	}
}
