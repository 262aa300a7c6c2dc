// SPDX-License-Identifier: Apache-2.0

// Package childenv prepares what the sandbox's processes inherit.
package childenv

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// secretPrefix marks the runtime's own settings; a child never sees them.
const secretPrefix = "AGENTTIER_RUNTIME_"

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const writable = 2 // W_OK of access(2)

// Base filters the container's environment for its processes: the runtime's
// own variables go, PATH is always there, and HOME falls back to workdir when
// it is unset or lies on the read-only root.
func Base(environ []string, workdir string) []string {
	base := make([]string, 0, len(environ)+2)
	for _, entry := range environ {
		if !strings.HasPrefix(entry, secretPrefix) {
			base = append(base, entry)
		}
	}
	if Get(base, "PATH") == "" {
		base = Set(base, "PATH", defaultPath)
	}
	if home := Get(base, "HOME"); home == "" || syscall.Access(home, writable) != nil {
		base = Set(base, "HOME", workdir)
	}
	return base
}

// Get returns the value of a variable, the last one winning, or "".
func Get(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// Set returns a copy of env in which the variable has the one given value.
func Set(env []string, name, value string) []string {
	out := make([]string, 0, len(env)+1)
	for _, entry := range env {
		if !strings.HasPrefix(entry, name+"=") {
			out = append(out, entry)
		}
	}
	return append(out, name+"="+value)
}

// SetAll returns env with each of the variables in its one given value.
func SetAll(env []string, variables map[string]string) []string {
	for name, value := range variables {
		env = Set(env, name, value)
	}
	return env
}

// Dir is the folder that a child begins in: dir as it was asked for, relative to
// workdir unless it is absolute.
func Dir(workdir, dir string) string {
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(workdir, dir)
}

// LookPath finds the program for a command name in the PATH that the child
// will have. A name with a slash is taken as it is, relative to dir.
func LookPath(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, nil
	}
	for _, folder := range filepath.SplitList(Get(env, "PATH")) {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		if candidate := filepath.Join(folder, name); Executable(candidate) {
			return candidate, nil
		}
	}
	return "", &fs.PathError{Op: "find in PATH", Path: name, Err: fs.ErrNotExist}
}

// Executable tells whether path is a file that this process may run.
func Executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && syscall.Access(path, 1) == nil
}

// Check refuses variables that no process can have, and those of the runtime
// itself. The error's text is for the client.
func Check(variables map[string]string) error {
	for name, value := range variables {
		switch {
		case name == "" || strings.ContainsAny(name, "=\x00"):
			return fmt.Errorf("env: %q is no name of a variable", name)
		case strings.Contains(value, "\x00"):
			return fmt.Errorf("env: the value of %s has a NUL in it", name)
		case strings.HasPrefix(name, secretPrefix):
			return fmt.Errorf("env: names that begin with %s are the runtime's own", secretPrefix)
		}
	}
	return nil
}
