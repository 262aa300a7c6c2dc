// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"bytes"
	"encoding/json"
	"math"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sys/unix"

	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
	"github.com/agenttier/agenttier/images/runtime/internal/session"
	"github.com/agenttier/agenttier/images/runtime/internal/utf8stream"
)

// SubProtocol is offered by clients that take output as raw bytes.
const SubProtocol = "agenttier.pty.v2"

// clientFrame is any JSON frame that a client may send.
type clientFrame struct {
	Type string  `json:"type"`
	Data string  `json:"data"`
	Cols float64 `json:"cols"`
	Rows float64 `json:"rows"`
}

type readyFrame struct {
	Type    string `json:"type"`
	Session string `json:"session"`
	Offset  int64  `json:"offset"`
	Cols    uint16 `json:"cols"`
	Rows    uint16 `json:"rows"`
	Reset   bool   `json:"reset"`
}

type sizeFrame struct {
	Type string `json:"type"`
	Cols uint16 `json:"cols"`
	Rows uint16 `json:"rows"`
}

type presenceFrame struct {
	Type   string           `json:"type"`
	People []session.Person `json:"people"`
}

type outputFrame struct {
	Type   string `json:"type"`
	Stream string `json:"stream"`
	Data   string `json:"data"`
}

type clockFrame struct {
	Type string `json:"type"`
	TS   int64  `json:"ts"`
}

type exitFrame struct {
	Type   string `json:"type"`
	Code   int    `json:"code"`
	Signal string `json:"signal,omitempty"`
}

type errorFrame struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

func ready(name string, place session.Placement) readyFrame {
	return readyFrame{"ready", name, place.Offset, place.Cols, place.Rows, place.Reset}
}

func clock(kind string) clockFrame { return clockFrame{kind, time.Now().UnixMilli()} }

func exited(exit reaper.Exit) exitFrame {
	frame := exitFrame{Type: "exit", Code: exit.Code}
	if exit.Signal != 0 {
		frame.Signal = unix.SignalName(exit.Signal)
	}
	return frame
}

func encode(frame any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(frame)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// codec turns output into messages of the agreed protocol.
type codec interface {
	// placed is told where the output that follows begins; it returns the
	// frame that says so, or nil.
	placed(name string, place session.Placement) []byte
	// output returns the message for some output, or nil when all of it is
	// held back.
	output(p []byte) (websocket.MessageType, []byte)
	// news returns the frames that tell what other clients have done, if any.
	news(size *session.Size, people []session.Person) [][]byte
	// rest returns what is still held back at the end, or nil.
	rest() []byte
}

type rawCodec struct{}

func (rawCodec) placed(name string, place session.Placement) []byte {
	return encode(ready(name, place))
}
func (rawCodec) output(p []byte) (websocket.MessageType, []byte) { return websocket.MessageBinary, p }
func (rawCodec) rest() []byte                                    { return nil }

func (rawCodec) news(size *session.Size, people []session.Person) (frames [][]byte) {
	if size != nil {
		frames = append(frames, encode(sizeFrame{"size", size.Cols, size.Rows}))
	}
	if people != nil {
		frames = append(frames, encode(presenceFrame{"presence", people}))
	}
	return frames
}

// textCodec serves clients of the first protocol, which take JSON text only.
type textCodec struct {
	decoder utf8stream.Decoder
	cut     bool
}

func (c *textCodec) placed(_ string, place session.Placement) []byte {
	c.decoder.Reset()
	c.cut = place.Reset
	return nil
}

func (c *textCodec) output(p []byte) (websocket.MessageType, []byte) {
	if c.cut {
		p, c.cut = utf8stream.SkipPartial(p), false
	}
	return websocket.MessageText, textOutput(c.decoder.Next(p))
}

// news is nothing to clients of the first protocol, which know none of it.
func (*textCodec) news(*session.Size, []session.Person) [][]byte { return nil }

func (c *textCodec) rest() []byte { return textOutput(c.decoder.Flush()) }

func textOutput(text string) []byte {
	if text == "" {
		return nil
	}
	return encode(outputFrame{"output", "stdout", text})
}

// dimension limits a terminal's columns or rows to what the kernel takes.
func dimension(n float64) uint16 {
	if math.IsNaN(n) {
		return 1
	}
	return uint16(min(max(n, 1), math.MaxUint16))
}
