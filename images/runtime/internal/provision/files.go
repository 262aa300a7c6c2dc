// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	stateFolder = ".agenttier/state"
	fileRecord  = stateFolder + "/files.json"
	folderMode  = 0o755
	maxKept     = 100
)

// Files writes the plan's files into the workspace; contents lie in folder.
//
// A file that was delivered before and whose content is still wanted is left
// as it is now: it belongs to the person who uses the sandbox. Where another
// content is wanted, or something else is in the way, what is there goes aside
// under the same name with ".kept", unless it is what was delivered.
//
// No symbolic link is followed: a workspace is written by untrusted programs.
func Files(plan Plan, folder, workdir string) error {
	root, err := os.OpenRoot(workdir)
	if err != nil {
		return err
	}
	defer root.Close()
	delivered := readRecord(root)
	for _, file := range plan.Files {
		content, err := file.read(folder)
		if err == nil {
			err = deliver(root, file, content, delivered[file.Path])
		}
		if err != nil {
			return fmt.Errorf("file %s: %w", file.Path, err)
		}
		delivered[file.Path] = digest(content)
	}
	if len(plan.Files) == 0 {
		return nil
	}
	return writeRecord(root, delivered)
}

func deliver(root *os.Root, file File, content []byte, before string) error {
	if err := makeParents(root, filepath.Dir(file.Path)); err != nil {
		return err
	}
	info, err := root.Lstat(file.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return write(root, file, content)
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("there is a folder of this name")
	}
	there := info.Mode().Type().String()
	if info.Mode().IsRegular() {
		if there, err = digestOf(root, file.Path); err != nil {
			return err
		}
	}
	wanted := digest(content)
	switch {
	case there == wanted, !file.Owned && before == wanted:
		return nil
	case !file.Owned && there != before:
		if err := putAside(root, file.Path); err != nil {
			return err
		}
	}
	return write(root, file, content)
}

// makeParents makes the folders above a file, and goes through no link.
func makeParents(root *os.Root, folder string) error {
	if folder == "." {
		return nil
	}
	path := ""
	for step := range strings.SplitSeq(folder, "/") {
		path = filepath.Join(path, step)
		info, err := root.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := root.Mkdir(path, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a symbolic link, which is not followed", path)
		case !info.IsDir():
			return fmt.Errorf("%s is no folder", path)
		}
	}
	return nil
}

// write puts the file there whole or not at all; a link of its name is
// replaced, not followed.
func write(root *os.Root, file File, content []byte) error {
	temporary := filepath.Join(filepath.Dir(file.Path), ".agenttier-"+rand.Text())
	to, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = to.Write(content)
	if err == nil {
		err = to.Chmod(fs.FileMode(file.Mode) & fs.ModePerm)
	}
	if closed := to.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = root.Rename(temporary, file.Path)
	}
	if err != nil {
		_ = root.Remove(temporary)
	}
	return err
}

func putAside(root *os.Root, path string) error {
	for n := range maxKept {
		name := path + ".kept"
		if n > 0 {
			name = fmt.Sprintf("%s-%d", name, n+1)
		}
		if _, err := root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return root.Rename(path, name)
		}
	}
	return fmt.Errorf("there are %d kept versions of it: remove some", maxKept)
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func digestOf(root *os.Root, path string) (string, error) {
	file, err := root.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// readRecord is the digest of each file as it was delivered last. A record
// that cannot be read counts as none: then everything that differs is kept.
func readRecord(root *os.Root) map[string]string {
	record := map[string]string{}
	if text, err := root.ReadFile(fileRecord); err == nil {
		_ = json.Unmarshal(text, &record)
	}
	return record
}

// writeRecord says what was delivered once all of it is on the disk.
func writeRecord(root *os.Root, record map[string]string) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return putState(root, fileRecord, text)
}

func putState(root *os.Root, path string, content []byte) error {
	if err := makeParents(root, filepath.Dir(path)); err != nil {
		return err
	}
	if err := flush(root); err != nil {
		return err
	}
	if err := write(root, File{Path: path, Mode: 0o644}, content); err != nil {
		return err
	}
	return flush(root)
}

// flush brings the volume's file system to the disk.
func flush(root *os.Root) error {
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	defer folder.Close()
	return unix.Syncfs(int(folder.Fd()))
}
