// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/ports"
	"github.com/agenttier/agenttier/images/runtime/internal/proxy"
	"github.com/agenttier/agenttier/images/runtime/internal/stats"
)

const (
	procfs = "/proc"
	cgroup = "/sys/fs/cgroup"
)

func (a *API) networkRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /ports", a.listPorts)
	mux.HandleFunc("GET /stats", a.stats)
	mux.HandleFunc("GET /metrics", a.metrics)
}

// withProxy takes what is for the programs of the sandbox out before a mux sees
// it: that would redirect paths with "//" or "..", which are theirs to judge.
func (a *API) withProxy(next http.Handler) http.Handler {
	fail := func(w http.ResponseWriter, status int, message string) { fail(w, status, message) }
	hand := proxy.New([]int{a.Port}, a.errorLog(), fail)
	guarded := a.authenticated(a.claimed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.Activity.Touch()
		defer a.Activity.Touch()
		hand.ServeHTTP(w, r)
	})))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), proxy.Prefix) {
			guarded.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) listPorts(w http.ResponseWriter, _ *http.Request) {
	list, err := ports.List(procfs, a.Port)
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	reply(w, http.StatusOK, map[string]any{"ports": list})
}

type statsResponse struct {
	stats.Sample
	LastActivity *time.Time `json:"lastActivity"`
}

func (a *API) stats(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, statsResponse{stats.Take(cgroup, a.Workdir), a.Activity.Last()})
}

func (a *API) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	all := append(stats.Take(cgroup, a.Workdir).Metrics(),
		stats.Metric{Name: "agenttier_runtime_resident_memory_bytes", Help: "Memory of the runtime itself.", Kind: "gauge", Value: resident()},
		stats.Metric{Name: "agenttier_runtime_terminal_sessions", Help: "Terminal sessions.", Kind: "gauge", Value: float64(len(a.Sessions.List()))},
	)
	if last := a.Activity.Last(); last != nil {
		all = append(all, stats.Metric{
			Name: "agenttier_sandbox_last_activity_timestamp_seconds", Help: "When the sandbox was last used.",
			Kind: "gauge", Value: float64(last.UnixMilli()) / 1e3,
		})
	}
	stats.Write(w, all)
}

// resident is the second field of statm, in pages.
func resident() float64 {
	content, _ := os.ReadFile(procfs + "/self/statm")
	var size, pages int
	_, _ = fmt.Sscan(string(content), &size, &pages)
	return float64(pages * os.Getpagesize())
}
