// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/install"
	"github.com/agenttier/agenttier/images/runtime/internal/provision"
	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
)

// terminationLog is where the kubelet takes a container's last words from.
const terminationLog = "/dev/termination-log"

type provisionOptions struct{ plan, workdir string }

func provisionFlags(name string, o *provisionOptions) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.StringVar(&o.plan, "plan", "", "folder with the plan of this start and its contents")
	flags.StringVar(&o.workdir, "workdir", "/workspace", "folder of the workspace")
	return flags
}

// runInstall puts the runtime into its folder and, with a plan, the files of
// the plan into the workspace.
func runInstall(args []string) int {
	var o provisionOptions
	flags := provisionFlags("install", &o)
	if flags.Parse(args) != nil || flags.NArg() != 1 {
		fmt.Fprint(os.Stderr, usage)
		return usageCode
	}
	self, err := os.Executable()
	if err == nil {
		err = install.Install(self, flags.Arg(0))
	}
	if err != nil {
		return lastWords(fmt.Errorf("install: %w", err))
	}
	if o.plan == "" {
		return 0
	}
	return deliver(o)
}

func runFiles(args []string) int {
	var o provisionOptions
	if provisionFlags("files", &o).Parse(args) != nil {
		return usageCode
	}
	return deliver(o)
}

func deliver(o provisionOptions) int {
	plan, err := readPlan(o)
	if err == nil {
		err = provision.Files(plan, o.plan, o.workdir)
	}
	return lastWords(err)
}

// runScripts runs the plan's scripts with the output of this container, and
// ends with the exit code of the one that failed.
func runScripts(args []string) int {
	var o provisionOptions
	if provisionFlags("scripts", &o).Parse(args) != nil {
		return usageCode
	}
	reaper.Init()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		reaper.Shutdown(stopGrace)
	}()
	plan, err := readPlan(o)
	if err == nil {
		env := childenv.Base(os.Environ(), o.workdir)
		err = provision.Runner{Folder: o.plan, Workdir: o.workdir, Env: env, Output: os.Stdout}.Scripts(plan)
	}
	return lastWords(err)
}

func readPlan(o provisionOptions) (provision.Plan, error) {
	plan, err := provision.Read(o.plan)
	if err == nil {
		err = plan.Check()
	}
	return plan, err
}

// lastWords says why this ends, in the log and where the operator reads it.
func lastWords(err error) (code int) {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "[agenttier] %v\n", err)
	// Outside a container there is nobody to tell.
	if log, open := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0); open == nil {
		_, _ = log.WriteString(err.Error())
		_ = log.Close()
	}
	var failed *provision.ScriptFailed
	if errors.As(err, &failed) && failed.Code > 0 {
		return failed.Code
	}
	return 1
}
