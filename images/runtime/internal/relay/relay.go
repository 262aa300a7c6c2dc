// SPDX-License-Identifier: Apache-2.0

// Package relay joins the standard streams of this process to the runtime in
// the same pod. It is what `pods/exec` runs when nobody can reach the
// runtime's port from outside: one connection, with as many requests, streams
// and upgrades on it as HTTP allows.
package relay

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/proxy"
)

// Failed is the exit code when the runtime cannot be spoken to; nothing was
// sent then.
const Failed = 255

const (
	dialLimit  = 5 * time.Second
	idleLimit  = time.Minute
	headLimit  = 30 * time.Second
	maxHead    = 64 << 10
	bufferSize = 64 << 10
)

// Options say where the runtime is. Whoever may run this in the pod may also
// read its token, so the requests need none.
type Options struct {
	Address   string
	TokenFile string
	Stdin     io.Reader
	Stdout    io.Writer
	Stderr    io.Writer
}

// Run hands requests on, the runtime's token added, until the input ends. What
// is under way then is broken off, as by a client that left.
func Run(o Options) int {
	if err := serve(o); err != nil {
		fmt.Fprintf(o.Stderr, "relay: %v\n", err)
		return Failed
	}
	return 0
}

func serve(o Options) error {
	if _, err := token(o.TokenFile); err != nil {
		return err
	}
	first, err := net.DialTimeout("tcp", o.Address, dialLimit)
	if err != nil {
		return fmt.Errorf("no runtime at %s: %w", o.Address, err)
	}
	_ = first.Close()
	silent := log.New(io.Discard, "", 0)
	server := &http.Server{
		Handler: &httputil.ReverseProxy{
			Rewrite:       o.rewrite,
			FlushInterval: -1,
			ErrorLog:      silent,
			Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1},
		},
		ReadHeaderTimeout: headLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          silent,
	}
	line := newLine(o.Stdin, o.Stdout)
	_ = server.Serve(line)
	return nil
}

func (o Options) rewrite(r *httputil.ProxyRequest) {
	proxy.AsSent(r)
	r.Out.URL.Scheme, r.Out.URL.Host = "http", o.Address
	r.Out.Host = r.In.Host
	// It is read each time: the token may be replaced while a relay lasts.
	current, _ := token(o.TokenFile)
	r.Out.Header.Set("Authorization", "Bearer "+current)
}

func token(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
	return strings.TrimSpace(first), nil
}

// line is a listener with one connection, whose other end are the standard
// streams.
type line struct {
	conn net.Conn
	once sync.Once
	over chan struct{}
}

// newLine has a pipe between: HTTP breaks reads off by their deadline, which
// the streams of a process do not always have.
func newLine(in io.Reader, out io.Writer) *line {
	near, far := net.Pipe()
	written := make(chan struct{})
	l := &line{conn: near, over: written}
	go func() {
		_, _ = io.CopyBuffer(struct{ io.Writer }{far}, in, make([]byte, bufferSize))
		_ = far.Close()
	}()
	go func() {
		_, _ = io.CopyBuffer(out, struct{ io.Reader }{far}, make([]byte, bufferSize))
		_ = far.Close()
		close(written)
	}()
	return l
}

// Accept gives the connection, and ends with it: what was answered has left by
// then.
func (l *line) Accept() (net.Conn, error) {
	var conn net.Conn
	l.once.Do(func() { conn = l.conn })
	if conn != nil {
		return conn, nil
	}
	<-l.over
	return nil, net.ErrClosed
}

func (l *line) Close() error { return nil }

func (l *line) Addr() net.Addr { return l.conn.LocalAddr() }
