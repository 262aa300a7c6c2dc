// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/agenttier/agenttier/images/runtime/internal/session"
)

// G-05: however output is cut, the text of JSON frames is that of the whole.
func FuzzTextFrames(f *testing.F) {
	for _, seed := range []string{"plain", "é😀漢", "\xf0\x9f", "\xff\x00\x1b[0m", "a\xc3", "\xe6\xbc\xa2\x98\x80"} {
		f.Add([]byte(seed), uint8(1))
	}
	f.Fuzz(func(t *testing.T, output []byte, size uint8) {
		if got, want := spoken(t, output, int(size)+1), spoken(t, output, len(output)+1); got != want {
			t.Fatalf("cut at %d: %q, whole: %q", size+1, got, want)
		}
	})
}

func spoken(t *testing.T, output []byte, size int) string {
	var c textCodec
	var text strings.Builder
	take := func(message []byte) {
		if message == nil {
			return
		}
		var frame outputFrame
		if err := json.Unmarshal(message, &frame); err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		text.WriteString(frame.Data)
	}
	c.placed("main", session.Placement{})
	for len(output) > 0 {
		n := min(size, len(output))
		_, message := c.output(output[:n])
		take(message)
		output = output[n:]
	}
	take(c.rest())
	return text.String()
}

// Whatever a client sends is a frame or nothing, and a size is one that the
// kernel takes.
func FuzzClientFrames(f *testing.F) {
	for _, seed := range []string{
		`{"type":"resize","cols":1e99,"rows":-1}`, `{"type":"input","data":"x"}`, `[]`, `{"type":1}`, `{"cols":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		var frame clientFrame
		if json.Unmarshal(message, &frame) == nil && (dimension(frame.Cols) == 0 || dimension(frame.Rows) == 0) {
			t.Fatalf("%q gives a size of nothing", message)
		}
	})
}
