// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/agenttier/agenttier/images/runtime/internal/files"
)

const maxChangeBody = 64 << 10

func (a *API) fileRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /files", a.listFiles)
	mux.HandleFunc("POST /files:op", a.changeFiles)
	mux.HandleFunc("GET /archive", a.packFiles)
	mux.HandleFunc("PUT /archive", a.unpackFiles)
}

// withFiles takes single files out before a mux sees them: that would redirect
// names which look like untidy paths.
func (a *API) withFiles(next http.Handler) http.Handler {
	guarded := a.authenticated(a.claimed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.Activity.Begin()()
		// The path has been decoded, so this is the name's own bytes.
		a.file(w, r, strings.TrimPrefix(r.URL.Path, "/files"))
	})))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/files/") {
			guarded.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) file(w http.ResponseWriter, r *http.Request, given string) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		a.readFile(w, r, given)
	case http.MethodPut:
		a.putFile(w, r, given)
	case http.MethodPatch:
		a.patchFile(w, r, given)
	case http.MethodDelete:
		a.deleteFile(w, r, given)
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT, PATCH, DELETE")
		fail(w, http.StatusMethodNotAllowed, "Method Not Allowed: "+r.Method+" /files/")
	}
}

func (a *API) readFile(w http.ResponseWriter, r *http.Request, given string) {
	file, info, err := a.Files.Read(given)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("ETag", files.ETag(info))
	http.ServeContent(w, r, "", info.ModTime(), file)
}

func (a *API) putFile(w http.ResponseWriter, r *http.Request, given string) {
	if r.Header.Get("Content-Range") != "" {
		fail(w, http.StatusBadRequest, "Content-Range: PUT takes whole files, PATCH takes pieces")
		return
	}
	up, err := uploadIn(r)
	if err == nil {
		var written *files.Written
		if written, err = a.Files.Put(given, up); err == nil {
			replyWritten(w, written)
			return
		}
	}
	refuseFile(w, err)
}

func (a *API) patchFile(w http.ResponseWriter, r *http.Request, given string) {
	span, err := files.ParseContentRange(r.Header.Get("Content-Range"))
	up, failed := uploadIn(r)
	if err == nil {
		err = failed
	}
	if err != nil {
		refuseFile(w, err)
		return
	}
	progress, err := a.Files.Patch(given, files.Piece{Range: span, ID: r.URL.Query().Get("upload"), Upload: up})
	if progress != nil && progress.Received > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", progress.Received-1))
	}
	switch {
	case err != nil:
		refuseFile(w, err)
	case progress.Written != nil:
		replyWritten(w, progress.Written)
	default:
		reply(w, http.StatusAccepted, map[string]any{"path": progress.Path, "received": progress.Received, "total": span.Total})
	}
}

func (a *API) deleteFile(w http.ResponseWriter, r *http.Request, given string) {
	query := r.URL.Query()
	var err error
	if query.Has("upload") {
		err = a.Files.Discard(given, query.Get("upload"))
	} else {
		err = a.Files.Remove(given, query.Get("recursive") == "true", conditionsIn(r))
	}
	if err != nil {
		refuseFile(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// listFiles lists a folder; with a depth of 0 it tells about the path itself.
func (a *API) listFiles(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	given, err := a.pathIn(query, "path")
	depth, limit := 1, 0
	for name, into := range map[string]*int{"depth": &depth, "limit": &limit} {
		if text := query.Get(name); text != "" && err == nil {
			var n int
			if n, err = strconv.Atoi(text); err != nil || n < 0 {
				err = files.Invalid("%s: must be a whole number", name)
			}
			*into = n
		}
	}
	if err != nil {
		refuseFile(w, err)
		return
	}
	a.Activity.Touch()
	if depth == 0 {
		if clean, entry, err := a.Files.Stat(given); err != nil {
			refuseFile(w, err)
		} else {
			reply(w, http.StatusOK, map[string]any{"path": clean, "entry": entry})
		}
		return
	}
	listing, err := a.Files.List(given, files.Query{Depth: depth, Limit: limit, Continue: query.Get("continue")})
	if err != nil {
		refuseFile(w, err)
		return
	}
	reply(w, http.StatusOK, listing)
}

// change is a files.Change as it comes; a path can come as base64url instead,
// since JSON holds text only.
type change struct {
	Op         string `json:"op"`
	Path       string `json:"path"`
	PathBase64 string `json:"pathBase64"`
	To         string `json:"to"`
	ToBase64   string `json:"toBase64"`
	Mode       string `json:"mode"`
	Overwrite  bool   `json:"overwrite"`
}

func (a *API) changeFiles(w http.ResponseWriter, r *http.Request) {
	var given change
	if !readJSON(w, r, maxChangeBody, &given) {
		return
	}
	defer a.Activity.Begin()()
	path, err := either(given.Path, given.PathBase64, "pathBase64")
	to, failed := either(given.To, given.ToBase64, "toBase64")
	switch {
	case err == nil && failed != nil:
		err = failed
	case err == nil && path == "":
		err = files.Invalid("path: is required")
	}
	if err != nil {
		refuseFile(w, err)
		return
	}
	clean, entry, created, err := a.Files.Apply(files.Change{Op: given.Op, Path: path, To: to, Mode: given.Mode, Overwrite: given.Overwrite})
	if err != nil {
		refuseFile(w, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	reply(w, status, map[string]any{"path": clean, "entry": entry})
}

// pathIn is a path of the query, or the folder that people work in.
func (a *API) pathIn(query url.Values, name string) (string, error) {
	given, err := either(query.Get(name), query.Get(name+"Base64"), name+"Base64")
	if err == nil && given == "" {
		given = a.Files.Default()
	}
	return given, err
}

func either(plain, encoded, name string) (string, error) {
	if encoded == "" {
		return plain, nil
	}
	bytes, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return "", files.Invalid("%s: must be base64url", name)
	}
	return string(bytes), nil
}

func uploadIn(r *http.Request) (files.Upload, error) {
	up := files.Upload{Body: r.Body, Length: r.ContentLength, Conditions: conditionsIn(r)}
	var err error
	if text := r.URL.Query().Get("mode"); text != "" {
		var mode fs.FileMode
		mode, err = files.ParseMode(text)
		up.Mode = mode
	}
	return up, err
}

func conditionsIn(r *http.Request) files.Conditions {
	return files.Conditions{Match: r.Header.Get("If-Match"), NoneMatch: r.Header.Get("If-None-Match")}
}

func replyWritten(w http.ResponseWriter, written *files.Written) {
	w.Header().Set("ETag", written.ETag)
	reply(w, http.StatusCreated, written)
}

func refuseFile(w http.ResponseWriter, err error) {
	refusal := files.ProblemOf("", err)
	body := map[string]any{"error": refusal.Code, "code": refusal.Status}
	if refusal.Text != "" {
		body["message"] = refusal.Text
	}
	reply(w, refusal.Status, body)
}
