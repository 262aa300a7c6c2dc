// SPDX-License-Identifier: Apache-2.0

// Package proxy hands requests on to programs that listen on the loopback of
// the sandbox.
package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// Prefix of the path, before the port.
	Prefix = "/proxy/"
	// AnswerHeader marks what a program of the sandbox has answered: without it
	// an answer is this process's own.
	AnswerHeader = "X-Agenttier-Proxied"
	// SchemeHeader tells that the program speaks TLS.
	SchemeHeader = "X-Agenttier-Scheme"

	dialLimit = 5 * time.Second
	idleLimit = 30 * time.Second
	maxIdle   = 16
)

// Proxy is a handler for paths below Prefix. It goes to loopback only.
type Proxy struct {
	// Own ports are those of the runtime: through them a page could act as the
	// router does.
	own     map[int]bool
	reverse *httputil.ReverseProxy
	fail    func(w http.ResponseWriter, status int, message string)
}

// New makes one; fail answers in its place what it refuses.
func New(own []int, errors *log.Logger, fail func(w http.ResponseWriter, status int, message string)) *Proxy {
	p := &Proxy{own: map[int]bool{}, fail: fail}
	for _, port := range own {
		p.own[port] = true
	}
	p.reverse = &httputil.ReverseProxy{
		Rewrite:        rewrite,
		ModifyResponse: mark,
		ErrorHandler:   p.failed,
		ErrorLog:       errors,
		// Events must not wait in a buffer for more of them.
		FlushInterval: -1,
		Transport: &http.Transport{
			DialContext:         dialLoopback,
			MaxIdleConnsPerHost: maxIdle,
			IdleConnTimeout:     idleLimit,
			// What the browser did not ask to be packed must not arrive unpacked.
			DisableCompression: true,
			// Nobody can have a certificate for localhost that is worth checking.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // loopback
		},
	}
	return p
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	port, _, ok := split(r.URL)
	switch {
	case !ok:
		p.fail(w, http.StatusBadRequest, "port: must be a number from 1 to 65535")
	case p.own[port]:
		p.fail(w, http.StatusForbidden, fmt.Sprintf("port %d is the runtime's own", port))
	default:
		p.reverse.ServeHTTP(w, r)
	}
}

// split takes the port out of the path. The rest stays as it was escaped.
func split(u *url.URL) (port int, rest string, ok bool) {
	text, found := strings.CutPrefix(u.EscapedPath(), Prefix)
	if !found {
		return 0, "", false
	}
	text, rest, _ = strings.Cut(text, "/")
	number, err := strconv.ParseUint(text, 10, 16)
	return int(number), "/" + rest, err == nil && number > 0 && text[0] != '0' && text[0] != '+'
}

// rewrite aims the request at the program.
func rewrite(r *httputil.ProxyRequest) {
	port, rest, _ := split(r.In.URL)
	target := net.JoinHostPort("localhost", strconv.Itoa(port))
	out := r.Out
	out.URL.Scheme, out.URL.Host = "http", target
	if r.In.Header.Get(SchemeHeader) == "https" {
		out.URL.Scheme = "https"
	}
	out.URL.RawPath = rest
	out.URL.Path, _ = url.PathUnescape(rest)
	// As dev servers want it: they refuse names that they do not know.
	out.Host = target
	out.Header.Del("Authorization")
	out.Header.Del(SchemeHeader)
	AsSent(r)
}

// AsSent gives a request back what a reverse proxy takes out of it: the router
// has put its own word in the place of the headers about where it comes from,
// and a query is the program's to read, however it is written.
func AsSent(r *httputil.ProxyRequest) {
	out := r.Out
	out.URL.RawQuery = r.In.URL.RawQuery
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix"} {
		if values := r.In.Header.Values(name); len(values) > 0 {
			out.Header[name] = values
		}
	}
	if _, named := out.Header["User-Agent"]; !named {
		out.Header.Set("User-Agent", "")
	}
}

func mark(response *http.Response) error {
	response.Header.Set(AnswerHeader, "true")
	return nil
}

func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	// This is the request as it was sent on.
	if errors.Is(err, syscall.ECONNREFUSED) {
		p.fail(w, http.StatusBadGateway, "nothing listens on port "+r.URL.Port())
		return
	}
	p.fail(w, http.StatusBadGateway, fmt.Sprintf("port %s: %v", r.URL.Port(), err))
}

// dialLoopback never looks a name up. Some programs listen on "localhost" and
// get the address of one family only.
func dialLoopback(ctx context.Context, _, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialLimit}
	conn, err := dialer.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err == nil || !errors.Is(err, syscall.ECONNREFUSED) {
		return conn, err
	}
	if conn, six := dialer.DialContext(ctx, "tcp6", net.JoinHostPort("::1", port)); six == nil {
		return conn, nil
	}
	return nil, err
}
