// SPDX-License-Identifier: Apache-2.0

package job

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// stagedFolder holds, below the working folder, what was uploaded for files:
// each content under its SHA-256.
const stagedFolder = ".agenttier/staged"

// File is one file that an installation starts from.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Missing says which files are not there, neither in place nor staged.
type Missing struct{ Paths []string }

func (m Missing) Error() string {
	return fmt.Sprintf("%d files are not there or differ: %s", len(m.Paths), strings.Join(m.Paths, ", "))
}

// place brings every file to its path, from the staging folder where it is not
// there with the right content already. Nothing is moved when one is missing.
func place(workdir string, files []File) error {
	var staged []File
	var missing []string
	for _, file := range files {
		switch {
		case holds(file.Path, file):
		case holds(stagedPath(workdir, file), file):
			staged = append(staged, file)
		default:
			missing = append(missing, file.Path)
		}
	}
	if len(missing) > 0 {
		return Missing{Paths: missing}
	}
	for _, file := range staged {
		if err := install(stagedPath(workdir, file), file.Path); err != nil {
			return err
		}
	}
	// Also what was uploaded of files that were in place already.
	for _, file := range files {
		_ = os.Remove(stagedPath(workdir, file))
	}
	return nil
}

func stagedPath(workdir string, file File) string {
	return filepath.Join(workdir, stagedFolder, filepath.Base(file.SHA256))
}

// install copies to a name beside the target and renames, so that nobody ever
// sees half a file.
func install(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".agenttier-*")
	if err != nil {
		return err
	}
	defer os.Remove(target.Name())
	_, err = io.Copy(target, source)
	if err == nil {
		err = target.Chmod(0o755)
	}
	if closed := target.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(target.Name(), to)
	}
	return err
}

// holds is whether the file at path has the content that is asked for.
func holds(path string, file File) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != file.Size {
		return false
	}
	source, err := os.Open(path)
	if err != nil {
		return false
	}
	defer source.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, source); err != nil {
		return false
	}
	return strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), file.SHA256)
}
