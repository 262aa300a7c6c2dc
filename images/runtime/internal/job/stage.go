// SPDX-License-Identifier: Apache-2.0

package job

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// MaxFile is the size of the largest file that an installation may start from.
	MaxFile = 32 << 20
	// stagedFor is how long an upload that no installation has taken is kept.
	stagedFor = time.Hour
)

// ErrTooLarge says that a file is larger than MaxFile.
var ErrTooLarge = errors.New("a file may have 32 MiB at most")

// Stage keeps what is read until an installation brings it to its path, and says
// what it is. Where the file at path has this very content, nothing is kept.
func (m *Manager) Stage(content io.Reader, path string) (File, error) {
	folder := filepath.Join(m.Workdir, stagedFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return File{}, err
	}
	sweep(folder)
	target, err := os.CreateTemp(folder, ".upload-*")
	if err != nil {
		return File{}, err
	}
	defer os.Remove(target.Name())
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(target, sum), io.LimitReader(content, MaxFile+1))
	if closed := target.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return File{}, err
	case size > MaxFile:
		return File{}, ErrTooLarge
	}
	file := File{Path: path, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}
	if path != "" && holds(path, file) {
		return file, nil
	}
	return file, os.Rename(target.Name(), stagedPath(m.Workdir, file))
}

// sweep removes what was uploaded for installations that never came.
func sweep(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.Mode().Type() == fs.FileMode(0) && time.Since(info.ModTime()) > stagedFor {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// logFile holds, below the working folder, all that the last installation
// printed.
const logFile = ".agenttier/install.log"

// MaxLogFile bounds it; what comes later is left out.
const MaxLogFile = 16 << 20

// wholeLog writes a log to its file. A full disk or a read-only folder costs the
// file, not the installation.
type wholeLog struct {
	file *os.File
	left int
}

func openLog(workdir string) *wholeLog {
	path := filepath.Join(workdir, logFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return &wholeLog{}
	}
	// A new file: somebody may be reading the last one.
	_ = os.Remove(path)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return &wholeLog{}
	}
	return &wholeLog{file: file, left: MaxLogFile}
}

func (l *wholeLog) add(line string) {
	if l.file == nil {
		return
	}
	l.left -= len(line) + 1
	if l.left < 0 {
		_, _ = fmt.Fprintf(l.file, "[runtime] the rest is left out: the log is longer than %d bytes\n", MaxLogFile)
		l.close()
		return
	}
	if _, err := l.file.WriteString(line + "\n"); err != nil {
		l.close()
	}
}

func (l *wholeLog) close() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// Log opens all that the last installation on this volume printed.
func (m *Manager) Log() (*os.File, error) {
	return os.Open(filepath.Join(m.Workdir, logFile))
}
