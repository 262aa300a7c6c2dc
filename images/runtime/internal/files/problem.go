// SPDX-License-Identifier: Apache-2.0

// Package files reads and changes the files of a sandbox on behalf of people
// outside. The folders that it works in are written by untrusted programs at
// the same time, so each path is walked by directory handles (os.Root) and
// nothing that a link points to can lie outside of its root.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"syscall"
)

// Problem is a refusal: Code is what the answer calls `error`, a word for
// programs or a sentence; Text is for people and may be empty.
type Problem struct {
	Status int
	Code   string
	Text   string
}

func (p *Problem) Error() string {
	if p.Text == "" {
		return p.Code
	}
	return p.Text
}

func problem(status int, code, format string, values ...any) *Problem {
	return &Problem{Status: status, Code: code, Text: fmt.Sprintf(format, values...)}
}

// Invalid is a request that cannot mean anything.
func Invalid(format string, values ...any) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: fmt.Sprintf(format, values...)}
}

func missing(path string) *Problem {
	return &Problem{Status: http.StatusNotFound, Code: fmt.Sprintf("%q does not exist", path)}
}

func escape(path string) *Problem {
	return problem(http.StatusForbidden, "path_escape", "%q leads out of the folders that can be reached: a link in it points elsewhere", path)
}

// errEscapes is what os.Root says of a path that leaves the root; the package
// does not export it.
var errEscapes = func() error {
	root, err := os.OpenRoot("/")
	if err != nil {
		return errors.New("no root")
	}
	defer root.Close()
	_, err = root.Lstat("..")
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return errors.New("no root")
}()

// ProblemOf words what went wrong with a path. What it does not know is a
// fault of ours, status 500.
func ProblemOf(path string, err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, errEscapes) {
		return escape(path)
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		if found := ofErrno(path, number); found != nil {
			return found
		}
	}
	return problem(http.StatusInternalServerError, "internal", "%q: %v", path, reason(err))
}

func ofErrno(path string, number syscall.Errno) *Problem {
	switch number {
	case syscall.ENOENT:
		return missing(path)
	case syscall.ENOSPC, syscall.EDQUOT:
		return problem(http.StatusInsufficientStorage, "no_space", "%q: no space is left on its volume; nothing was changed", path)
	case syscall.EFBIG:
		return problem(http.StatusRequestEntityTooLarge, "too_large", "%q is larger than the sandbox's harness allows a file to be", path)
	case syscall.EACCES, syscall.EPERM:
		return problem(http.StatusForbidden, "permission_denied", "%q: the sandbox's user may not do that", path)
	case syscall.EROFS:
		return problem(http.StatusForbidden, "read_only", "%q lies on a read-only file system", path)
	case syscall.ENOTDIR:
		return &Problem{Status: http.StatusConflict, Code: fmt.Sprintf("%q: a file is where a folder is needed", path)}
	case syscall.EISDIR, syscall.EEXIST:
		return &Problem{Status: http.StatusConflict, Code: fmt.Sprintf("%q exists already", path)}
	case syscall.ENOTEMPTY:
		return &Problem{Status: http.StatusConflict, Code: fmt.Sprintf("%q is a folder that is not empty: add recursive=true", path)}
	case syscall.EBUSY, syscall.ETXTBSY:
		return &Problem{Status: http.StatusConflict, Code: fmt.Sprintf("%q is in use", path)}
	case syscall.ENAMETOOLONG, syscall.EINVAL:
		return Invalid("%q is no name that the file system takes", path)
	case syscall.ELOOP:
		return Invalid("%q has too many links in it", path)
	}
	return nil
}

// reason is an error without the inner path, which is relative to a root.
func reason(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	var linked *os.LinkError
	if errors.As(err, &linked) {
		return linked.Err
	}
	return err
}
