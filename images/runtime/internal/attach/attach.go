// SPDX-License-Identifier: Apache-2.0

// Package attach joins the standard streams of this process to a session of
// the runtime in the same pod. It is what `pods/exec` runs when nobody can
// reach the runtime's port from outside.
package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/coder/websocket"
	"golang.org/x/term"
)

// Failed is the exit code for everything that is not the shell's own end.
const Failed = 255

const (
	subProtocol = "agenttier.pty.v2"
	readLimit   = 1 << 20
	pieceSize   = 32 << 10
)

// Options say which session to join. Cols and Rows are 0 when the size of the
// terminal on Stdin, if any, is to be used.
type Options struct {
	Address    string
	TokenFile  string
	Session    string
	Mode       string
	Who        string
	Ticket     string
	AltScreen  string
	Cols, Rows int
	Stdin      *os.File
	Stdout     io.Writer
	Stderr     io.Writer
}

// Run copies bytes both ways until the shell ends, and returns its exit code.
// When Stdin ends first, it detaches with 0 and the shell lives on: an end of
// the input is all that a process started by pods/exec sees of a lost client.
func Run(o Options) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	defer stop()
	conn, err := dial(ctx, o)
	if err != nil {
		fmt.Fprintf(o.Stderr, "attach: %v\n", err)
		return Failed
	}
	defer conn.CloseNow()
	if fd := int(o.Stdin.Fd()); term.IsTerminal(fd) {
		if before, err := term.MakeRaw(fd); err == nil {
			defer func() { _ = term.Restore(fd, before) }()
		}
		go followSize(ctx, conn, fd)
	}
	detached := make(chan error, 1)
	go func() { detached <- sendInput(ctx, conn, o.Stdin) }()
	ended := make(chan outcome, 1)
	go func() { ended <- receive(ctx, conn, o.Stdout) }()
	select {
	case <-detached:
		_ = conn.Close(websocket.StatusNormalClosure, "detached")
		return 0
	case <-ctx.Done():
		return 0
	case result := <-ended:
		if result.err != nil {
			fmt.Fprintf(o.Stderr, "attach: %v\r\n", result.err)
		}
		return result.code
	}
}

func dial(ctx context.Context, o Options) (*websocket.Conn, error) {
	content, err := os.ReadFile(o.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("token file: %w", err)
	}
	token, _, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
	query := url.Values{"session": {o.Session}, "mode": {o.Mode}}
	for name, value := range map[string]string{"who": o.Who, "ticket": o.Ticket, "altscreen": o.AltScreen} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if cols, rows := initialSize(o); cols > 0 && rows > 0 {
		query.Set("cols", strconv.Itoa(cols))
		query.Set("rows", strconv.Itoa(rows))
	}
	target := url.URL{Scheme: "ws", Host: o.Address, Path: "/pty", RawQuery: query.Encode()}
	conn, answer, err := websocket.Dial(ctx, target.String(), &websocket.DialOptions{
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + strings.TrimSpace(token)}},
		Subprotocols: []string{subProtocol},
	})
	if err != nil && answer != nil && answer.StatusCode == http.StatusConflict {
		return nil, errors.New("this ticket has been used: get another one")
	}
	if err != nil {
		return nil, fmt.Errorf("no runtime at %s: %w", o.Address, err)
	}
	conn.SetReadLimit(readLimit)
	return conn, nil
}

func initialSize(o Options) (cols, rows int) {
	if o.Cols > 0 && o.Rows > 0 {
		return o.Cols, o.Rows
	}
	cols, rows, err := term.GetSize(int(o.Stdin.Fd()))
	if err != nil {
		return 0, 0
	}
	return cols, rows
}

// followSize passes on each change of the terminal's size. The kubelet sets the
// first size only after the process has started, as a change like any other.
func followSize(ctx context.Context, conn *websocket.Conn, fd int) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH)
	defer signal.Stop(changes)
	for {
		select {
		case <-changes:
		case <-ctx.Done():
			return
		}
		cols, rows, err := term.GetSize(fd)
		if err != nil || cols == 0 || rows == 0 {
			continue
		}
		frame := fmt.Sprintf(`{"type":"resize","cols":%d,"rows":%d}`, cols, rows)
		if conn.Write(ctx, websocket.MessageText, []byte(frame)) != nil {
			return
		}
	}
}

func sendInput(ctx context.Context, conn *websocket.Conn, from io.Reader) error {
	buf := make([]byte, pieceSize)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if failed := conn.Write(ctx, websocket.MessageBinary, buf[:n]); failed != nil {
				<-ctx.Done()
				return failed
			}
		}
		if err != nil {
			return err
		}
	}
}

type outcome struct {
	code int
	err  error
}

// receive copies output until the frame that ends the session.
func receive(ctx context.Context, conn *websocket.Conn, to io.Writer) outcome {
	for {
		kind, data, err := conn.Read(ctx)
		if err != nil {
			return outcome{Failed, fmt.Errorf("the session was lost: %w", err)}
		}
		if kind == websocket.MessageBinary {
			if _, err := to.Write(data); err != nil {
				return outcome{Failed, err}
			}
			continue
		}
		var frame struct {
			Type    string `json:"type"`
			Code    int    `json:"code"`
			Message string `json:"message"`
		}
		if json.Unmarshal(data, &frame) != nil {
			continue
		}
		switch frame.Type {
		case "exit":
			return outcome{frame.Code, nil}
		case "error":
			return outcome{Failed, errors.New(frame.Message)}
		}
	}
}
