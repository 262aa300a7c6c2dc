// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// Change is one operation on the tree.
type Change struct {
	// Op is mkdir, move, copy or chmod.
	Op   string
	Path string
	// To is the new path itself, not a folder to put it into.
	To string
	// Mode is octal, such as 0755.
	Mode string
	// Overwrite allows that something is at To already.
	Overwrite bool
}

// Apply makes the change and returns the entry as it is then.
func (s *Store) Apply(c Change) (clean string, entry Entry, created bool, err error) {
	at := c.Path
	switch c.Op {
	case "mkdir":
		created, err = s.mkdir(c)
	case "chmod":
		err = s.chmod(c)
	case "move", "copy":
		if c.To == "" {
			return "", Entry{}, false, Invalid("to: the new path is needed")
		}
		at, created = c.To, true
		err = s.transfer(c)
	default:
		err = Invalid("op: must be mkdir, move, copy or chmod")
	}
	if err != nil {
		return "", Entry{}, false, err
	}
	clean, entry, err = s.Stat(at)
	return clean, entry, created, err
}

func (s *Store) mkdir(c Change) (created bool, err error) {
	mode := fs.FileMode(folderMode)
	if c.Mode != "" {
		if mode, err = ParseMode(c.Mode); err != nil {
			return false, err
		}
	}
	place, err := s.Open(c.Path, true)
	if err != nil {
		return false, err
	}
	defer place.Close()
	if info, err := place.Root.Stat(place.Rel); err == nil && info.IsDir() {
		return false, nil
	}
	if err = place.Root.MkdirAll(path.Dir(place.Rel), folderMode); err == nil {
		err = place.Root.Mkdir(place.Rel, mode)
	}
	if err == nil && c.Mode != "" {
		// The process's umask has no say in what was asked for.
		err = place.Root.Chmod(place.Rel, mode)
	}
	if err != nil {
		return false, ProblemOf(place.Path, err)
	}
	return true, nil
}

func (s *Store) chmod(c Change) error {
	mode, err := ParseMode(c.Mode)
	if err != nil {
		return err
	}
	place, err := s.Open(c.Path, true)
	if err != nil {
		return err
	}
	defer place.Close()
	if err := place.Root.Chmod(place.Rel, mode); err != nil {
		return ProblemOf(place.Path, err)
	}
	return nil
}

// ParseMode reads an octal mode.
func ParseMode(text string) (fs.FileMode, error) {
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode > ModeMask {
		return 0, Invalid("mode: must be octal, from 0000 to 0777")
	}
	return fs.FileMode(mode), nil
}

// transfer moves or copies. What is copied appears under its new name when it
// is complete, unless it is a folder.
func (s *Store) transfer(c Change) error {
	from, err := s.Open(c.Path, false)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := s.Open(c.To, false)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := s.allowed(c, from, to); err != nil {
		return err
	}
	if err := to.Root.MkdirAll(path.Dir(to.Rel), folderMode); err != nil {
		return ProblemOf(path.Dir(to.Path), err)
	}
	err = syscall.EXDEV
	if c.Op == "move" && from.base == to.base {
		err = s.rename(c, from, to)
	}
	if !errors.Is(err, syscall.EXDEV) {
		return wrapped(to.Path, err)
	}
	if err := s.copyTo(c, from, to); err != nil {
		return ProblemOf(to.Path, err)
	}
	if c.Op == "move" {
		return wrapped(from.Path, from.Root.RemoveAll(from.Rel))
	}
	return nil
}

func wrapped(path string, err error) error {
	if err == nil {
		return nil
	}
	return ProblemOf(path, err)
}

func (s *Store) allowed(c Change, from, to *Place) error {
	if _, err := from.Root.Lstat(from.Rel); err != nil {
		return ProblemOf(from.Path, err)
	}
	same := from.base == to.base
	switch {
	case to.IsRoot(), c.Op == "move" && from.IsRoot():
		return problem(http.StatusForbidden, "permission_denied", "%q itself stays", to.base)
	case same && from.Rel == to.Rel:
		return Invalid("to: is where it is already")
	case same && (from.IsRoot() || strings.HasPrefix(to.Rel, from.Rel+"/")):
		return Invalid("to: a folder cannot go into itself")
	}
	return vacant(c, to)
}

// vacant refuses to replace what is not to be replaced.
func vacant(c Change, to *Place) error {
	info, err := to.Root.Lstat(to.Rel)
	switch {
	case errors.Is(err, syscall.ENOENT):
		return nil
	case err != nil:
		return ProblemOf(to.Path, err)
	case info.IsDir():
		return &Problem{Status: http.StatusConflict, Code: to.Path + " exists already, as a folder"}
	case !c.Overwrite:
		return &Problem{Status: http.StatusConflict, Code: to.Path + " exists already: set overwrite to replace it"}
	}
	return nil
}

func (s *Store) rename(c Change, from, to *Place) error {
	s.commits.Lock()
	defer s.commits.Unlock()
	if err := vacant(c, to); err != nil {
		return err
	}
	if err := from.Root.Rename(from.Rel, to.Rel); err != nil {
		return err
	}
	syncFolder(to.Root, path.Dir(to.Rel))
	syncFolder(from.Root, path.Dir(from.Rel))
	return nil
}

func (s *Store) copyTo(c Change, from, to *Place) error {
	source, err := from.Root.OpenRoot(path.Dir(from.Rel))
	if err != nil {
		return err
	}
	defer source.Close()
	dest, err := to.Root.OpenRoot(path.Dir(to.Rel))
	if err != nil {
		return err
	}
	defer dest.Close()
	name := path.Base(from.Rel)
	info, err := source.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return copyFolder(pair{source, name}, pair{dest, path.Base(to.Rel)}, MaxDepth)
	}
	return copyOne(pair{source, name}, pair{dest, path.Base(to.Rel)}, info, func(rename func() error) error {
		s.commits.Lock()
		defer s.commits.Unlock()
		if err := vacant(c, to); err != nil {
			return err
		}
		return rename()
	})
}

// freely renames: in a folder that was just made, nothing else is.
func freely(rename func() error) error { return rename() }

// pair is a name in a folder.
type pair struct {
	in   *os.Root
	name string
}

func copyFolder(from, to pair, depth int) error {
	source, err := from.in.OpenRoot(from.name)
	if err != nil {
		return err
	}
	defer source.Close()
	self, err := source.Lstat(".")
	if err != nil {
		return err
	}
	if depth == 0 {
		return Invalid("folders are nested deeper than %d", MaxDepth)
	}
	if err := to.in.Mkdir(to.name, 0o700); err != nil {
		return err
	}
	dest, err := to.in.OpenRoot(to.name)
	if err != nil {
		return err
	}
	defer dest.Close()
	names, err := namesIn(source)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := source.Lstat(name)
		switch {
		case errors.Is(err, syscall.ENOENT):
		case err != nil:
			return err
		case info.IsDir():
			err = copyFolder(pair{source, name}, pair{dest, name}, depth-1)
		default:
			err = copyOne(pair{source, name}, pair{dest, name}, info, freely)
		}
		if err != nil && !errors.Is(err, syscall.ENOENT) {
			return err
		}
	}
	// Last, or nothing could go into a folder that is not to be written to.
	return dest.Chmod(".", self.Mode().Perm())
}

// copyOne copies what is no folder; commit gives it its name. Pipes, sockets
// and devices are not data.
func copyOne(from, to pair, info fs.FileInfo, commit func(rename func() error) error) error {
	temp := TempName(to.name)
	var err error
	switch {
	case info.Mode().IsRegular():
		err = copyContent(from, pair{to.in, temp}, info.Mode().Perm())
	case info.Mode()&fs.ModeSymlink != 0:
		var target string
		if target, err = from.in.Readlink(from.name); err == nil {
			err = to.in.Symlink(target, temp)
		}
	default:
		return nil
	}
	if err == nil {
		err = commit(func() error { return to.in.Rename(temp, to.name) })
	}
	if err != nil {
		_ = to.in.Remove(temp)
	}
	return err
}

func copyContent(from, to pair, mode fs.FileMode) error {
	source, err := from.in.OpenFile(from.name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	dest, err := to.in.OpenFile(to.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	// The kernel copies between two files by itself.
	if _, err = dest.ReadFrom(source); err == nil {
		err = dest.Chmod(mode)
	}
	return errors.Join(err, dest.Close())
}
