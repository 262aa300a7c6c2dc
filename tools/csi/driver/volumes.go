// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// Record is what the driver remembers of a volume or a snapshot, in a JSON file beside its folder.
type Record struct {
	ID       string    `json:"id"`
	Capacity int64     `json:"capacity"`
	Source   string    `json:"source,omitempty"`
	Created  time.Time `json:"created"`
}

var errNotFound = errors.New("not found")

// safeID is a name that is also a harmless file name; the provisioner sends pvc-<uid> and snapshot-<uid>.
var safeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

// Shelf keeps folders of one kind below a directory: <dir>/<id>/ and <dir>/<id>.json. The record is written last, so
// a folder without a record is the leftover of a crash and is made anew.
type Shelf struct {
	dir   string
	mutex sync.Mutex
}

func newShelf(dir string) (*Shelf, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &Shelf{dir: dir}, nil
}

func (s *Shelf) folder(id string) string { return filepath.Join(s.dir, id) }

func (s *Shelf) get(id string) (Record, error) {
	var record Record
	if !safeID.MatchString(id) {
		return record, errNotFound
	}
	raw, err := os.ReadFile(s.folder(id) + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return record, errNotFound
	}
	if err != nil {
		return record, err
	}
	return record, json.Unmarshal(raw, &record)
}

// ensure returns the record of id, making its folder by fill first when there is none. Asking twice gives the same.
func (s *Shelf) ensure(record Record, fill func(folder string) error) (Record, error) {
	if !safeID.MatchString(record.ID) {
		return record, fmt.Errorf("%q is no usable name", record.ID)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known, err := s.get(record.ID); err == nil || !errors.Is(err, errNotFound) {
		return known, err
	}
	folder := s.folder(record.ID)
	if err := os.RemoveAll(folder); err != nil {
		return record, err
	}
	if err := fill(folder); err != nil {
		return record, err
	}
	return record, s.write(record)
}

func (s *Shelf) write(record Record) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	draft := s.folder(record.ID) + ".json.draft"
	if err := os.WriteFile(draft, raw, 0o644); err != nil {
		return err
	}
	return os.Rename(draft, s.folder(record.ID)+".json")
}

// remove forgets id and deletes its folder; removing what is not there is fine.
func (s *Shelf) remove(id string) error {
	if !safeID.MatchString(id) {
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := os.RemoveAll(s.folder(id)); err != nil {
		return err
	}
	if err := os.Remove(s.folder(id) + ".json"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func emptyFolder(folder string) error { return os.Mkdir(folder, 0o770) }

// copyOf fills a folder with a copy of another: shared blocks where the file system can, with owners, modes and links.
func copyOf(source string) func(string) error {
	return func(folder string) error {
		output, err := exec.Command("cp", "-a", "--reflink=auto", source, folder).CombinedOutput()
		if err != nil {
			return fmt.Errorf("copy: %w: %s", err, output)
		}
		return nil
	}
}
