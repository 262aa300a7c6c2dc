// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
)

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
