// SPDX-License-Identifier: Apache-2.0

// Package provision brings into a sandbox's workspace what its specification
// asks for before anybody uses it: files, and what its init scripts do. It
// remembers on the volume what it has done, so that a later start neither
// repeats a script nor takes back what a person has changed since.
package provision

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ManifestName is the file with the plan in the folder of its contents.
const ManifestName = "plan.json"

const (
	// Once runs a script unless this volume has seen it run well.
	Once = "Once"
	// Always runs scripts at every start.
	Always = "Always"
)

// Plan is what one start has to bring in.
type Plan struct {
	Files   []File    `json:"files,omitempty"`
	Scripts []Content `json:"scripts,omitempty"`
	// RunScripts is Once unless it says Always.
	RunScripts string `json:"runScripts,omitempty"`
	Shell      string `json:"shell,omitempty"`
	WorkingDir string `json:"workingDir,omitempty"`
}

// Content is a text: in itself, or in a file of the folder of contents.
type Content struct {
	Source string `json:"source,omitempty"`
	Inline []byte `json:"inline,omitempty"`
}

// File is one file of the workspace, by its path relative to it.
type File struct {
	Content
	Path string `json:"path"`
	Mode uint32 `json:"mode"`
	// Owned files are the platform's: what somebody changed in them is not kept.
	Owned bool `json:"owned,omitempty"`
}

// Read takes the plan from the folder of its contents.
func Read(folder string) (Plan, error) {
	var plan Plan
	text, err := os.ReadFile(filepath.Join(folder, ManifestName))
	if err == nil {
		err = json.Unmarshal(text, &plan)
	}
	if err != nil {
		return plan, fmt.Errorf("the plan of this start: %w", err)
	}
	return plan, nil
}

// Check tells what is wrong with a plan that came from outside.
func (p Plan) Check() error {
	for _, file := range p.Files {
		if !filepath.IsLocal(file.Path) || file.Path == "." || strings.HasSuffix(file.Path, "/") {
			return fmt.Errorf("file %q: must be a path inside the workspace", file.Path)
		}
		if file.Mode&^uint32(fs.ModePerm) != 0 {
			return fmt.Errorf("file %s: mode %o has more than permission bits", file.Path, file.Mode)
		}
	}
	if p.RunScripts != "" && p.RunScripts != Once && p.RunScripts != Always {
		return errors.New("runScripts: must be Once or Always")
	}
	return nil
}

func (c Content) read(folder string) ([]byte, error) {
	if c.Source == "" {
		return c.Inline, nil
	}
	if !filepath.IsLocal(c.Source) {
		return nil, fmt.Errorf("source %q: must be a path inside the folder of contents", c.Source)
	}
	return os.ReadFile(filepath.Join(folder, c.Source))
}
