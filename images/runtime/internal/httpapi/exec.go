// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/execute"
)

const (
	maxExecBody = 8<<20 + 1<<10
	// quietLimit is when a long command's headers go out, so that no client
	// takes a silent runtime for a dead one.
	quietLimit = 2 * time.Second
)

type execRequest struct {
	Command        []string          `json:"command"`
	Stdin          string            `json:"stdin"`
	TimeoutSeconds int64             `json:"timeoutSeconds"`
	WorkingDir     string            `json:"workingDir"`
	Env            map[string]string `json:"env"`
}

type execResponse struct {
	ExitCode   int    `json:"exitCode"`
	Stdout     string `json:"stdout"`
	Stderr     string `json:"stderr"`
	DurationMs int64  `json:"durationMs"`
	TimedOut   bool   `json:"timedOut"`
	Truncated  bool   `json:"truncated,omitempty"`
}

func (a *API) exec(w http.ResponseWriter, r *http.Request) {
	request, status, err := readExec(w, r)
	if err != nil {
		fail(w, status, err.Error())
		return
	}
	defer a.Activity.Begin()()
	w.Header().Set("Content-Type", "application/json")
	settled := flushWhenSlow(w)
	command, limited := a.command(request)
	result := execute.Run(r.Context(), command)
	settled()
	if result.TimedOut && limited {
		result.Stderr = fmt.Appendf(result.Stderr, "[runtime] ended after %v, the sandbox's maxCommandTimeout\n", command.Timeout)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(execResponse{
		ExitCode: result.ExitCode, Stdout: string(result.Stdout), Stderr: string(result.Stderr),
		DurationMs: result.Duration.Milliseconds(), TimedOut: result.TimedOut, Truncated: result.Truncated,
	})
}

// command tells also whether it gets less time than was asked for.
func (a *API) command(r execRequest) (command execute.Command, limited bool) {
	env := childenv.SetAll(a.Env.List(), r.Env)
	dir := childenv.Dir(a.Workdir, r.WorkingDir)
	timeout := execute.DefaultTimeout
	if r.TimeoutSeconds > 0 {
		timeout = time.Duration(min(r.TimeoutSeconds, int64(execute.MaxTimeout/time.Second))) * time.Second
	}
	timeout, limited = a.Limits.Clamp(timeout)
	return execute.Command{Argv: r.Command, Dir: dir, Env: env, Stdin: r.Stdin, Timeout: timeout}, limited
}

// readExec reads and checks the body. The error's text is for the client.
func readExec(w http.ResponseWriter, r *http.Request) (request execRequest, status int, err error) {
	status, err = readBody(w, r, maxExecBody, &request)
	switch {
	case err != nil:
		return request, status, err
	case len(request.Command) == 0 || request.Command[0] == "":
		return request, http.StatusBadRequest, errors.New("command: must name a program")
	case request.TimeoutSeconds < 0:
		return request, http.StatusBadRequest, errors.New("timeoutSeconds: must not be negative")
	}
	return request, 0, nil
}

// flushWhenSlow sends the headers when the answer takes long. The returned
// function must be called before the body is written.
func flushWhenSlow(w http.ResponseWriter) (settled func()) {
	var mu sync.Mutex
	over := false
	timer := time.AfterFunc(quietLimit, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			_ = http.NewResponseController(w).Flush()
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		over = true
	}
}
