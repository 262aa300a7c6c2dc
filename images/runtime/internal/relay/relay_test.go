// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func start(t *testing.T, handler http.HandlerFunc) Options {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\nolder\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Options{Address: server.Listener.Addr().String(), TokenFile: token, Stderr: io.Discard}
}

func TestRequestsOneAfterAnother(t *testing.T) {
	o := start(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values("Authorization"); len(got) != 1 || got[0] != "Bearer secret" {
			t.Errorf("Authorization is %q", got)
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.RequestURI+" "+r.Header.Get("X-Forwarded-For")+" "+string(body))
	})
	input, send := io.Pipe()
	out, sink := io.Pipe()
	o.Stdin, o.Stdout = input, sink
	code := make(chan int)
	go func() { code <- Run(o) }()
	answers := bufio.NewReader(out)
	for range 3 {
		_, _ = io.WriteString(send, "PUT /files/a%2Fb?x=1;y=%zz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nauthorization: Bearer forged\r\nContent-Length: 4\r\n\r\nbody")
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(answer.Body); string(body) != "/files/a%2Fb?x=1;y=%zz 1.2.3.4 body" {
			t.Errorf("the answer is %q", body)
		}
	}
	_ = send.Close()
	if got := <-code; got != 0 {
		t.Errorf("code %d", got)
	}
}

func TestAnotherProtocol(t *testing.T) {
	o := start(t, func(w http.ResponseWriter, r *http.Request) {
		conn, stream, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, stream)
	})
	input, send := io.Pipe()
	out, sink := io.Pipe()
	o.Stdin, o.Stdout = input, sink
	code := make(chan int)
	go func() { code <- Run(o) }()
	_, _ = io.WriteString(send, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	answers := bufio.NewReader(out)
	answer, err := http.ReadResponse(answers, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(answer, err)
	}
	_, _ = io.WriteString(send, "ping")
	heard := make([]byte, 4)
	if _, err := io.ReadFull(answers, heard); err != nil || string(heard) != "ping" {
		t.Errorf("heard %q: %v", heard, err)
	}
	_ = send.Close()
	if got := <-code; got != 0 {
		t.Errorf("code %d", got)
	}
}

func TestTheRuntimeHearsThatTheInputEnded(t *testing.T) {
	begun, left := make(chan struct{}), make(chan struct{})
	o := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-r.Context().Done()
		close(left)
	})
	input, send := io.Pipe()
	o.Stdin, o.Stdout = input, io.Discard
	go Run(o)
	_, _ = io.WriteString(send, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-begun
	_ = send.Close()
	<-left
}

func TestWhatIsNoRequest(t *testing.T) {
	o := start(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	for _, input := range []string{"", "GET / HTTP/1.1\r\n", strings.Repeat("x", 1<<20), strings.Repeat("a: b\r\n", 1<<16)} {
		o.Stdin, o.Stdout = strings.NewReader(input), io.Discard
		if code := Run(o); code != 0 {
			t.Errorf("code %d", code)
		}
	}
}

func TestNothingThere(t *testing.T) {
	o := start(t, func(http.ResponseWriter, *http.Request) {})
	var said strings.Builder
	o.Stdin, o.Stdout, o.Stderr = strings.NewReader(""), io.Discard, &said
	gone := o
	gone.Address = "127.0.0.1:1"
	missing := o
	missing.TokenFile += "x"
	for _, each := range []Options{gone, missing} {
		said.Reset()
		if code := Run(each); code != Failed || said.Len() == 0 {
			t.Errorf("code %d, %q", code, said.String())
		}
	}
}
