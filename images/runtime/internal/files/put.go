// SPDX-License-Identifier: Apache-2.0

package files

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	folderMode = 0o755
	fileMode   = 0o644
	// ModeMask is what a mode can say: programs that run as somebody else are
	// not made over the network.
	ModeMask = 0o777

	maxStem    = 200
	mark       = ".agenttier-"
	bufferSize = 256 << 10
	// worthReserving is a size from which finding out late that there is no
	// room costs more than asking for it.
	worthReserving = 1 << 20
)

// Upload is the content that a file is to have.
type Upload struct {
	Body io.Reader
	// Length is -1 when it is not known.
	Length int64
	// Mode of zero keeps what the file has, or is 0644.
	Mode fs.FileMode
	Conditions
}

// Written is a file after a change.
type Written struct {
	Path    string `json:"path"`
	Bytes   int64  `json:"bytes"`
	ETag    string `json:"etag"`
	Created bool   `json:"created"`
}

// Put replaces a file as a whole or not at all: the content goes into another
// file in the same folder, which takes the name when all of it is on disk. Folders
// on the way are made.
func (s *Store) Put(given string, up Upload) (*Written, error) {
	place, err := s.target(given, up.Conditions)
	if err != nil {
		return nil, err
	}
	defer place.Close()
	if err := s.fits(place.Path, up.Length); err != nil {
		return nil, err
	}
	temp := path.Join(path.Dir(place.Rel), TempName(path.Base(place.Rel)))
	file, err := place.Root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, ProblemOf(place.Path, err)
	}
	written, err := s.fill(file, up)
	if err == nil {
		err = s.finish(place, file, temp, up)
	}
	info, _ := file.Stat()
	_ = file.Close()
	if err != nil {
		_ = place.Root.Remove(temp)
		return nil, ProblemOf(place.Path, err)
	}
	return &Written{place.Path, written, ETag(info), place.created}, nil
}

// target finds the file to be written, checks what is there and makes its
// folders.
func (s *Store) target(given string, conditions Conditions) (*goal, error) {
	place, err := s.Open(given, true)
	if err != nil {
		return nil, err
	}
	g := &goal{Place: place}
	if err := g.look(conditions); err != nil {
		place.Close()
		return nil, ProblemOf(place.Path, err)
	}
	if err := place.Root.MkdirAll(path.Dir(place.Rel), folderMode); err != nil {
		place.Close()
		return nil, ProblemOf(path.Dir(place.Path), err)
	}
	return g, nil
}

// goal is a place that a file is to be written to.
type goal struct {
	*Place
	created bool
	mode    fs.FileMode
}

// look judges what is at the place now.
func (g *goal) look(conditions Conditions) error {
	info, err := g.Root.Lstat(g.Rel)
	switch {
	case errors.Is(err, syscall.ENOENT):
		g.created, g.mode = true, fileMode
		return conditions.check(g.Path, nil)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return problem(http.StatusConflict, g.Path+" is no file, but a "+typeOf(info.Mode()), "")
	}
	g.created, g.mode = false, info.Mode().Perm()
	return conditions.check(g.Path, info)
}

// finish gives the written file the name that it was written for. Changes over
// the network are made one after another, so that of two with the same
// condition one fails.
func (s *Store) finish(g *goal, file *os.File, temp string, up Upload) error {
	mode := g.mode
	if up.Mode != 0 {
		mode = up.Mode
	}
	if err := file.Chmod(mode); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	s.commits.Lock()
	defer s.commits.Unlock()
	if err := g.look(up.Conditions); err != nil {
		return err
	}
	if err := g.Root.Rename(temp, g.Rel); err != nil {
		return err
	}
	syncFolder(g.Root, path.Dir(g.Rel))
	return nil
}

// fill writes all of the body. A body that ends early is an error of its
// reader.
func (s *Store) fill(file *os.File, up Upload) (int64, error) {
	if up.Length > worthReserving {
		if err := reserve(file, up.Length); err != nil {
			return 0, err
		}
	}
	return copyAll(file, up.Body)
}

// copyAll tells a body that broke off from a file that cannot be written.
func copyAll(to io.Writer, from io.Reader) (int64, error) {
	source := &watched{from: from}
	// The plain Writer keeps the copy from bypassing the buffer.
	n, err := io.CopyBuffer(struct{ io.Writer }{to}, source, make([]byte, bufferSize))
	if source.err != nil {
		return n, Invalid("the upload broke off after %d bytes: %v", n, source.err)
	}
	return n, err
}

type watched struct {
	from io.Reader
	err  error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// reserve asks for the room before anything is sent. File systems that cannot
// tell find out while writing.
func reserve(file *os.File, size int64) error {
	for {
		err := unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT), errors.Is(err, unix.EFBIG):
			return err
		default:
			return nil
		}
	}
}

func (s *Store) fits(path string, length int64) error {
	if s.MaxFile > 0 && length > s.MaxFile {
		return ProblemOf(path, syscall.EFBIG)
	}
	return nil
}

// TempName is a name beside the one that is written. The start of the name
// shows people what was being written, should the machine fail.
func TempName(name string) string {
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	return partName(name, hex.EncodeToString(random))
}

func partName(name, id string) string {
	return "." + name[:min(len(name), maxStem)] + mark + id
}

// syncFolder makes a rename last. Some file systems cannot, and have nothing
// to be made to last then.
func syncFolder(root *os.Root, rel string) {
	if folder, err := root.Open(rel); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}
