// SPDX-License-Identifier: Apache-2.0

// Package shell finds the shell of an image and says how it runs a text.
package shell

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
)

// ErrNone says that the image has no shell to run.
var ErrNone = errors.New("this image has no shell (looked for /bin/bash, $SHELL, /bin/ash, /bin/sh): " +
	"set harness.shell to a program of the image, or use exec")

// MaxText is the longest text that is handed to a shell: Linux takes no
// argument of more than 128 KiB (MAX_ARG_STRLEN).
const MaxText = 100 << 10

// Choose takes the first wish that is set, or else the first shell that the
// image has. A wish that is not there is an error: silently running another
// shell would hide the mistake.
func Choose(env []string, wishes ...string) (string, error) {
	for _, wish := range wishes {
		if wish == "" {
			continue
		}
		if !childenv.Executable(wish) {
			return "", fmt.Errorf("shell %s is not an executable file of this image", wish)
		}
		return wish, nil
	}
	for _, shell := range []string{"/bin/bash", childenv.Get(env, "SHELL"), "/bin/ash", "/bin/sh"} {
		if filepath.IsAbs(shell) && childenv.Executable(shell) {
			return shell, nil
		}
	}
	return "", ErrNone
}

// posix are the shells in which -e ends a script at its first failure.
var posix = []string{"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"}

// Argv runs the text in the shell and stops at the first command that fails,
// where the shell knows how to.
func Argv(shell, text string) []string {
	if slices.Contains(posix, filepath.Base(shell)) {
		return []string{shell, "-e", "-c", text}
	}
	return []string{shell, "-c", text}
}

// FileArgv is Argv for a text that lies in a file.
func FileArgv(shell, file string) []string {
	if slices.Contains(posix, filepath.Base(shell)) {
		return []string{shell, "-e", file}
	}
	return []string{shell, file}
}
