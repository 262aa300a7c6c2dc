// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"
	"net/http"
	"os"
	"path"
	"sync"
	"syscall"
)

// Store is the files of a sandbox as seen from outside.
type Store struct {
	*Roots
	// MaxFile is the size that the harness holds files to; zero is none.
	MaxFile int64

	commits sync.Mutex
}

// Read opens a file to be read. A pipe that nobody writes to does not block
// it, since only regular files are read.
func (s *Store) Read(given string) (*os.File, os.FileInfo, error) {
	place, err := s.Open(given, true)
	if err != nil {
		return nil, nil, err
	}
	defer place.Close()
	file, err := place.Root.OpenFile(place.Rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, nil, missing(place.Path)
	} else if err != nil {
		return nil, nil, ProblemOf(place.Path, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = Invalid("%q is no file, but a %s", place.Path, typeOf(info.Mode()))
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, ProblemOf(place.Path, err)
	}
	return file, info, nil
}

// Folder opens a folder as a root of its own.
func (s *Store) Folder(given string) (root *os.Root, clean string, err error) {
	place, err := s.Open(given, true)
	if err != nil {
		return nil, "", err
	}
	defer place.Close()
	root, err = place.Root.OpenRoot(place.Rel)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, "", &Problem{Status: http.StatusNotFound, Code: place.Path + " is no folder"}
	}
	if err != nil {
		return nil, "", ProblemOf(place.Path, err)
	}
	return root, place.Path, nil
}

// Remove deletes a file, a link, or a folder, with all that is in it when
// recursive is set.
func (s *Store) Remove(given string, recursive bool, conditions Conditions) error {
	place, err := s.Open(given, false)
	if err != nil {
		return err
	}
	defer place.Close()
	if place.IsRoot() {
		return problem(http.StatusForbidden, "permission_denied", "%q itself stays", place.Path)
	}
	s.commits.Lock()
	defer s.commits.Unlock()
	info, err := place.Root.Lstat(place.Rel)
	if err == nil {
		err = conditions.check(place.Path, info)
	}
	switch {
	case err != nil:
	case recursive && info.IsDir():
		err = place.Root.RemoveAll(place.Rel)
	default:
		err = place.Root.Remove(place.Rel)
	}
	if err != nil {
		return ProblemOf(place.Path, err)
	}
	syncFolder(place.Root, path.Dir(place.Rel))
	return nil
}
