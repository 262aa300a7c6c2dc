// SPDX-License-Identifier: Apache-2.0

package tools

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

func TestTools(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	script := func(name, text string) string {
		return "mkdir -p bin && printf '#!/bin/sh\\n%s\\n' '" + text + "' > bin/" + name + " && chmod 755 bin/" + name
	}
	r := &Runner{Env: childenv.NewLive([]string{"PATH=" + bin + ":/usr/bin:/bin"}), Workdir: dir, Shell: "/bin/sh"}
	request := Request{ID: "pod-1", Tools: []Tool{
		{Name: "there", InstallCommand: script("there", "echo there 3.12.4")},
		{Name: "wanted", Version: "3.12", InstallCommand: script("wanted", "echo wanted v3.12.4")},
		{Name: "old", Version: "4", InstallCommand: script("old", "echo old 3.12.4")},
		{Name: "mute", InstallCommand: script("mute", "exit 2")},
		{Name: "missing"},
		{Name: "broken", InstallCommand: "echo no network >&2; exit 7"},
		{Name: "own", VerifyCommand: "echo build 2024-06-01 release 1.2.3-rc.1", Version: "1.2.3-rc.1"},
	}}
	got, ok := r.Verify(context.Background(), request)
	want := []State{
		{Name: "there", Version: "3.12.4", Ready: true},
		{Name: "wanted", Version: "3.12.4", Ready: true},
		{Name: "old", Version: "3.12.4", Message: "version 4 is wanted, 3.12.4 was found"},
		{Name: "mute", Ready: true},
		{Name: "missing", Message: "verifyCommand ended with exit code 127: missing is not in PATH"},
		{Name: "broken", Message: "installCommand ended with exit code 7: no network"},
		{Name: "own", Version: "1.2.3-rc.1", Ready: true},
	}
	if !ok || len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, not %+v", got[i], want[i])
		}
	}
	if err := os.RemoveAll(bin); err != nil {
		t.Fatal(err)
	}
	if again, _ := r.Verify(context.Background(), request); !again[0].Ready {
		t.Error("the same id was run again")
	}
}

func TestWhatIsThereIsNotInstalled(t *testing.T) {
	dir := t.TempDir()
	r := &Runner{Env: childenv.NewLive(os.Environ()), Workdir: dir, Shell: "/bin/sh"}
	r.Verify(context.Background(), Request{ID: "a", Tools: []Tool{{Name: "sh", VerifyCommand: "true", InstallCommand: "touch installed"}}})
	if _, err := os.Stat(filepath.Join(dir, "installed")); err == nil {
		t.Error("installed although it is there")
	}
}

func TestVersions(t *testing.T) {
	for output, want := range map[string]string{
		"git version 2.43.0": "2.43.0", "v24.11.1": "24.11.1", "go version go1.26.8 linux/amd64": "1.26.8", "none": "",
		"openssl 3.0.13 30 Jan 2024": "3.0.13", "Python 3.14.0rc2": "3.14.0",
	} {
		if got := versionIn(output); got != want {
			t.Errorf("%q: %q", output, got)
		}
	}
	if satisfies("3.1", "3.12.4", "x 3.12.4") || !satisfies("v24", "24.11.1", "v24.11.1") || !satisfies("=1.2", "1.2", "1.2") {
		t.Error("versions are compared by their parts")
	}
	if err := Check(Request{ID: "a", Tools: []Tool{{}}}); err == nil || !strings.Contains(err.Error(), "name") {
		t.Errorf("%v", err)
	}
}
