// SPDX-License-Identifier: Apache-2.0

// Package tools finds out whether a sandbox has the programs that its harness
// promises, and installs those that are missing.
package tools

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/execute"
	"github.com/agenttier/agenttier/images/runtime/internal/once"
	"github.com/agenttier/agenttier/images/runtime/internal/shell"
)

const (
	verifyLimit  = 30 * time.Second
	installLimit = 10 * time.Minute
	maxTools     = 64
	maxMessage   = 600
	maxVersion   = 100
)

// Tool is one program that is wanted.
type Tool struct {
	Name           string `json:"name"`
	Version        string `json:"version"`
	InstallCommand string `json:"installCommand"`
	VerifyCommand  string `json:"verifyCommand"`
}

// Request asks for all tools of a start. ID tells it from every other.
type Request struct {
	ID         string `json:"id"`
	Tools      []Tool `json:"tools"`
	Shell      string `json:"shell"`
	WorkingDir string `json:"workingDir"`
}

// State is how one tool was found.
type State struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Ready   bool   `json:"ready"`
	Message string `json:"message,omitempty"`
}

// Runner looks for tools in the sandbox's environment.
type Runner struct {
	Env     *childenv.Live
	Workdir string
	Shell   string

	runs once.Table[[]State]
}

// Check tells what is wrong with a request, for the client.
func Check(request Request) error {
	if request.ID == "" || len(request.ID) > 256 {
		return errors.New("id: must have 1 to 256 characters")
	}
	if len(request.Tools) > maxTools {
		return fmt.Errorf("tools: must be at most %d", maxTools)
	}
	for _, tool := range request.Tools {
		if tool.Name == "" || len(tool.InstallCommand) > shell.MaxText || len(tool.VerifyCommand) > shell.MaxText {
			return fmt.Errorf("tool %q: must have a name, and commands of at most %d bytes", tool.Name, shell.MaxText)
		}
	}
	return nil
}

// Verify looks at each tool, one after the other; a run of the same id is
// joined. ok is false when ctx ended first; the work goes on.
func (r *Runner) Verify(ctx context.Context, request Request) (states []State, ok bool) {
	return r.runs.Do(ctx, request.ID, func() []State { return r.verify(request) })
}

func (r *Runner) verify(request Request) []State {
	states := make([]State, 0, len(request.Tools))
	env := r.Env.List()
	chosen, err := shell.Choose(env, request.Shell, r.Shell)
	dir := childenv.Dir(r.Workdir, request.WorkingDir)
	run := func(text string, limit time.Duration) execute.Result {
		return execute.Run(context.Background(), execute.Command{
			Argv: shell.Argv(chosen, text), Dir: dir, Env: env, Timeout: limit,
		})
	}
	for _, tool := range request.Tools {
		if err != nil {
			states = append(states, State{Name: tool.Name, Message: err.Error()})
			continue
		}
		states = append(states, one(tool, run))
	}
	return states
}

// one installs only what is not there: a start from a volume or an image that
// has the tool costs one look.
func one(tool Tool, run func(string, time.Duration) execute.Result) State {
	state := look(tool, run)
	if state.Ready || tool.InstallCommand == "" {
		return state
	}
	if done := run(tool.InstallCommand, installLimit); done.ExitCode != 0 {
		return State{Name: tool.Name, Message: "installCommand " + fault(done, installLimit)}
	}
	return look(tool, run)
}

func look(tool Tool, run func(string, time.Duration) execute.Result) State {
	done := run(verifyCommand(tool), verifyLimit)
	output := string(done.Stdout) + "\n" + string(done.Stderr)
	state := State{Name: tool.Name, Version: versionIn(output)}
	switch {
	case done.ExitCode != 0:
		state.Version, state.Message = "", "verifyCommand "+fault(done, verifyLimit)
	case !satisfies(tool.Version, state.Version, output):
		found := state.Version
		if found == "" {
			found = "no version"
		}
		state.Message = fmt.Sprintf("version %s is wanted, %s was found", tool.Version, found)
	default:
		state.Ready = true
	}
	return state
}

// verifyCommand of a tool that names none: what nearly every program answers,
// or for those that know no --version and when none is wanted, that it is there.
func verifyCommand(tool Tool) string {
	if tool.VerifyCommand != "" {
		return tool.VerifyCommand
	}
	name := "'" + strings.ReplaceAll(tool.Name, "'", `'\''`) + "'"
	there := "command -v " + name + " >/dev/null || { echo " + name + " is not in PATH >&2; exit 127; }\n"
	if tool.Version != "" {
		return there + name + " --version </dev/null"
	}
	return there + name + " --version </dev/null 2>&1 || true"
}

var versionPattern = regexp.MustCompile(`\d+(?:\.\d+)+(?:[-+.][0-9A-Za-z]+)*`)

func versionIn(output string) string {
	found := versionPattern.FindString(output)
	return found[:min(len(found), maxVersion)]
}

// satisfies takes 3.12 for a wish that 3.12.4 fulfils, and a wish that is no
// number when the output names it.
func satisfies(wanted, found, output string) bool {
	wanted = strings.TrimPrefix(strings.TrimPrefix(wanted, "v"), "=")
	if wanted == "" || wanted == found || strings.HasPrefix(found, wanted+".") {
		return true
	}
	word := regexp.MustCompile(`(^|[^0-9A-Za-z.])v?` + regexp.QuoteMeta(wanted) + `($|[^0-9A-Za-z]|\.\d)`)
	return word.MatchString(output)
}

func fault(done execute.Result, limit time.Duration) string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(done.Stderr), ""))
	if text == "" {
		text = strings.TrimSpace(strings.ToValidUTF8(string(done.Stdout), ""))
	}
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[len(text)-maxMessage:], "")
	}
	what := fmt.Sprintf("ended with exit code %d", done.ExitCode)
	if done.TimedOut {
		what = fmt.Sprintf("was ended after %v", limit)
	}
	if text == "" {
		return what
	}
	return what + ": " + text
}
