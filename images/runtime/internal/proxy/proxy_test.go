// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const ownPort = 9000

func start(t *testing.T) *httptest.Server {
	t.Helper()
	fail := func(w http.ResponseWriter, status int, message string) { http.Error(w, message, status) }
	server := httptest.NewServer(New([]int{ownPort}, log.New(io.Discard, "", 0), fail))
	t.Cleanup(server.Close)
	return server
}

// app is a program of the sandbox: it tells what it was asked.
func app(t *testing.T, handler http.HandlerFunc) (port string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	return port
}

func ask(t *testing.T, method, address string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response, string(body)
}

func TestHandsOnWhatWasAsked(t *testing.T) {
	var seen *http.Request
	var body []byte
	port := app(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		seen = r
		w.Header().Set(AnswerHeader, "forged")
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "hello")
	})
	response, text := ask(t, "PUT", start(t).URL+"/proxy/"+port+"//a%2Fb/../c?q=1&q=2", http.Header{
		"Authorization": {"Bearer secret"}, "Connection": {"X-Hop"}, "X-Hop": {"1"}, "X-Forwarded-Host": {"box.preview.example"},
		"X-Forwarded-For": {"10.0.0.9"}, "Te": {"gzip"}, "X-Own": {"yes"},
	})
	if response.StatusCode != http.StatusTeapot || text != "hello" || response.Header.Get(AnswerHeader) != "true" || response.Header.Get("Set-Cookie") != "a=b" {
		t.Errorf("%v %q", response, text)
	}
	if seen.Method != "PUT" || seen.RequestURI != "//a%2Fb/../c?q=1&q=2" || string(body) != "body" || seen.Host != "localhost:"+port {
		t.Errorf("%s %s %q %s", seen.Method, seen.RequestURI, body, seen.Host)
	}
	want := map[string]string{
		"Authorization": "", "X-Hop": "", "Te": "", "Connection": "", "X-Own": "yes",
		"X-Forwarded-Host": "box.preview.example", "X-Forwarded-For": "10.0.0.9",
	}
	for name, value := range want {
		if got := seen.Header.Get(name); got != value {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestGoesNowhereElse(t *testing.T) {
	server := start(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := strconv.Itoa(closed.Addr().(*net.TCPAddr).Port)
	_ = closed.Close()
	cases := map[string]int{
		"/proxy/9000/exec":                 http.StatusForbidden,
		"/proxy/0/":                        http.StatusBadRequest,
		"/proxy/65536/":                    http.StatusBadRequest,
		"/proxy/09000/":                    http.StatusBadRequest,
		"/proxy/+80/":                      http.StatusBadRequest,
		"/proxy/80@169.254.169.254/":       http.StatusBadRequest,
		"/proxy/169.254.169.254:80/latest": http.StatusBadRequest,
		"/proxy/%39000/":                   http.StatusBadRequest,
		"/proxy//":                         http.StatusBadRequest,
		"/elsewhere":                       http.StatusBadRequest,
		"/proxy/" + gone + "/":             http.StatusBadGateway,
	}
	for path, status := range cases {
		response, text := ask(t, "GET", server.URL+path, nil)
		if response.StatusCode != status || response.Header.Get(AnswerHeader) != "" {
			t.Errorf("%s: %d %q", path, response.StatusCode, text)
		}
	}
	if _, text := ask(t, "GET", server.URL+"/proxy/"+gone+"/", nil); text != "nothing listens on port "+gone+"\n" {
		t.Errorf("%q", text)
	}
	port := app(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "mine") })
	request, _ := http.NewRequest("GET", server.URL, nil)
	request.URL = &url.URL{Scheme: "http", Host: request.URL.Host, Opaque: "//169.254.169.254/proxy/" + port + "/"}
	if response, err := http.DefaultTransport.RoundTrip(request); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("an absolute target decides nothing: %v %v", response, err)
	} else {
		_ = response.Body.Close()
	}
}

func TestReachesWhatListensOnSixOnly(t *testing.T) {
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "six") })}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if _, text := ask(t, "GET", start(t).URL+"/proxy/"+port, nil); text != "six" {
		t.Errorf("%q", text)
	}
}

func TestSpeaksTLSWhenTold(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "sealed") }))
	defer server.Close()
	port := server.URL[strings.LastIndexByte(server.URL, ':')+1:]
	if _, text := ask(t, "GET", start(t).URL+"/proxy/"+port+"/", http.Header{SchemeHeader: {"https"}}); text != "sealed" {
		t.Errorf("%q", text)
	}
}

func TestEventsArriveAsTheyAreSent(t *testing.T) {
	more := make(chan struct{})
	port := app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-more
		fmt.Fprint(w, "data: 2\n\n")
	})
	response, err := http.Get(start(t).URL + "/proxy/" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	reader := bufio.NewReader(response.Body)
	if line, err := reader.ReadString('\n'); line != "data: 1\n" {
		t.Fatalf("%q %v", line, err)
	}
	close(more)
	if rest, _ := io.ReadAll(reader); !strings.Contains(string(rest), "data: 2") {
		t.Errorf("%q", rest)
	}
}

func TestWebSocketsPass(t *testing.T) {
	port := app(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		for {
			kind, data, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			_ = conn.Write(r.Context(), kind, append([]byte("echo "), data...))
		}
	})
	server := start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for i := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			conn, response, err := websocket.Dial(ctx, strings.Replace(server.URL, "http", "ws", 1)+"/proxy/"+port+"/hmr", nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			if response.Header.Get(AnswerHeader) == "" {
				t.Error("the answer is not marked")
			}
			word := strings.Repeat(strconv.Itoa(i), 1000)
			_ = conn.Write(ctx, websocket.MessageText, []byte(word))
			if _, data, err := conn.Read(ctx); string(data) != "echo "+word {
				t.Errorf("%v %q", err, data)
			}
		}()
	}
	all.Wait()
}

func FuzzSplit(f *testing.F) {
	for _, path := range []string{"/proxy/80/", "/proxy/80", "/proxy/8%30/x", "/proxy/-1/", "/proxy/80/..%2f", ""} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		port, rest, ok := split(u)
		if ok && (port < 1 || port > 65535 || !strings.HasPrefix(rest, "/") || !strings.HasPrefix(u.EscapedPath(), Prefix+strconv.Itoa(port))) {
			t.Errorf("%q: %d %q", path, port, rest)
		}
	})
}
