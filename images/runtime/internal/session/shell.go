// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
)

// ErrNoShell says that the image has no shell to run.
var ErrNoShell = errors.New("this image has no shell (looked for /bin/bash, $SHELL, /bin/ash, /bin/sh): " +
	"set harness.shell to a program of the image, or use exec")

// chooseShell takes the first wish that is set, or else the first shell that
// the image has. A wish that is not there is an error: silently running another
// shell would hide the mistake.
func chooseShell(env []string, wishes ...string) (string, error) {
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
	return "", ErrNoShell
}

// chooseFolder resolves the wished folder against the workspace.
func chooseFolder(workdir, wish string) (string, error) {
	folder := wish
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(workdir, folder)
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", fmt.Errorf("cwd %s is not a folder of this sandbox", folder)
	}
	return folder, nil
}

// terminalEnv is the environment of a shell. Without a locale, readline and
// full-screen programs would count the bytes of a character instead of it.
func terminalEnv(env []string, shell, folder string) []string {
	env = childenv.Set(env, "TERM", "xterm-256color")
	env = childenv.Set(env, "SHELL", shell)
	env = childenv.Set(env, "PWD", folder)
	if childenv.Get(env, "LANG")+childenv.Get(env, "LC_ALL")+childenv.Get(env, "LC_CTYPE") == "" {
		env = childenv.Set(env, "LANG", "C.UTF-8")
	}
	return env
}
