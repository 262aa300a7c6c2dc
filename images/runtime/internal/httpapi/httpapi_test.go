// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/json"
	"math"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/reaper"
	"github.com/agenttier/agenttier/images/runtime/internal/session"
)

func TestPacer(t *testing.T) {
	start := time.Now()
	var p pacer
	at := func(ms float64) time.Time { return start.Add(time.Duration(ms * float64(time.Millisecond))) }
	for i := range paceFree {
		if hold := p.hold(at(float64(i)/10), 10, false); hold != 0 {
			t.Errorf("message %d after a pause waits %v", i, hold)
		}
		p.sent(at(float64(i) / 10))
	}
	last := float64(paceFree-1) / 10
	cases := []struct {
		name    string
		at      float64
		pending int64
		typed   bool
		hold    time.Duration
	}{
		{"flood", last + 0.5, 10, false, 1500 * time.Microsecond},
		{"flood with much to send", last + 0.5, paceEnough, false, 0},
		{"the window is over", last + 2, 10, false, 0},
	}
	for _, c := range cases {
		if hold := p.hold(at(c.at), c.pending, c.typed); (hold - c.hold).Abs() > time.Microsecond {
			t.Errorf("%s: %v, want %v", c.name, hold, c.hold)
		}
	}
	if hold := p.hold(at(last+0.5), 10, true); hold != 0 {
		t.Errorf("an echo waits %v", hold)
	}
}

func TestTextCodecKeepsCharactersWhole(t *testing.T) {
	var c textCodec
	if c.placed("main", session.Placement{Reset: true}) != nil {
		t.Error("clients of the first protocol know no ready frame")
	}
	var text strings.Builder
	whole := []byte("\x99\x82 snow ☃ rocket 🚀 \x1b[0m")
	for i := range whole {
		_, message := c.output(whole[i : i+1])
		if message == nil {
			continue
		}
		var frame outputFrame
		if err := json.Unmarshal(message, &frame); err != nil || frame.Type != "output" || frame.Stream != "stdout" {
			t.Fatalf("%s: %v", message, err)
		}
		text.WriteString(frame.Data)
	}
	if got := text.String(); !strings.HasSuffix(got, " snow ☃ rocket 🚀 \x1b[0m") {
		t.Errorf("%q", got)
	}
}

func TestExitFrame(t *testing.T) {
	cases := map[string]reaper.Exit{
		`{"type":"exit","code":0}`:                      {},
		`{"type":"exit","code":3}`:                      {Code: 3},
		`{"type":"exit","code":137,"signal":"SIGKILL"}`: {Code: 137, Signal: syscall.SIGKILL},
	}
	for want, exit := range cases {
		if got := string(encode(exited(exit))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestDimension(t *testing.T) {
	cases := map[float64]uint16{-5: 1, 0: 1, 1: 1, 80.7: 80, 65535: 65535, 1e9: 65535, math.Inf(1): 65535}
	for in, want := range cases {
		if got := dimension(in); got != want {
			t.Errorf("%v gave %d, want %d", in, got, want)
		}
	}
}

func TestTerminalQuery(t *testing.T) {
	good, err := parseTerminal(url.Values{"session": {"a.b-c_1"}, "cols": {"100"}, "rows": {"99999999"}, "since": {"7"}, "mode": {"view"}})
	if err != nil || good.request.Name != "a.b-c_1" || good.request.Cols != 100 || good.request.Rows != 65535 ||
		good.request.Since != 7 || good.client != (session.Client{Since: 7, View: true, Cols: 100, Rows: 65535}) {
		t.Errorf("%+v %v", good, err)
	}
	plain, err := parseTerminal(url.Values{})
	if err != nil || plain.request.Name != "main" || plain.request.Cols != 120 || plain.request.Rows != 40 ||
		plain.request.Since != -1 || plain.client != (session.Client{Since: -1}) {
		t.Errorf("%+v %v", plain, err)
	}
	for field, value := range map[string]string{
		"session": "../x", "shell": "bash", "cols": "wide", "rows": "1.5", "since": "-3", "mode": "admin",
		"altscreen": "yes", "who": strings.Repeat("x", 257),
	} {
		if _, err := parseTerminal(url.Values{field: {value}}); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s=%s: %v", field, value, err)
		}
	}
}
