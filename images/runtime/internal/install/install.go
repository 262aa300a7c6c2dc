// SPDX-License-Identifier: Apache-2.0

// Package install puts the runtime where the sandbox's container can run it.
package install

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Name is the program's file name in the target folder.
const Name = "agenttier-runtime"

// Install copies the program at source to folder/agenttier-runtime. The copy
// appears whole or not at all, so an init container that is run again is safe.
func Install(source, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.CreateTemp(folder, "."+Name+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(to.Name())
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Chmod(0o755)
	}
	if closed := to.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("copy to %s: %w", folder, err)
	}
	return os.Rename(to.Name(), filepath.Join(folder, Name))
}
