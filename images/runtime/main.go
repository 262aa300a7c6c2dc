// SPDX-License-Identifier: Apache-2.0

// Command agenttier-runtime runs inside each sandbox: as its first process it
// serves commands and terminals to the router and takes care of all others.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/agenttier/agenttier/images/runtime/internal/attach"
	"github.com/agenttier/agenttier/images/runtime/internal/httpapi"
	"github.com/agenttier/agenttier/images/runtime/internal/relay"
)

// version is set by the linker.
var version = "dev"

const (
	usageCode        = 2
	defaultTokenFile = "/agenttier/run/token"
)

const usage = `usage:
  agenttier-runtime serve [--workdir DIR] [--shell PATH] [--listen-addr ADDR] [--token-file FILE] [--invoke-grace TIME] [--await-adopt] [-- COMMAND ARG...]
  agenttier-runtime attach [--session NAME] [--mode control|view] [--who NAME] [--cols N --rows N] [--addr ADDR] [--token-file FILE]
  agenttier-runtime relay [--addr ADDR] [--token-file FILE]
  agenttier-runtime install [--plan DIR --workdir DIR] DIR
  agenttier-runtime files --plan DIR [--workdir DIR]
  agenttier-runtime scripts --plan DIR [--workdir DIR]
  agenttier-runtime idle
  agenttier-runtime version
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return usageCode
	}
	switch command, rest := args[0], args[1:]; command {
	case "serve":
		return serve(rest)
	case "attach":
		return runAttach(rest)
	case "relay":
		return runRelay(rest)
	case "install":
		return runInstall(rest)
	case "files":
		return runFiles(rest)
	case "scripts":
		return runScripts(rest)
	case "idle":
		return idle()
	case "version", "--version":
		fmt.Printf("agenttier-runtime %s (protocol %d, %s/%s)\n", version, httpapi.Protocol, runtime.GOOS, runtime.GOARCH)
		return 0
	default:
		fmt.Fprintf(os.Stderr, "unknown command %q\n%s", command, usage)
		return usageCode
	}
}

// idle does nothing until it is told to end: a placeholder, or a pod whose images are what it is for.
func idle() int {
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	<-stop.Done()
	return 0
}

func runAttach(args []string) int {
	o := attach.Options{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	flags := flag.NewFlagSet("attach", flag.ContinueOnError)
	flags.StringVar(&o.Address, "addr", "127.0.0.1:9000", "address of the runtime")
	flags.StringVar(&o.TokenFile, "token-file", defaultTokenFile, "file with the runtime's bearer token")
	flags.StringVar(&o.Session, "session", "main", "name of the session to join or start")
	flags.StringVar(&o.Mode, "mode", "control", "control, or view to look on only")
	flags.StringVar(&o.Who, "who", "", "name that the others who are attached see")
	flags.StringVar(&o.Ticket, "ticket", "", "nonce of the ticket that this terminal was opened with")
	flags.StringVar(&o.AltScreen, "altscreen", "", "keep or strip: what a new session does with the alternate screen")
	flags.IntVar(&o.Cols, "cols", 0, "columns; default: those of the terminal")
	flags.IntVar(&o.Rows, "rows", 0, "rows; default: those of the terminal")
	if err := flags.Parse(args); err != nil {
		return usageCode
	}
	return attach.Run(o)
}

func runRelay(args []string) int {
	o := relay.Options{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	flags := flag.NewFlagSet("relay", flag.ContinueOnError)
	flags.StringVar(&o.Address, "addr", "127.0.0.1:9000", "address of the runtime")
	flags.StringVar(&o.TokenFile, "token-file", defaultTokenFile, "file with the runtime's bearer token")
	if err := flags.Parse(args); err != nil {
		return usageCode
	}
	return relay.Run(o)
}
