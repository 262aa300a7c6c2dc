// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"net/http"

	"github.com/agenttier/agenttier/images/runtime/internal/archive"
	"github.com/agenttier/agenttier/images/runtime/internal/files"
)

// packFiles sends a folder as an archive. Its length is not known, so it comes
// in chunks; when it fails half-way the connection is cut before the last one,
// and no client takes what it has for the whole.
func (a *API) packFiles(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	given, err := a.pathIn(query, "path")
	format, failed := archive.ParseFormat(query.Get("format"))
	if err == nil {
		err = failed
	}
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer a.Activity.Begin()()
	root, clean, err := a.Files.Folder(given)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer root.Close()
	source := archive.Source{Root: root, Path: clean, SkipUnreadable: query.Get("skipUnreadable") == "true"}
	if err := source.Check(); err != nil {
		refuseFile(w, files.ProblemOf(clean, err))
		return
	}
	w.Header().Set("Content-Type", format.MediaType())
	w.WriteHeader(http.StatusOK)
	if err := archive.Pack(w, source, format); err != nil {
		if r.Context().Err() == nil {
			a.Log.Warn("archive broken off", "path", clean, "error", err.Error())
		}
		panic(http.ErrAbortHandler)
	}
}

// unpackFiles makes the folder if it is not there.
func (a *API) unpackFiles(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	given, err := a.pathIn(query, "path")
	format, failed := archive.ParseFormat(query.Get("format"))
	if err == nil {
		err = failed
	}
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer a.Activity.Begin()()
	if _, _, _, err := a.Files.Apply(files.Change{Op: "mkdir", Path: given}); err != nil {
		refuseFile(w, err)
		return
	}
	root, clean, err := a.Files.Folder(given)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer root.Close()
	done, err := archive.Unpack(r.Body, root, format)
	if err != nil {
		refuseFile(w, files.ProblemOf(clean, err))
		return
	}
	done.Path = clean
	reply(w, http.StatusOK, done)
}
