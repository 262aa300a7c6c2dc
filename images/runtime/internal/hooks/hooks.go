// SPDX-License-Identifier: Apache-2.0

// Package hooks runs a harness's shell texts at the turning points of a
// sandbox's life, each once per turn.
package hooks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/execute"
	"github.com/agenttier/agenttier/images/runtime/internal/once"
	"github.com/agenttier/agenttier/images/runtime/internal/shell"
)

// limits are how long each hook may take, and also when none is asked for.
var limits = map[string]time.Duration{
	"onStart": 60 * time.Second, "onResume": 60 * time.Second, "onIdle": 30 * time.Second, "onStop": 60 * time.Second,
}

// maxTail is how much of each output stream a result carries.
const maxTail = 4 << 10

// Request is one turn of a sandbox's life. ID tells it from every other: a
// second request with the same one gets the first one's result.
type Request struct {
	ID             string `json:"id"`
	Script         string `json:"script"`
	Shell          string `json:"shell"`
	WorkingDir     string `json:"workingDir"`
	TimeoutSeconds int    `json:"timeoutSeconds"`
}

// Result is how the hook ended; see execute.Result for the exit code.
type Result struct {
	ID         string `json:"id"`
	ExitCode   int    `json:"exitCode"`
	TimedOut   bool   `json:"timedOut"`
	DurationMs int64  `json:"durationMs"`
	Stdout     string `json:"stdout"`
	Stderr     string `json:"stderr"`
}

// Runner runs hooks in the sandbox's environment.
type Runner struct {
	Env     *childenv.Live
	Workdir string
	// Shell is the harness's; a request may name another.
	Shell string

	runs once.Table[Result]
}

// Check tells what is wrong with a request, for the client.
func Check(name string, request Request) error {
	switch {
	case limits[name] == 0:
		return fmt.Errorf("hook %q: must be onStart, onResume, onIdle or onStop", name)
	case request.ID == "" || len(request.ID) > 256:
		return errors.New("id: must have 1 to 256 characters")
	case request.Script == "" || len(request.Script) > shell.MaxText:
		return fmt.Errorf("script: must have 1 to %d bytes", shell.MaxText)
	case request.TimeoutSeconds < 0:
		return errors.New("timeoutSeconds: must not be negative")
	}
	return nil
}

// Run runs the hook, or joins the run of the same name and id. ok is false
// when ctx ended first; the hook goes on.
func (r *Runner) Run(ctx context.Context, name string, request Request) (result Result, ok bool) {
	return r.runs.Do(ctx, name+"/"+request.ID, func() Result { return r.run(name, request) })
}

func (r *Runner) run(name string, request Request) Result {
	env := childenv.Set(r.Env.List(), "AGENTTIER_HOOK", name)
	chosen, err := shell.Choose(env, request.Shell, r.Shell)
	if err != nil {
		return Result{ID: request.ID, ExitCode: -1, Stderr: err.Error()}
	}
	limit := limits[name]
	if asked := time.Duration(request.TimeoutSeconds) * time.Second; asked > 0 {
		limit = min(limit, asked)
	}
	dir := childenv.Dir(r.Workdir, request.WorkingDir)
	// What the hook left running goes on; nothing but its time limit ends the hook itself.
	done := execute.Run(context.Background(), execute.Command{
		Argv: shell.Argv(chosen, request.Script), Dir: dir, Env: env, Timeout: limit,
	})
	return Result{
		ID: request.ID, ExitCode: done.ExitCode, TimedOut: done.TimedOut, DurationMs: done.Duration.Milliseconds(),
		Stdout: Tail(done.Stdout), Stderr: Tail(done.Stderr),
	}
}

// Tail is the end of an output, as text.
func Tail(output []byte) string {
	if len(output) > maxTail {
		output = output[len(output)-maxTail:]
	}
	return strings.ToValidUTF8(string(output), "")
}
