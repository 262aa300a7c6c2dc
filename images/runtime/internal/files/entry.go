// SPDX-License-Identifier: Apache-2.0

package files

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"
	"unicode/utf8"
)

// Entry is what is known of a file, folder or link itself: links are not
// followed. Names that are no UTF-8 come whole in the members of base64url.
type Entry struct {
	Name       string `json:"name"`
	NameBase64 string `json:"nameBase64,omitempty"`
	// Path is relative to the listed folder, where it was listed with depth.
	Path         string `json:"path,omitempty"`
	PathBase64   string `json:"pathBase64,omitempty"`
	Type         string `json:"type"`
	Size         int64  `json:"size"`
	IsDir        bool   `json:"isDir"`
	Mode         string `json:"mode"`
	Permissions  string `json:"permissions"`
	ModifiedAt   int64  `json:"modifiedAt"`
	Target       string `json:"target,omitempty"`
	TargetBase64 string `json:"targetBase64,omitempty"`
	ETag         string `json:"etag,omitempty"`
}

func entryOf(name string, info fs.FileInfo, target string) Entry {
	mode := info.Mode()
	e := Entry{
		Name: name, Type: typeOf(mode), Size: info.Size(), IsDir: mode.IsDir(), Mode: text(mode),
		Permissions: fmt.Sprintf("%04o", mode.Perm()), ModifiedAt: info.ModTime().Unix(), Target: target,
	}
	e.NameBase64, e.TargetBase64 = unlessText(name), unlessText(target)
	if mode.IsRegular() {
		e.ETag = ETag(info)
	}
	return e
}

// at notes where below the listed folder the entry lies.
func (e *Entry) at(rel string) {
	e.Path, e.PathBase64 = rel, unlessText(rel)
}

// unlessText is empty for what JSON can hold as it is.
func unlessText(name string) string {
	if utf8.ValidString(name) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(name))
}

func typeOf(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "file"
	case mode.IsDir():
		return "dir"
	case mode&fs.ModeSymlink != 0:
		return "symlink"
	case mode&fs.ModeNamedPipe != 0:
		return "fifo"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// text is the mode as `ls -l` shows it.
func text(mode fs.FileMode) string {
	letters := map[string]byte{"file": '-', "dir": 'd', "symlink": 'l', "fifo": 'p', "socket": 's', "device": 'b'}
	letter := letters[typeOf(mode)]
	if mode&fs.ModeCharDevice != 0 {
		letter = 'c'
	}
	return string(letter) + mode.Perm().String()[1:]
}

// ETag changes with each change of a file: a replaced one has another inode,
// one that was written in place other times.
func ETag(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(`"%x-%x-%x-%x"`, stat.Ino, stat.Size, stat.Mtim.Nano(), stat.Ctim.Nano())
}

// Stat looks at one place.
func (r *Roots) Stat(given string) (string, Entry, error) {
	place, err := r.Open(given, false)
	if err != nil {
		return "", Entry{}, err
	}
	defer place.Close()
	e, err := look(place.Root, place.Rel, path.Base(place.Path))
	if err != nil {
		return "", Entry{}, ProblemOf(place.Path, err)
	}
	return place.Path, e, nil
}

func look(root *os.Root, rel, name string) (Entry, error) {
	info, err := root.Lstat(rel)
	if err != nil {
		return Entry{}, err
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = root.Readlink(rel); err != nil {
			return Entry{}, err
		}
	}
	return entryOf(name, info, target), nil
}
