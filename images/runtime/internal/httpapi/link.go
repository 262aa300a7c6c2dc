// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/coder/websocket"

	"github.com/agenttier/agenttier/images/runtime/internal/session"
)

const (
	heartbeatEvery = 30 * time.Second
	// pongWait is how long a client may take to answer a ping; together with
	// heartbeatEvery a vanished client is noticed within 70 s.
	pongWait = 40 * time.Second
	// writeWait is how long one message may take to leave. A client that takes
	// longer is dead to the session, which it may have been holding up.
	writeWait = 30 * time.Second
	// messageSize is the most output in one message.
	messageSize = 64 << 10
)

// link joins one WebSocket to one attachment. Only its run loop writes output,
// so frames keep their order; the reader hands its answers over in replies.
type link struct {
	conn    *websocket.Conn
	place   *session.Attachment
	query   terminalQuery
	codec   codec
	pace    pacer
	replies chan []byte
	cancel  context.CancelFunc
	raw     bool
}

// serve runs the link until the shell ends, the client goes, or it stops
// reading.
func serve(conn *websocket.Conn, s *session.Session, query terminalQuery) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := &link{
		conn: conn, query: query, codec: &textCodec{},
		replies: make(chan []byte, 16), cancel: cancel, raw: conn.Subprotocol() == SubProtocol,
	}
	if l.raw {
		l.codec = rawCodec{}
	}
	place, where := s.Attach(query.client)
	l.place = place
	defer conn.CloseNow()
	defer place.Detach()
	if l.text(l.codec.placed(query.request.Name, where)) != nil {
		return
	}
	go l.read(ctx)
	go l.keepAlive(ctx)
	if l.run(ctx) {
		_ = conn.Close(websocket.StatusNormalClosure, "the shell has ended")
	}
}

// forever is a wait that only an event ends.
const forever = time.Duration(-1)

// run sends output and replies; true means that the shell has ended and the
// client knows it.
func (l *link) run(ctx context.Context) (ended bool) {
	buf := make([]byte, messageSize)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if l.tell() != nil {
			return false
		}
		pending, typed := l.place.Pending()
		wait := forever
		if pending > 0 {
			if wait = l.pace.hold(time.Now(), pending, typed); wait == 0 && l.send(buf) != nil {
				return false
			}
		} else if exit, over := l.place.Exited(); over {
			return l.text(l.codec.rest()) == nil && l.text(encode(exited(exit))) == nil
		}
		if !l.next(ctx, timer, wait) {
			return false
		}
	}
}

// tell passes on what the other clients have done.
func (l *link) tell() error {
	size, people := l.place.News()
	for _, frame := range l.codec.news(size, people) {
		if err := l.text(frame); err != nil {
			return err
		}
	}
	return nil
}

// next waits for something to do, at most for the given time.
func (l *link) next(ctx context.Context, timer *time.Timer, wait time.Duration) bool {
	var over <-chan time.Time
	if wait > 0 {
		timer.Reset(wait)
		over = timer.C
	} else if wait == 0 {
		return l.poll(ctx)
	}
	select {
	case frame := <-l.replies:
		return l.text(frame) == nil
	case <-l.place.Changed():
	case <-over:
	case <-ctx.Done():
		return false
	}
	return true
}

// poll does what next does, without waiting.
func (l *link) poll(ctx context.Context) bool {
	select {
	case frame := <-l.replies:
		return l.text(frame) == nil
	default:
		return ctx.Err() == nil
	}
}

func (l *link) send(buf []byte) error {
	n, moved := l.place.Read(buf)
	if moved != nil {
		return l.text(l.codec.placed(l.query.request.Name, *moved))
	}
	kind, message := l.codec.output(buf[:n])
	l.pace.sent(time.Now())
	return l.write(kind, message)
}

func (l *link) text(frame []byte) error { return l.write(websocket.MessageText, frame) }

func (l *link) write(kind websocket.MessageType, message []byte) error {
	if message == nil {
		return nil
	}
	ctx, cancel := writeContext()
	defer cancel()
	return l.conn.Write(ctx, kind, message)
}

func writeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), writeWait)
}

func (l *link) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(heartbeatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		l.reply(encode(clock("heartbeat")))
		limit, over := context.WithTimeout(ctx, pongWait)
		err := l.conn.Ping(limit)
		over()
		if err != nil {
			l.cancel()
			return
		}
	}
}

// reply hands a frame to the run loop, or drops it for a client that does not
// read: it would learn nothing from a late clock.
func (l *link) reply(frame []byte) {
	select {
	case l.replies <- frame:
	default:
	}
}

func (l *link) read(ctx context.Context) {
	defer l.cancel()
	for {
		kind, data, err := l.conn.Read(ctx)
		if err != nil {
			return
		}
		if l.raw && kind == websocket.MessageBinary {
			l.typed(ctx, data)
			continue
		}
		var frame clientFrame
		if json.Unmarshal(data, &frame) == nil {
			l.handle(ctx, frame)
		}
	}
}

func (l *link) handle(ctx context.Context, frame clientFrame) {
	switch frame.Type {
	case "input":
		l.typed(ctx, []byte(frame.Data))
	case "resize":
		l.place.Resize(dimension(frame.Cols), dimension(frame.Rows))
	case "ping":
		l.reply(encode(clock("pong")))
	}
}

func (l *link) typed(ctx context.Context, data []byte) {
	_ = l.place.Input(ctx, data)
}
