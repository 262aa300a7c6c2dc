// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"regexp"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Range is a Content-Range of bytes. First is -1 when it only asks how much
// has come; Last is inclusive.
type Range struct{ First, Last, Total int64 }

var contentRange = regexp.MustCompile(`^bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})$`)

// ParseContentRange reads `bytes 0-99/1000` and `bytes */1000`.
func ParseContentRange(text string) (Range, error) {
	parts := contentRange.FindStringSubmatch(text)
	if parts == nil {
		return Range{}, Invalid(`Content-Range: must read "bytes FIRST-LAST/TOTAL", or "bytes */TOTAL" to ask how much has come`)
	}
	// 18 digits fit.
	number := func(text string) int64 { n, _ := strconv.ParseInt(text, 10, 64); return n }
	total := number(parts[3])
	if parts[1] == "" {
		return Range{First: -1, Last: -1, Total: total}, nil
	}
	r := Range{First: number(parts[1]), Last: number(parts[2]), Total: total}
	if r.First > r.Last || r.Last >= total {
		return Range{}, Invalid("Content-Range: FIRST <= LAST < TOTAL does not hold")
	}
	return r, nil
}

// Piece is a part of an upload that goes on over several requests.
type Piece struct {
	Range
	// ID ties the pieces together; the client chooses it.
	ID string
	Upload
}

// Progress is how much of an upload has come. Written is set once it is a file.
type Progress struct {
	Path     string
	Received int64
	Written  *Written
}

var uploadID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// Patch adds a piece. The file takes its name with the last one.
func (s *Store) Patch(given string, p Piece) (*Progress, error) {
	if !uploadID.MatchString(p.ID) {
		return nil, Invalid("upload: up to 32 letters, digits, '-' and '_' that name this upload")
	}
	g, err := s.target(given, p.Conditions)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	if err := s.fits(g.Path, p.Total); err != nil {
		return nil, err
	}
	part := path.Join(path.Dir(g.Rel), partName(path.Base(g.Rel), p.ID))
	file, err := openPart(g, part, p.First == 0 || p.Total == 0)
	if errors.Is(err, syscall.ENOENT) {
		return s.behind(g, p, 0)
	}
	if err != nil {
		return nil, ProblemOf(g.Path, err)
	}
	defer file.Close()
	progress, err := s.extend(g, file, part, p)
	if err != nil {
		for _, full := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG} {
			if errors.Is(err, full) {
				_ = g.Root.Remove(part)
			}
		}
		return progress, ProblemOf(g.Path, err)
	}
	return progress, nil
}

// behind answers for an upload of which nothing is here.
func (s *Store) behind(g *goal, p Piece, received int64) (*Progress, error) {
	progress := &Progress{Path: g.Path, Received: received}
	if p.First <= received {
		return progress, nil
	}
	return progress, problem(http.StatusConflict, "upload_gap", "%d bytes of this upload are here: go on from there", received)
}

// openPart opens what has come so far, for this request alone.
func openPart(g *goal, part string, create bool) (*os.File, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	file, err := g.Root.OpenFile(part, flags, fileMode)
	if err != nil {
		return nil, err
	}
	busy := problem(http.StatusConflict, "upload_busy", "another piece of this upload is being written: ask how much has come, then go on")
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		_ = file.Close()
		return nil, busy
	}
	// It may have become the file between the two calls.
	opened, err := file.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = g.Root.Lstat(part); err == nil && !os.SameFile(opened, named) {
			err = busy
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func (s *Store) extend(g *goal, file *os.File, part string, p Piece) (*Progress, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if p.First > size {
		return s.behind(g, p, size)
	}
	if p.First >= 0 {
		if size, err = writePiece(file, p); err != nil {
			return &Progress{Path: g.Path, Received: size}, err
		}
	}
	switch {
	case size < p.Total:
		return &Progress{Path: g.Path, Received: size}, nil
	case size > p.Total:
		return s.behind(g, Piece{Range: Range{First: size + 1}}, size)
	}
	if err := s.finish(g, file, part, p.Upload); err != nil {
		return &Progress{Path: g.Path, Received: size}, err
	}
	if info, err = file.Stat(); err != nil {
		return nil, err
	}
	return &Progress{g.Path, size, &Written{g.Path, size, ETag(info), g.created}}, nil
}

// writePiece replaces what lies from the first byte of the piece on. What
// came of a piece that broke off stays: the client goes on after it.
func writePiece(file *os.File, p Piece) (size int64, err error) {
	if err := file.Truncate(p.First); err != nil {
		return p.First, err
	}
	if _, err := file.Seek(p.First, io.SeekStart); err != nil {
		return p.First, err
	}
	wanted := p.Last - p.First + 1
	n, err := copyAll(file, io.LimitReader(p.Body, wanted))
	size = p.First + n
	switch {
	case err != nil:
		return size, err
	case n < wanted:
		return size, Invalid("the body has %d bytes, %d fewer than Content-Range says", n, wanted-n)
	}
	if extra, _ := io.ReadFull(p.Body, make([]byte, 1)); extra > 0 {
		return size, Invalid("the body has more bytes than Content-Range says")
	}
	return size, nil
}

// Discard ends an upload that will not be completed.
func (s *Store) Discard(given, id string) error {
	if !uploadID.MatchString(id) {
		return Invalid("upload: up to 32 letters, digits, '-' and '_' that name this upload")
	}
	place, err := s.Open(given, true)
	if err != nil {
		return err
	}
	defer place.Close()
	part := path.Join(path.Dir(place.Rel), partName(path.Base(place.Rel), id))
	return wrapped(place.Path, place.Root.Remove(part))
}
