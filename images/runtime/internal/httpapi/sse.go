// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/eventlog"
)

const (
	keepAlive = 15 * time.Second
	// sendLimit is how long a client may take to accept a batch of events.
	sendLimit = 60 * time.Second
)

type nextEvents func(ctx context.Context, after int64) ([]eventlog.Event, int64, error)

// sendEvents streams events (text/event-stream) from the one that the client
// saw last, until the log or the client ends.
func sendEvents(w http.ResponseWriter, r *http.Request, next nextEvents, delivered func(int64)) {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	connection := http.NewResponseController(w)
	for last := lastEventID(r); ; {
		ctx, cancel := context.WithTimeout(r.Context(), keepAlive)
		events, dropped, err := next(ctx, last)
		cancel()
		var out bytes.Buffer
		switch {
		case r.Context().Err() != nil:
			return
		case errors.Is(err, context.DeadlineExceeded):
			out.WriteString(": keepalive\n\n")
		case len(events) == 0:
			return
		}
		if dropped > 0 {
			fmt.Fprintf(&out, "event: log\ndata: {\"stream\":\"stderr\",\"data\":\"[runtime] %d events are no longer held\"}\n\n", dropped)
		}
		for _, event := range events {
			fmt.Fprintf(&out, "id: %d\nevent: %s\ndata: %s\n\n", event.ID, event.Name, event.Data)
			last = event.ID
		}
		_ = connection.SetWriteDeadline(time.Now().Add(sendLimit))
		if _, err := w.Write(out.Bytes()); err != nil || connection.Flush() != nil {
			return
		}
		delivered(last)
	}
}

func lastEventID(r *http.Request) int64 {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}
