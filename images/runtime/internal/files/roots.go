// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"
	"net/http"
	"os"
	"path"
	"strings"
	"syscall"
)

const (
	maxLinks = 40
	maxPath  = 4096
)

// Roots are the folders that can be reached from outside.
type Roots struct{ folders []string }

// NewRoots takes absolute folders. The whole file system is none: it holds
// the runtime's own secrets, and those of the pod.
func NewRoots(folders ...string) *Roots {
	roots := &Roots{}
	for _, folder := range folders {
		if clean := path.Clean(folder); path.IsAbs(clean) && clean != "/" {
			roots.folders = append(roots.folders, clean)
		}
	}
	return roots
}

// Default is the folder of paths that are not given.
func (r *Roots) Default() string {
	if len(r.folders) == 0 {
		return "/"
	}
	return r.folders[0]
}

// Place is a path within a root that is held open. Rel has no links but at
// its end, if they were not to be followed.
type Place struct {
	Root *os.Root
	// Path is what the client calls it, clean and absolute.
	Path string
	Rel  string
	base string
}

// Close lets the root go.
func (p *Place) Close() { _ = p.Root.Close() }

// IsRoot tells that the place is the root itself, which stays.
func (p *Place) IsRoot() bool { return p.Rel == "." }

// Open finds a path, with the links in it, and at its end when follow is set.
// What does not exist yet is a place as well.
func (r *Roots) Open(given string, follow bool) (*Place, error) {
	if strings.IndexByte(given, 0) >= 0 {
		return nil, Invalid("a path cannot have a NUL in it")
	}
	if len(given) > maxPath {
		return nil, Invalid("the path is longer than %d bytes", maxPath)
	}
	clean := path.Clean("/" + given)
	base, ok := r.rootOf(clean)
	if !ok {
		return nil, problem(http.StatusForbidden, "path_escape", "%q can not be reached: only what is below %s can", clean, strings.Join(r.folders, " and "))
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, ProblemOf(base, err)
	}
	rel, err := resolve(root, base, below(base, clean), follow)
	if err != nil {
		_ = root.Close()
		return nil, ProblemOf(clean, err)
	}
	return &Place{Root: root, Path: clean, Rel: rel, base: base}, nil
}

func (r *Roots) rootOf(clean string) (string, bool) {
	for _, folder := range r.folders {
		if clean == folder || strings.HasPrefix(clean, folder+"/") {
			return folder, true
		}
	}
	return "", false
}

func below(base, clean string) string {
	return path.Clean("./" + strings.TrimPrefix(clean, base))
}

// resolve replaces links by what they point to. os.Root refuses absolute ones;
// those that stay below the root are as good as any, and programs write them
// all the time. Should a link change meanwhile, os.Root still has the last say.
func resolve(root *os.Root, base, rel string, follow bool) (string, error) {
	var done []string
	rest, links := split(rel), 0
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			if len(done) == 0 {
				return "", errEscapes
			}
			done = done[:len(done)-1]
			continue
		}
		here := path.Join(append(done, name)...)
		if len(rest) == 0 && !follow {
			return here, nil
		}
		target, isLink, err := readLink(root, here)
		if err != nil {
			return "", err
		}
		if !isLink {
			done = append(done, name)
			continue
		}
		if links++; links > maxLinks {
			return "", syscall.ELOOP
		}
		if path.IsAbs(target) {
			clean := path.Clean(target)
			if clean != base && !strings.HasPrefix(clean, base+"/") {
				return "", errEscapes
			}
			done, target = nil, below(base, clean)
		}
		rest = append(split(target), rest...)
	}
	if len(done) == 0 {
		return ".", nil
	}
	return path.Join(done...), nil
}

func readLink(root *os.Root, rel string) (target string, isLink bool, err error) {
	info, err := root.Lstat(rel)
	switch {
	case errors.Is(err, syscall.ENOENT):
		return "", false, nil
	case err != nil:
		return "", false, err
	case info.Mode()&os.ModeSymlink == 0:
		return "", false, nil
	}
	target, err = root.Readlink(rel)
	return target, true, err
}

func split(rel string) []string {
	var parts []string
	for _, part := range strings.Split(rel, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return parts
}
