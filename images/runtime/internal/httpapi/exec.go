// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/detached"
	"github.com/agenttier/agenttier/images/runtime/internal/execute"
)

const (
	// maxExecBody is 8 MiB of input as base64, and as much for the command.
	maxExecBody = 16<<20 + 1<<10
	maxStdin    = 8 << 20
	// quietLimit is when a long command's headers go out, so that no client
	// takes a silent runtime for a dead one.
	quietLimit = 2 * time.Second
	inBase64   = "base64"
	eventType  = "text/event-stream"
)

type execRequest struct {
	Command        []string          `json:"command"`
	Stdin          string            `json:"stdin"`
	TimeoutSeconds int64             `json:"timeoutSeconds"`
	WorkingDir     string            `json:"workingDir"`
	Env            map[string]string `json:"env"`
	// Encoding is that of stdin, stdout and stderr.
	Encoding string     `json:"encoding"`
	Limits   execLimits `json:"limits"`
	Detach   bool       `json:"detach"`
}

type execLimits struct {
	Stdout int `json:"stdout"`
	Stderr int `json:"stderr"`
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
	switch {
	case request.Detach:
		a.execDetached(w, request)
	case strings.Contains(r.Header.Get("Accept"), eventType):
		a.execStreamed(w, r, request)
	default:
		a.execBuffered(w, r, request)
	}
}

func (a *API) execBuffered(w http.ResponseWriter, r *http.Request, request execRequest) {
	defer a.Activity.Begin()()
	w.Header().Set("Content-Type", "application/json")
	settled := flushWhenSlow(w)
	command, limited := a.command(request)
	result := execute.Run(r.Context(), command)
	settled()
	if result.TimedOut && limited {
		result.Stderr = append(result.Stderr, overLimit(command)...)
	}
	writeJSON(w, answerOf(result, request.Encoding))
}

func answerOf(result execute.Result, encoding string) execResponse {
	return execResponse{
		ExitCode: result.ExitCode, Stdout: encoded(result.Stdout, encoding), Stderr: encoded(result.Stderr, encoding),
		DurationMs: result.Duration.Milliseconds(), TimedOut: result.TimedOut, Truncated: result.Truncated,
	}
}

func encoded(p []byte, encoding string) string {
	if encoding == inBase64 {
		return base64.StdEncoding.EncodeToString(p)
	}
	return string(p)
}

func overLimit(command execute.Command) string {
	return fmt.Sprintf("[runtime] ended after %v, the sandbox's maxCommandTimeout\n", command.Timeout)
}

func writeJSON(w http.ResponseWriter, body any) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
}

// command tells also whether it gets less time than was asked for.
func (a *API) command(r execRequest) (command execute.Command, limited bool) {
	timeout, most := execute.DefaultTimeout, execute.MaxTimeout
	if r.Detach {
		timeout, most = detached.DefaultTimeout, detached.MaxTimeout
	}
	if r.TimeoutSeconds > 0 {
		timeout = time.Duration(min(r.TimeoutSeconds, int64(most/time.Second))) * time.Second
	}
	timeout, limited = a.Limits.Clamp(timeout)
	return execute.Command{
		Argv: r.Command, Dir: childenv.Dir(a.Workdir, r.WorkingDir), Env: childenv.SetAll(a.Env.List(), r.Env),
		Stdin: r.Stdin, Timeout: timeout, StdoutLimit: r.Limits.Stdout, StderrLimit: r.Limits.Stderr,
	}, limited
}

// readExec reads and checks the body; the input is decoded then. The error's
// text is for the client.
func readExec(w http.ResponseWriter, r *http.Request) (request execRequest, status int, err error) {
	if status, err = readBody(w, r, maxExecBody, &request); err != nil {
		return request, status, err
	}
	if request.Encoding == inBase64 {
		input, bad := base64.StdEncoding.DecodeString(request.Stdin)
		if bad != nil {
			return request, http.StatusBadRequest, errors.New("stdin: is not base64, as encoding says")
		}
		request.Stdin = string(input)
	}
	if len(request.Stdin) > maxStdin {
		return request, http.StatusRequestEntityTooLarge, errors.New("stdin: must not be larger than 8 MiB")
	}
	if err = request.check(); err != nil {
		return request, http.StatusBadRequest, err
	}
	return request, 0, nil
}

func (r execRequest) check() error {
	switch {
	case len(r.Command) == 0 || r.Command[0] == "":
		return errors.New("command: must name a program")
	case r.TimeoutSeconds < 0:
		return errors.New("timeoutSeconds: must not be negative")
	case r.Encoding != "" && r.Encoding != "utf-8" && r.Encoding != inBase64:
		return errors.New("encoding: must be utf-8 or base64")
	case outside(r.Limits.Stdout), outside(r.Limits.Stderr):
		return fmt.Errorf("limits: must be from 1 to %d bytes", execute.MaxOutput)
	}
	return childenv.Check(r.Env)
}

func outside(limit int) bool { return limit < 0 || limit > execute.MaxOutput }

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
