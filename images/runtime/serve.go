// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/activity"
	"github.com/agenttier/agenttier/images/runtime/internal/adopt"
	"github.com/agenttier/agenttier/images/runtime/internal/auth"
	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/files"
	"github.com/agenttier/agenttier/images/runtime/internal/hooks"
	"github.com/agenttier/agenttier/images/runtime/internal/httpapi"
	"github.com/agenttier/agenttier/images/runtime/internal/invoke"
	"github.com/agenttier/agenttier/images/runtime/internal/job"
	"github.com/agenttier/agenttier/images/runtime/internal/limits"
	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
	"github.com/agenttier/agenttier/images/runtime/internal/session"
	"github.com/agenttier/agenttier/images/runtime/internal/tools"
)

const (
	// stopGrace is how long processes may take to end after SIGTERM. With the
	// second that a kill may take and drainLimit, the runtime is gone after 8 s.
	stopGrace  = 6 * time.Second
	drainLimit = 400 * time.Millisecond

	notExecutable = 126
	notFound      = 127
)

type serveOptions struct {
	address, workdir, shell, tokenFile string
	command                            []string
	invokeGrace                        time.Duration
	awaitAdopt                         bool
	limits                             limits.Limits
	terminal                           session.Settings
}

func parseServe(args []string) (o serveOptions, err error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&o.address, "listen-addr", ":9000", "address to listen on")
	flags.StringVar(&o.workdir, "workdir", "/workspace", "folder in which shells and commands start")
	flags.StringVar(&o.shell, "shell", "", "absolute path of the shell; default: the first that the image has")
	flags.StringVar(&o.tokenFile, "token-file", defaultTokenFile, "file with the bearer token, one accepted token per line")
	flags.DurationVar(&o.invokeGrace, "invoke-grace", 0, "how long a stop waits for invocations to end")
	flags.DurationVar(&o.limits.Command, "max-command-timeout", 0, "how long a command may run, whatever is asked for")
	flags.Int64Var(&o.limits.FileBytes, "max-file-bytes", 0, "size beyond which no process can write a file")
	flags.IntVar(&o.terminal.Scrollback, "scrollback-bytes", session.RingSize, "how much output a terminal keeps for clients that come back")
	flags.DurationVar(&o.terminal.DetachedTTL, "detached-ttl", 0, "how long a terminal lives on that nobody is attached to; 0: for ever")
	flags.BoolVar(&o.terminal.KeepScreen, "keep-alternate-screen", false, "leave the alternate screen to the programs in terminals")
	flags.BoolVar(&o.awaitAdopt, "await-adopt", false, "be a slot: nothing runs here before POST /adopt")
	err = flags.Parse(args)
	o.command = flags.Args()
	return o, err
}

func serve(args []string) int {
	o, err := parseServe(args)
	if err != nil {
		return usageCode
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("component", "runtime")
	if err := o.limits.Enforce(); err != nil {
		log.Error("cannot limit the size of files", "error", err.Error())
		return 1
	}
	tokens, err := auth.Load(o.tokenFile)
	if err != nil {
		log.Error("not starting without a token", "error", err.Error())
		return 1
	}
	if info, err := os.Stat(o.workdir); err != nil || !info.IsDir() {
		log.Warn("the working folder is not there, using /", "workdir", o.workdir)
		o.workdir = "/"
	}
	listener, err := net.Listen("tcp", o.address)
	if err != nil {
		log.Error("cannot listen", "error", err.Error())
		return 1
	}
	return work(o, tokens, listener, log)
}

// work serves until the container is told to stop, or the command that it was
// given ends; that command's exit code is then the container's.
func work(o serveOptions, tokens *auth.Tokens, listener net.Listener, log *slog.Logger) int {
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	reaper.Init()
	env, used := childenv.NewLive(childenv.Base(os.Environ(), o.workdir)), &activity.Record{}
	jobs := &job.Manager{Workdir: o.workdir, Env: env.List, Began: used.Begin}
	api := &httpapi.API{
		Version: version, Port: portOf(listener), Workdir: o.workdir, Env: env, Tokens: tokens, Activity: used, Log: log,
		Sessions: session.NewManager(o.workdir, o.shell, env, used.Touch),
		Hooks:    &hooks.Runner{Env: env, Workdir: o.workdir, Shell: o.shell},
		Tools:    &tools.Runner{Env: env, Workdir: o.workdir, Shell: o.shell},
		Limits:   o.limits,
		Invokes:  &invoke.Manager{Workdir: o.workdir, Env: env.List, Began: used.Begin, Blocked: jobs.Blocked},
		Jobs:     jobs,
		Files:    &files.Store{Roots: files.NewRoots(o.workdir, "/tmp"), MaxFile: o.limits.FileBytes},
	}
	api.Sessions.Settings = o.terminal
	if o.awaitAdopt {
		api.Slot = adopt.New(env, tokens, o.workdir)
	}
	server := api.Server()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Info("serving", "version", version, "address", listener.Addr().String())
	command, code := untilEnd(o, api, ends{stop, failed}, log)
	shutDown(api, server, o.invokeGrace)
	if command != nil && code == 0 && isDone(command) {
		code = command.Wait().Code
	}
	return code
}

func portOf(listener net.Listener) int {
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		return address.Port
	}
	return 0
}

type ends struct {
	stop   <-chan os.Signal
	failed <-chan error
}

// untilEnd starts the sandbox's own command and returns when the container is
// to end. In a slot the command waits for the sandbox, whose variables it gets.
func untilEnd(o serveOptions, api *httpapi.API, e ends, log *slog.Logger) (command *reaper.Child, code int) {
	adopted := api.Slot.Adopted()
	if adopted == nil {
		if command, code = supervise(o, api.Env.List(), log); code != 0 {
			return nil, code
		}
	}
	for {
		select {
		case <-adopted:
			adopted = nil
			log.Info("adopted by a sandbox")
			if command, code = supervise(o, api.Env.List(), log); code != 0 {
				return nil, code
			}
		case sig := <-e.stop:
			log.Info("stopping", "signal", sig.String())
			return command, 0
		case <-ended(command):
			code = command.Wait().Code
			log.Info("the command has ended", "code", code)
			return command, code
		case err := <-e.failed:
			log.Error("server failed", "error", err.Error())
			return command, 1
		}
	}
}

// supervise starts the sandbox's own command, if it has one, with the
// container's standard streams. code is not 0 when that fails.
func supervise(o serveOptions, env []string, log *slog.Logger) (child *reaper.Child, code int) {
	if len(o.command) == 0 {
		return nil, 0
	}
	path, err := childenv.LookPath(o.command[0], o.workdir, env)
	if err == nil {
		child, err = reaper.Start(path, o.command, &os.ProcAttr{
			Dir: o.workdir, Env: childenv.Set(env, "PWD", o.workdir),
			Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
			Sys:   &syscall.SysProcAttr{Setsid: true},
		})
	}
	if err == nil {
		return child, 0
	}
	log.Error("the command cannot start", "command", o.command[0], "error", err.Error())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound
	}
	return nil, notExecutable
}

// shutDown lets invocations end that have begun, then ends all processes;
// clients get their last frames and answers.
func shutDown(api *httpapi.API, server *http.Server, invokeGrace time.Duration) {
	// A stopped process would not hear that it is to end.
	api.Still.End()
	patience, enough := context.WithTimeout(context.Background(), invokeGrace)
	api.Invokes.Drain(patience)
	enough()
	reaper.Shutdown(stopGrace)
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	_ = server.Shutdown(ctx)
	api.Drain(drainLimit)
}

func ended(child *reaper.Child) <-chan struct{} {
	if child == nil {
		return nil
	}
	return child.Done()
}

func isDone(child *reaper.Child) bool {
	select {
	case <-child.Done():
		return true
	default:
		return false
	}
}
