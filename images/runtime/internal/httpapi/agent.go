// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/invoke"
	"github.com/agenttier/agenttier/images/runtime/internal/job"
)

const (
	maxInvokeBody = 16 << 20
	maxAgentBody  = 4 << 20
	// maxWait bounds how long an answer about an installation is held back.
	maxWait = 60 * time.Second
	// stageDeadline is for a file of the largest size over a slow line.
	stageDeadline = 15 * time.Minute
	// maxLinger bounds how long an invocation may go on unread.
	maxLinger = 60 * time.Second

	// actorHeader carries a digest of the person for whom a request is made,
	// adminHeader that they may touch what belongs to others.
	actorHeader = "X-Agenttier-Actor"
	adminHeader = "X-Agenttier-Admin"

	// installHeader names the installation whose events follow.
	installHeader = "X-Agenttier-Install"
	// readersHeader says how many read an invocation, with this reader.
	readersHeader = "X-Agenttier-Readers"
)

func (a *API) agentRoutes(mux *http.ServeMux) {
	mux.HandleFunc("PUT /agent", a.putAgent)
	mux.HandleFunc("GET /agent", a.getAgent)
	mux.HandleFunc("POST /agent/files", a.stageFile)
	mux.HandleFunc("POST /install", a.postInstall)
	mux.HandleFunc("GET /install/log", a.installLog)
	mux.HandleFunc("GET /install", a.getInstall)
	mux.HandleFunc("GET /install/events", a.installEvents)
	mux.HandleFunc("DELETE /install/{id}", a.deleteInstall)
	mux.HandleFunc("POST /invoke", a.postInvoke)
	mux.HandleFunc("GET /invoke/{id}", a.getInvoke)
	mux.HandleFunc("DELETE /invoke/{id}", a.deleteInvoke)
	mux.HandleFunc("POST /invoke/cancel/{id}", a.deleteInvoke)
}

func (a *API) putAgent(w http.ResponseWriter, r *http.Request) {
	var settings invoke.Settings
	if !readJSON(w, r, maxAgentBody, &settings) {
		return
	}
	if err := settings.Validate(); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a.Invokes.Configure(settings)
	reply(w, http.StatusOK, a.Invokes.State())
}

func (a *API) getAgent(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, a.Invokes.State())
}

func (a *API) postInstall(w http.ResponseWriter, r *http.Request) {
	var spec job.Spec
	if !readJSON(w, r, maxAgentBody, &spec) {
		return
	}
	started, err := a.Jobs.Start(spec)
	var running job.Running
	var missing job.Missing
	switch {
	case errors.As(err, &running):
		body := map[string]any{"error": "install_running", "code": http.StatusConflict, "id": running.ID, "message": err.Error()}
		reply(w, http.StatusConflict, body)
	case errors.As(err, &missing):
		body := map[string]any{
			"error": "files_missing", "code": http.StatusFailedDependency, "missing": missing.Paths, "message": err.Error(),
		}
		reply(w, http.StatusFailedDependency, body)
	case errors.Is(err, job.ErrInvalid):
		fail(w, http.StatusBadRequest, err.Error())
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error())
	case started:
		reply(w, http.StatusAccepted, a.Jobs.Wait(over()))
	default:
		reply(w, http.StatusOK, a.Jobs.Wait(over()))
	}
}

// over is a context that has ended: for a look without waiting.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func (a *API) getInstall(w http.ResponseWriter, r *http.Request) {
	wait := min(durationIn(r, "wait"), maxWait)
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	reply(w, http.StatusOK, a.Jobs.Wait(ctx))
}

// installEvents tells by a header whose events these are: there may have been
// another installation since the reader asked for its own.
func (a *API) installEvents(w http.ResponseWriter, r *http.Request) {
	log, id := a.Jobs.Events()
	if log == nil {
		fail(w, http.StatusNotFound, "there was no installation")
		return
	}
	w.Header().Set(installHeader, id)
	sendEvents(w, r, log.Next, log.Delivered)
}

func (a *API) deleteInstall(w http.ResponseWriter, r *http.Request) {
	if !a.Jobs.Cancel(r.PathValue("id")) {
		fail(w, http.StatusNotFound, "no installation of this id is running")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// stageFile takes one file for an installation to come. The body is the content;
// ?path= is where it will go.
func (a *API) stageFile(w http.ResponseWriter, r *http.Request) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(stageDeadline))
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	file, err := a.Jobs.Stage(r.Body, r.URL.Query().Get("path"))
	switch {
	case errors.Is(err, job.ErrTooLarge):
		fail(w, http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		fail(w, http.StatusInsufficientStorage, "the volume is full")
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error())
	default:
		reply(w, http.StatusCreated, file)
	}
}

// installLog sends the whole log of the last installation as text.
func (a *API) installLog(w http.ResponseWriter, _ *http.Request) {
	file, err := a.Jobs.Log()
	if errors.Is(err, fs.ErrNotExist) {
		fail(w, http.StatusNotFound, "there was no installation")
		return
	}
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(w, file)
}

// postInvoke takes the slot before it reads the body: whoever is refused costs
// nothing.
func (a *API) postInvoke(w http.ResponseWriter, r *http.Request) {
	if id := r.URL.Query().Get("id"); id != "" && !invoke.ValidID(id) {
		fail(w, http.StatusBadRequest, "id: must be up to 64 letters, digits, '-' and '_'")
		return
	}
	slot, err := a.Invokes.Reserve()
	if err != nil {
		refuseInvoke(w, err)
		return
	}
	body, err := readInvokeBody(w, r)
	if err != nil {
		slot.Release()
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			fail(w, http.StatusRequestEntityTooLarge, "the body is larger than 16 MiB")
			return
		}
		fail(w, http.StatusBadRequest, "body: "+err.Error())
		return
	}
	query := r.URL.Query()
	run, err := slot.Start(invoke.Request{
		ID: query.Get("id"), Actor: r.Header.Get(actorHeader), Prompt: query.Get("prompt"), Body: body,
		Timeout: durationIn(r, "timeout"), Linger: min(durationIn(r, "linger"), maxLinger),
	})
	if err != nil {
		refuseInvoke(w, err)
		return
	}
	_, detach := run.Attach()
	defer detach()
	sendEvents(w, r, run.Events, run.Delivered)
}

func readInvokeBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyDeadline))
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxInvokeBody))
}

func refuseInvoke(w http.ResponseWriter, err error) {
	var busy invoke.Busy
	switch {
	case errors.As(err, &busy):
		w.Header().Set("Retry-After", "5")
		reply(w, http.StatusTooManyRequests, map[string]any{
			"error": "concurrency_exceeded", "code": http.StatusTooManyRequests,
			"limit": busy.Limit, "inflight": busy.Inflight, "message": busy.Error(),
		})
	case errors.Is(err, invoke.ErrNotConfigured):
		fail(w, http.StatusFailedDependency, err.Error())
	case errors.Is(err, invoke.ErrDraining):
		fail(w, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, invoke.ErrExists):
		fail(w, http.StatusConflict, err.Error())
	default:
		fail(w, http.StatusInternalServerError, err.Error())
	}
}

func (a *API) getInvoke(w http.ResponseWriter, r *http.Request) {
	run := a.Invokes.Find(r.PathValue("id"))
	if run == nil {
		fail(w, http.StatusNotFound, "no invocation of this id")
		return
	}
	readers, detach := run.Attach()
	defer detach()
	w.Header().Set(readersHeader, strconv.Itoa(readers))
	sendEvents(w, r, run.Events, run.Delivered)
}

// deleteInvoke cancels; that is for who began it, and for administrators.
func (a *API) deleteInvoke(w http.ResponseWriter, r *http.Request) {
	run := a.Invokes.Find(r.PathValue("id"))
	switch {
	case run == nil:
		fail(w, http.StatusNotFound, "no invocation of this id is running")
	case run.Actor() != r.Header.Get(actorHeader) && r.Header.Get(adminHeader) != "true":
		fail(w, http.StatusForbidden, "only who began an invocation may cancel it")
	case !run.Cancel():
		fail(w, http.StatusNotFound, "no invocation of this id is running")
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// durationIn reads a duration of the query; what is none, or negative, is 0.
func durationIn(r *http.Request, name string) time.Duration {
	d, err := time.ParseDuration(r.URL.Query().Get(name))
	if err != nil {
		return 0
	}
	return max(d, 0)
}

// readJSON answers itself when it returns false.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, into any) bool {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyDeadline))
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	// A newer operator may say more than this runtime knows.
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	if err := decoder.Decode(into); err != nil {
		fail(w, http.StatusBadRequest, "body: "+err.Error())
		return false
	}
	return true
}
