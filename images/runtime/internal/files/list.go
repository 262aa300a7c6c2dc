// SPDX-License-Identifier: Apache-2.0

package files

import (
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

const (
	// PageSize is how many entries one answer holds at most.
	PageSize = 10_000
	// MaxDepth bounds how far down a listing goes.
	MaxDepth = 64
)

// Query says what to list. Depth 1 is the folder's own entries.
type Query struct {
	Depth int
	Limit int
	// Continue is the Continue of the page before.
	Continue string
}

// Listing is one page of a folder, in the order of names, each folder before
// what is in it.
type Listing struct {
	Path     string  `json:"path"`
	Entries  []Entry `json:"entries"`
	Continue string  `json:"continue,omitempty"`
}

// List reads a page of a folder. What vanishes meanwhile is left out.
func (r *Roots) List(given string, query Query) (*Listing, error) {
	after, err := base64.RawURLEncoding.DecodeString(query.Continue)
	if err != nil {
		return nil, Invalid("continue: must be the continue of the page before")
	}
	place, err := r.Open(given, true)
	if err != nil {
		return nil, err
	}
	defer place.Close()
	info, err := place.Root.Stat(place.Rel)
	if err != nil {
		return nil, ProblemOf(place.Path, err)
	}
	if !info.IsDir() {
		return nil, &Problem{Status: http.StatusNotFound, Code: place.Path + " is no folder"}
	}
	folder, err := place.Root.OpenRoot(place.Rel)
	if err != nil {
		return nil, ProblemOf(place.Path, err)
	}
	l := &lister{limit: clampPage(query.Limit), listing: &Listing{Path: place.Path, Entries: []Entry{}}, withPath: query.Depth > 1}
	if err := l.walk(folder, "", min(query.Depth, MaxDepth), split(string(after))); err != nil && !errors.Is(err, errFull) {
		return nil, ProblemOf(place.Path, err)
	}
	return l.listing, nil
}

func clampPage(limit int) int {
	if limit < 1 || limit > PageSize {
		return PageSize
	}
	return limit
}

var errFull = errors.New("the page is full")

type lister struct {
	limit    int
	withPath bool
	last     string
	listing  *Listing
}

// walk lists a folder, which it closes, from after the given path on.
func (l *lister) walk(folder *os.Root, prefix string, depth int, after []string) error {
	defer folder.Close()
	names, err := namesIn(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		begun := len(after) > 0 && name == after[0]
		if len(after) > 0 && name < after[0] {
			continue
		}
		e, err := look(folder, name, name)
		if errors.Is(err, syscall.ENOENT) {
			continue
		} else if err != nil {
			return err
		}
		rel := path.Join(prefix, name)
		if !begun {
			if err := l.add(e, rel); err != nil {
				return err
			}
		}
		if !e.IsDir || depth <= 1 {
			continue
		}
		var rest []string
		if begun {
			rest = after[1:]
		}
		if err := l.into(folder, rel, depth-1, rest); err != nil {
			return err
		}
	}
	return nil
}

// into lists a folder in a folder; one that may not be read, or is none any
// more, is only named.
func (l *lister) into(folder *os.Root, rel string, depth int, after []string) error {
	sub, err := folder.OpenRoot(path.Base(rel))
	if err == nil {
		err = l.walk(sub, rel, depth, after)
	}
	for _, expected := range []error{syscall.EACCES, syscall.ENOENT, syscall.ENOTDIR, errEscapes} {
		if errors.Is(err, expected) {
			return nil
		}
	}
	return err
}

func (l *lister) add(e Entry, rel string) error {
	if len(l.listing.Entries) == l.limit {
		l.listing.Continue = base64.RawURLEncoding.EncodeToString([]byte(l.last))
		return errFull
	}
	if l.withPath {
		e.at(rel)
	}
	l.listing.Entries, l.last = append(l.listing.Entries, e), rel
	return nil
}

func namesIn(folder *os.Root) ([]string, error) {
	opened, err := folder.Open(".")
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	names, err := opened.Readdirnames(-1)
	slices.SortFunc(names, strings.Compare)
	return names, err
}
