// SPDX-License-Identifier: Apache-2.0

package utf8stream

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEveryCutLeavesCharactersWhole(t *testing.T) {
	text := "aé€🙂ß漢字🧑‍🚀z"
	for size := 1; size <= 9; size++ {
		var d Decoder
		var out strings.Builder
		for rest := []byte(text); len(rest) > 0; {
			n := min(size, len(rest))
			part := d.Next(rest[:n])
			if !utf8.ValidString(part) {
				t.Fatalf("chunks of %d: %q is not whole", size, part)
			}
			out.WriteString(part)
			rest = rest[n:]
		}
		out.WriteString(d.Flush())
		if out.String() != text {
			t.Errorf("chunks of %d gave %q", size, out.String())
		}
	}
}

func TestHoldsBackOnlyWhatCanStillBecomeACharacter(t *testing.T) {
	cases := []struct {
		name, in, out, held string
	}{
		{"plain", "abc", "abc", ""},
		{"two of three", "a\xe2\x82", "a", "\xe2\x82"},
		{"three of four", "\xf0\x9f\x99", "", "\xf0\x9f\x99"},
		{"lone continuation", "a\x82", "a\x82", ""},
		{"impossible lead", "a\xff", "a\xff", ""},
		{"lead then wrong byte", "\xe2(", "\xe2(", ""},
		{"overlong", "\xc0\x80", "\xc0\x80", ""},
	}
	for _, c := range cases {
		var d Decoder
		if got := d.Next([]byte(c.in)); got != c.out {
			t.Errorf("%s: out %q, want %q", c.name, got, c.out)
		}
		if got := d.Flush(); got != c.held {
			t.Errorf("%s: held %q, want %q", c.name, got, c.held)
		}
	}
}

func TestSkipPartial(t *testing.T) {
	cases := map[string]string{"abc": "abc", "\x99\x82a": "a", "\x9f\x99\x82🙂": "🙂", "\x82": "", "": ""}
	for in, want := range cases {
		if got := string(SkipPartial([]byte(in))); got != want {
			t.Errorf("%q gave %q, want %q", in, got, want)
		}
	}
}

func FuzzNothingIsLost(f *testing.F) {
	f.Add([]byte("a\xe2\x82\xac\xff🙂"), 2)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		if cut < 0 || cut > len(data) {
			return
		}
		var d Decoder
		if got := d.Next(data[:cut]) + d.Next(data[cut:]) + d.Flush(); got != string(data) {
			t.Fatalf("%q became %q", data, got)
		}
	})
}
