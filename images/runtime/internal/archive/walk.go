// SPDX-License-Identifier: Apache-2.0

// Package archive packs folders of a sandbox into zip and tar, and unpacks
// them there.
package archive

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/agenttier/agenttier/images/runtime/internal/files"
)

const (
	// MaxBytes is what an archive holds at most, unpacked.
	MaxBytes   = 20 << 30
	maxEntries = 1_000_000
	maxDepth   = 256
)

// Format is how an archive is written.
type Format string

// The formats that there are.
const (
	Zip   Format = "zip"
	Tar   Format = "tar"
	TarGz Format = "tar.gz"
)

// ParseFormat reads a format; nothing is none.
func ParseFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case Zip, Tar, TarGz, "":
		return f, nil
	case "tgz":
		return TarGz, nil
	}
	return "", files.Invalid("format: must be zip, tar or tar.gz")
}

// MediaType is what the bytes are called in HTTP.
func (f Format) MediaType() string {
	switch f {
	case Tar:
		return "application/x-tar"
	case TarGz:
		return "application/gzip"
	}
	return "application/zip"
}

// Source is a folder to be packed.
type Source struct {
	Root *os.Root
	// Path is what people call it.
	Path string
	// SkipUnreadable leaves out what the sandbox's user may not read.
	SkipUnreadable bool
}

// member is something in the folder: its name in the open folder it lies in,
// and its path from the top.
type member struct {
	in   *os.Root
	name string
	rel  string
	info fs.FileInfo
}

// walk visits all files, folders and links, in order of their names. What
// vanishes meanwhile is left out; pipes, sockets and devices always are.
func (s Source) walk(visit func(member) error) error {
	top, err := s.Root.OpenRoot(".")
	if err != nil {
		return err
	}
	return s.walkIn(top, "", maxDepth, visit)
}

func (s Source) walkIn(folder *os.Root, prefix string, depth int, visit func(member) error) error {
	defer folder.Close()
	names, err := namesIn(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := folder.Lstat(name)
		if errors.Is(err, syscall.ENOENT) {
			continue
		} else if err != nil {
			return err
		}
		m := member{folder, name, path.Join(prefix, name), info}
		if s.isLeftOut(m) {
			continue
		}
		if err := visit(m); err != nil {
			return err
		}
		if !info.IsDir() {
			continue
		}
		if depth == 0 {
			return files.Invalid("%q: folders are nested deeper than %d", m.rel, maxDepth)
		}
		sub, err := folder.OpenRoot(name)
		if err == nil {
			err = s.walkIn(sub, m.rel, depth-1, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isLeftOut also names the folder that file systems of the ext family have at
// their top, which is nobody's to read.
func (s Source) isLeftOut(m member) bool {
	mode := m.info.Mode()
	if !mode.IsRegular() && !mode.IsDir() && mode&fs.ModeSymlink == 0 {
		return true
	}
	if mode&fs.ModeSymlink != 0 {
		return false
	}
	return (s.SkipUnreadable || m.rel == "lost+found") && !readable(m)
}

func readable(m member) bool {
	folder, err := m.in.Open(".")
	if err != nil {
		return false
	}
	defer folder.Close()
	wanted := uint32(unix.R_OK)
	if m.info.IsDir() {
		wanted |= unix.X_OK
	}
	return unix.Faccessat(int(folder.Fd()), m.name, wanted, unix.AT_EACCESS) == nil
}

func namesIn(folder *os.Root) ([]string, error) {
	opened, err := folder.Open(".")
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	names, err := opened.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// Check looks at all that would be packed: what cannot be is better said
// before the first byte than by a torn archive.
func (s Source) Check() error {
	var total int64
	entries := 0
	return s.walk(func(m member) error {
		entries++
		if m.info.Mode().IsRegular() {
			total += m.info.Size()
		}
		switch {
		case entries > maxEntries:
			return &files.Problem{
				Status: http.StatusRequestEntityTooLarge, Code: "too_large",
				Text: "there are more than 1,000,000 entries: archive its folders one by one",
			}
		case total > MaxBytes:
			return &files.Problem{
				Status: http.StatusRequestEntityTooLarge, Code: "too_large",
				Text: "there are more than 20 GiB: archive its folders one by one",
			}
		case m.info.Mode()&fs.ModeSymlink == 0 && !readable(m):
			return &files.Problem{
				Status: http.StatusForbidden, Code: "permission_denied",
				Text: "the sandbox's user may not read " + path.Join(s.Path, m.rel) + ": skipUnreadable=true leaves such things out",
			}
		}
		return nil
	})
}
