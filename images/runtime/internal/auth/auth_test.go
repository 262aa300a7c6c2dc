// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func request(authorization string) *http.Request {
	r, _ := http.NewRequest(http.MethodGet, "http://pod/version", nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o440); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesToStartWithoutAToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	write(t, path, " \n\n")
	if _, err := Load(path); !errors.Is(err, ErrNoToken) {
		t.Errorf("empty file: %v", err)
	}
}

func TestAllowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, "new-token\nold-token\n")
	tokens, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]bool{
		"Bearer new-token":   true,
		"bearer old-token":   true,
		"":                   false,
		"Bearer ":            false,
		"Bearer":             false,
		"Bearer new-token ":  false,
		"Bearer new-toke":    false,
		"Basic new-token":    false,
		"Bearer new-token\n": false,
	}
	for header, want := range cases {
		if got := tokens.Allowed(request(header)); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// A Secret volume is swapped as kubelet does it: a new folder, then a rename of
// the ..data link.
func TestFollowsARotatedSecretVolume(t *testing.T) {
	dir := t.TempDir()
	publish := func(generation, token string) {
		folder := filepath.Join(dir, generation)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, "token"), token)
		if err := os.Symlink(generation, filepath.Join(dir, "..next")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..next"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	publish("..1", "first")
	if err := os.Symlink("..data/token", filepath.Join(dir, "token")); err != nil {
		t.Fatal(err)
	}
	tokens, err := Load(filepath.Join(dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	publish("..2", "other")
	if tokens.Allowed(request("Bearer first")) || !tokens.Allowed(request("Bearer other")) {
		t.Error("the rotated token is not in force")
	}
	if err := os.RemoveAll(filepath.Join(dir, "..2")); err != nil {
		t.Fatal(err)
	}
	if !tokens.Allowed(request("Bearer other")) {
		t.Error("a file that is away for a moment locks everybody out")
	}
	publish("..3", "")
	if tokens.Allowed(request("Bearer other")) {
		t.Error("an emptied file still lets the old token in")
	}
}
