// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/execute"
	"github.com/agenttier/agenttier/images/runtime/internal/utf8stream"
)

type exitEvent struct {
	ExitCode   int   `json:"exitCode"`
	DurationMs int64 `json:"durationMs"`
	TimedOut   bool  `json:"timedOut"`
	Truncated  bool  `json:"truncated,omitempty"`
}

// execStreamed sends output as events while it comes. A client that reads
// slowly holds the command up; one that goes ends it.
func (a *API) execStreamed(w http.ResponseWriter, r *http.Request, request execRequest) {
	defer a.Activity.Begin()()
	ctx, gone := context.WithCancel(r.Context())
	defer gone()
	stream := openStream(w, gone)
	defer stream.close()
	command, limited := a.command(request)
	output := &outputEvents{stream: stream, encoding: request.Encoding, left: map[string]int{
		execute.Stdout: request.Limits.Stdout, execute.Stderr: request.Limits.Stderr,
	}}
	command.Output = output.take
	result := execute.Run(ctx, command)
	output.flush()
	if result.TimedOut && limited {
		result.Stderr = append(result.Stderr, overLimit(command)...)
	}
	if len(result.Stderr) > 0 {
		stream.send(execute.Stderr, map[string]string{"data": encoded(result.Stderr, request.Encoding)})
	}
	stream.send("exit", exitEvent{result.ExitCode, result.Duration.Milliseconds(), result.TimedOut, output.cut})
}

// outputEvents turns parts of the streams into events; characters stay whole.
type outputEvents struct {
	stream   *eventStream
	encoding string

	mu       sync.Mutex
	decoders map[string]*utf8stream.Decoder
	// left is what may still be sent of a stream whose limit was given.
	left map[string]int
	cut  bool
}

func (o *outputEvents) take(name string, part []byte) {
	if part = o.within(name, part); len(part) == 0 {
		return
	}
	text := ""
	if o.encoding == inBase64 {
		text = encoded(part, inBase64)
	} else {
		text = o.decoder(name).Next(part)
	}
	if text != "" {
		o.stream.send(name, map[string]string{"data": text})
	}
}

// within counts down to 1, which is nothing left: 0 is no limit.
func (o *outputEvents) within(name string, part []byte) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	left, limited := o.left[name], o.left[name] != 0
	if !limited {
		return part
	}
	if room := max(left, 0); len(part) > room {
		part, o.cut = part[:room], true
	}
	if o.left[name] = left - len(part); o.left[name] == 0 {
		o.left[name] = -1
	}
	return part
}

func (o *outputEvents) decoder(name string) *utf8stream.Decoder {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.decoders == nil {
		o.decoders = map[string]*utf8stream.Decoder{execute.Stdout: {}, execute.Stderr: {}}
	}
	return o.decoders[name]
}

func (o *outputEvents) flush() {
	for _, name := range []string{execute.Stdout, execute.Stderr} {
		if rest := o.decoder(name).Flush(); rest != "" {
			o.stream.send(name, map[string]string{"data": rest})
		}
	}
}

// eventStream writes events that nobody asks for again.
type eventStream struct {
	connection *http.ResponseController
	lost       context.CancelFunc
	quiet      *time.Ticker
	ended      chan struct{}

	mu sync.Mutex
	w  http.ResponseWriter
}

// openStream sends the headers. lost is called when the client is.
func openStream(w http.ResponseWriter, lost context.CancelFunc) *eventStream {
	header := w.Header()
	header.Set("Content-Type", eventType)
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	s := &eventStream{
		connection: http.NewResponseController(w), lost: lost, w: w,
		quiet: time.NewTicker(keepAlive), ended: make(chan struct{}),
	}
	s.write([]byte(": begun\n\n"))
	go s.keepAlive()
	return s
}

func (s *eventStream) keepAlive() {
	for {
		select {
		case <-s.quiet.C:
			s.write([]byte(": keepalive\n\n"))
		case <-s.ended:
			return
		}
	}
}

func (s *eventStream) send(name string, data any) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "event: %s\ndata: ", name)
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(data)
	out.WriteByte('\n')
	s.write(out.Bytes())
}

func (s *eventStream) write(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return
	}
	s.quiet.Reset(keepAlive)
	_ = s.connection.SetWriteDeadline(time.Now().Add(sendLimit))
	if _, err := s.w.Write(p); err != nil || s.connection.Flush() != nil {
		s.lost()
		s.w = nil
	}
}

// close returns when nothing is written any more: a handler that has returned
// has no answer to write to.
func (s *eventStream) close() {
	s.quiet.Stop()
	close(s.ended)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w = nil
}
