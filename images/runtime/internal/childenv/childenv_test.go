// SPDX-License-Identifier: Apache-2.0

package childenv

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestBase(t *testing.T) {
	work, home := t.TempDir(), t.TempDir()
	cases := []struct {
		name     string
		in, want []string
	}{
		{
			"runtime settings never reach a child",
			[]string{"PATH=/bin", "AGENTTIER_RUNTIME_TOKEN=secret", "HOME=" + home, "A=1"},
			[]string{"PATH=/bin", "HOME=" + home, "A=1"},
		},
		{"no HOME", []string{"PATH=/bin"}, []string{"PATH=/bin", "HOME=" + work}},
		{"HOME that is not there", []string{"HOME=/nowhere", "PATH=/bin"}, []string{"PATH=/bin", "HOME=" + work}},
		{"no PATH", []string{"HOME=" + home}, []string{"HOME=" + home, "PATH=" + defaultPath}},
	}
	for _, c := range cases {
		if got := Base(c.in, work); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestLookPathUsesTheChildsPathAndFolder(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, path, want string }{
		{"tool", "/nowhere:" + dir, tool},
		{"tool", ".", tool},
		{"./tool", "", tool},
		{tool, "", tool},
		{"plain", dir, ""},
		{"absent", dir, ""},
	}
	for _, c := range cases {
		got, err := LookPath(c.name, dir, []string{"PATH=" + c.path})
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s in %s: %q %v, want %q", c.name, c.path, got, err, c.want)
		}
	}
}
