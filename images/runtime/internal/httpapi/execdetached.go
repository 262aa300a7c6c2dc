// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/detached"
)

type detachedResponse struct {
	ID        string    `json:"id"`
	Running   bool      `json:"running"`
	StartedAt time.Time `json:"startedAt"`
	// ExitCode is absent while it runs.
	ExitCode   *int   `json:"exitCode,omitempty"`
	Stdout     string `json:"stdout"`
	Stderr     string `json:"stderr"`
	DurationMs int64  `json:"durationMs"`
	TimedOut   bool   `json:"timedOut"`
	Truncated  bool   `json:"truncated,omitempty"`
}

// execDetached answers when the command has begun; its result is for GET.
func (a *API) execDetached(w http.ResponseWriter, request execRequest) {
	command, _ := a.command(request)
	used := a.Activity.Begin()
	run, err := a.Detached.Start(command, used)
	switch {
	case errors.Is(err, detached.ErrBusy):
		used()
		w.Header().Set("Retry-After", "5")
		fail(w, http.StatusTooManyRequests, err.Error())
	case err != nil:
		used()
		fail(w, http.StatusInternalServerError, err.Error())
	default:
		reply(w, http.StatusAccepted, map[string]any{"id": run.ID, "startedAt": run.Began.UTC()})
	}
}

func (a *API) getExec(w http.ResponseWriter, r *http.Request) {
	run := a.Detached.Find(r.PathValue("id"))
	encoding := r.URL.Query().Get("encoding")
	switch {
	case run == nil:
		fail(w, http.StatusNotFound, "no command of this id")
		return
	case encoding != "" && encoding != "utf-8" && encoding != inBase64:
		fail(w, http.StatusBadRequest, "encoding: must be utf-8 or base64")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), min(durationIn(r, "wait"), maxWait))
	defer cancel()
	state := run.Wait(ctx)
	answer := answerOf(state.Result, encoding)
	body := detachedResponse{
		ID: run.ID, Running: state.Running, StartedAt: run.Began.UTC(), Stdout: answer.Stdout, Stderr: answer.Stderr,
		DurationMs: answer.DurationMs, TimedOut: answer.TimedOut, Truncated: answer.Truncated,
	}
	if !state.Running {
		body.ExitCode = &answer.ExitCode
	}
	w.Header().Set("Content-Type", "application/json")
	writeJSON(w, body)
}

// deleteExec ends the command, if it runs, and forgets its result.
func (a *API) deleteExec(w http.ResponseWriter, r *http.Request) {
	if !a.Detached.Remove(r.PathValue("id")) {
		fail(w, http.StatusNotFound, "no command of this id")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
