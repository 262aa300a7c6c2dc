// SPDX-License-Identifier: Apache-2.0

// Package auth checks the bearer token that the operator mounts as a file.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
)

// ErrNoToken says that the file has no token in it.
var ErrNoToken = errors.New("the token file is empty: it must hold the sandbox's runtime token")

const maxFile = 64 << 10

// Tokens is the set of accepted tokens: each non-empty line of the file is one,
// so that a rotation may keep the old one for a while. The file is looked at
// (one stat) on each check and read again when it has changed: a Secret volume
// swaps a symlink, which no watch on the file itself would see.
type Tokens struct {
	path string

	mu     sync.Mutex
	seen   stamp
	hashes [][sha256.Size]byte
	added  [][sha256.Size]byte
}

type stamp struct {
	dev, inode    uint64
	size          int64
	seconds, nano int64
}

// Load reads the token file. It fails when the file is missing or empty: the
// runtime never serves without authentication.
func Load(path string) (*Tokens, error) {
	t := &Tokens{path: path}
	seen, err := look(path)
	if err != nil {
		return nil, fmt.Errorf("token file: %w", err)
	}
	if err := t.read(seen); err != nil {
		return nil, fmt.Errorf("token file: %w", err)
	}
	if len(t.hashes) == 0 {
		return nil, ErrNoToken
	}
	return t, nil
}

// Allowed tells whether the request bears one of the tokens.
func (t *Tokens) Allowed(r *http.Request) bool {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return false
	}
	given := sha256.Sum256([]byte(token))
	match := 0
	file, added := t.current()
	for _, hashes := range [][][sha256.Size]byte{file, added} {
		for _, hash := range hashes {
			match |= subtle.ConstantTimeCompare(given[:], hash[:])
		}
	}
	return match == 1
}

// Add accepts one more token, whatever the file says, for as long as the
// process lives.
func (t *Tokens) Add(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.added = append(t.added, sha256.Sum256([]byte(token)))
}

// current re-reads a changed file. While the file cannot be read (a Secret
// being swapped) the tokens known so far go on; an emptied file denies all.
func (t *Tokens) current() (file, added [][sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seen, err := look(t.path); err == nil && seen != t.seen {
		_ = t.read(seen)
	}
	return t.hashes, t.added
}

func (t *Tokens) read(seen stamp) error {
	content, err := os.ReadFile(t.path)
	if err != nil {
		return err
	}
	if len(content) > maxFile {
		return fmt.Errorf("larger than %d bytes", maxFile)
	}
	var hashes [][sha256.Size]byte
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" {
			hashes = append(hashes, sha256.Sum256([]byte(line)))
		}
	}
	t.seen, t.hashes = seen, hashes
	return nil
}

func look(path string) (stamp, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return stamp{}, fmt.Errorf("%s: %w", path, err)
	}
	return stamp{uint64(st.Dev), st.Ino, st.Size, int64(st.Ctim.Sec), int64(st.Ctim.Nsec)}, nil
}
