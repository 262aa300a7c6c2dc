// SPDX-License-Identifier: Apache-2.0

// Package httpapi is the runtime's HTTP and WebSocket surface.
package httpapi

import (
	"encoding/json"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/activity"
	"github.com/agenttier/agenttier/images/runtime/internal/adopt"
	"github.com/agenttier/agenttier/images/runtime/internal/auth"
	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/detached"
	"github.com/agenttier/agenttier/images/runtime/internal/files"
	"github.com/agenttier/agenttier/images/runtime/internal/hooks"
	"github.com/agenttier/agenttier/images/runtime/internal/invoke"
	"github.com/agenttier/agenttier/images/runtime/internal/job"
	"github.com/agenttier/agenttier/images/runtime/internal/limits"
	"github.com/agenttier/agenttier/images/runtime/internal/quiesce"
	"github.com/agenttier/agenttier/images/runtime/internal/session"
	"github.com/agenttier/agenttier/images/runtime/internal/spent"
	"github.com/agenttier/agenttier/images/runtime/internal/tools"
)

// Protocol is the version of the terminal protocol that is spoken here.
const Protocol = 2

var capabilities = []string{
	"exec", "exec.stream", "exec.detach", "pty", "pty.v2", "sessions", "presence", "tickets", "activity", "attach", "adopt",
	"hooks", "tools", "install", "invoke", "quiesce", "ports", "proxy", "stats", "agent.files",
	"files", "archive",
}

// API answers the runtime's requests.
type API struct {
	Version string
	// Port is the one that this API is served on.
	Port    int
	Workdir string
	Env     *childenv.Live
	// Slot is nil in a pod that was made for its sandbox.
	Slot     *adopt.Slot
	Tokens   *auth.Tokens
	Sessions *session.Manager
	Hooks    *hooks.Runner
	Tools    *tools.Runner
	Limits   limits.Limits
	Activity *activity.Record
	Invokes  *invoke.Manager
	Jobs     *job.Manager
	Files    *files.Store
	Detached detached.Manager
	// Tickets remembers those that have opened a terminal.
	Tickets spent.Nonces
	Log     *slog.Logger
	// Still holds the programs while a snapshot is cut.
	Still quiesce.Stillness

	links sync.WaitGroup
}

// Server returns an HTTP server for the API. Its limits guard against clients
// that send headers slowly or without end; a terminal has no time limit.
func (a *API) Server() *http.Server {
	return &http.Server{
		Handler:           a.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          a.errorLog(),
	}
}

func (a *API) errorLog() *log.Logger { return slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn) }

// Drain waits until every terminal client has got its last frame, or the limit
// is over.
func (a *API) Drain(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		a.links.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

func (a *API) routes() http.Handler {
	open, closed := http.NewServeMux(), http.NewServeMux()
	open.HandleFunc("GET /healthz", a.health)
	open.HandleFunc("GET /readyz", a.health)
	closed.HandleFunc("GET /version", a.version)
	closed.HandleFunc("GET /activity", a.activity)
	closed.HandleFunc("POST /exec", a.exec)
	closed.HandleFunc("GET /exec/{id}", a.getExec)
	closed.HandleFunc("DELETE /exec/{id}", a.deleteExec)
	closed.HandleFunc("POST /hooks/{name}", a.hook)
	closed.HandleFunc("POST /tools", a.tools)
	closed.HandleFunc("GET /pty", a.terminal)
	closed.HandleFunc("POST /tickets/{nonce}", a.useTicket)
	closed.HandleFunc("GET /sessions", a.listSessions)
	closed.HandleFunc("DELETE /sessions/{name}", a.removeSession)
	a.agentRoutes(closed)
	a.networkRoutes(closed)
	closed.HandleFunc("POST /adopt", a.adopt)
	closed.HandleFunc("POST /quiesce", a.quiesce)
	closed.HandleFunc("POST /unquiesce", a.unquiesce)
	a.fileRoutes(closed)
	open.Handle("/", a.authenticated(a.claimed(asJSON(closed))))
	return a.withProxy(a.withFiles(open))
}

func (a *API) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.Tokens.Allowed(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "unauthorized")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// asJSON gives the router's own refusals the same shape as all other errors.
func asJSON(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		answer := &statusOnly{header: w.Header()}
		mux.ServeHTTP(answer, r)
		fail(w, answer.status, http.StatusText(answer.status)+": "+r.Method+" "+r.URL.Path)
	})
}

// statusOnly takes the status and headers (Allow) of a refusal, not its text.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }

func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (a *API) version(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"version": a.Version, "protocol": Protocol, "capabilities": capabilities})
}

func (a *API) activity(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"lastActivity": a.Activity.Last()})
}

func (a *API) listSessions(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"sessions": a.Sessions.List()})
}

func (a *API) removeSession(w http.ResponseWriter, r *http.Request) {
	if !a.Sessions.Remove(r.PathValue("name")) {
		fail(w, http.StatusNotFound, "no session of this name")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func fail(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]any{"error": message, "code": status})
}
