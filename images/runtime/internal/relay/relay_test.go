// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bufio"
	"bytes"
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

func TestOneExchange(t *testing.T) {
	o := start(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values("Authorization"); len(got) != 1 || got[0] != "Bearer secret" {
			t.Errorf("Authorization is %q", got)
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.URL.EscapedPath()+" "+string(body))
	})
	input, send := io.Pipe()
	defer send.Close()
	var out bytes.Buffer
	o.Stdin, o.Stdout = input, &out
	go func() {
		_, _ = io.WriteString(send, "PUT /files/a%2Fb HTTP/1.1\r\nHost: x\r\nauthorization: Bearer forged\r\nContent-Length: 4\r\n\r\nbody")
	}()
	if code := Run(o); code != 0 {
		t.Fatalf("code %d", code)
	}
	answer, err := http.ReadResponse(bufio.NewReader(&out), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(answer.Body); string(body) != "/files/a%2Fb body" {
		t.Errorf("the answer is %q", body)
	}
}

func TestTheRuntimeHearsThatTheInputEnded(t *testing.T) {
	left := make(chan struct{})
	o := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	})
	o.Stdin, o.Stdout = strings.NewReader("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"), io.Discard
	Run(o)
	<-left
}

func TestWhatIsNoRequest(t *testing.T) {
	o := start(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	for _, input := range []string{"", "GET / HTTP/1.1\r\n", strings.Repeat("x", 1<<20), strings.Repeat("a: b\r\n", 1<<16)} {
		o.Stdin, o.Stdout = strings.NewReader(input), io.Discard
		if Run(o) != Failed {
			t.Errorf("%d bytes are taken for a request", len(input))
		}
	}
}
