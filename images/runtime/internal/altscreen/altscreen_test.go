// SPDX-License-Identifier: Apache-2.0

package altscreen

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// whole filters a text that comes in pieces of the given size.
func whole(text string, size int) string {
	var f Filter
	var out strings.Builder
	for len(text) > 0 {
		n := min(size, len(text))
		out.Write(f.Next([]byte(text[:n])))
		text = text[n:]
	}
	out.Write(f.Rest())
	return out.String()
}

func TestFilter(t *testing.T) {
	cases := map[string]string{
		"plain text, é 😀":                              "plain text, é 😀",
		"a\x1b[?1049hb\x1b[?1049lc":                    "abc",
		"\x1b[?47h\x1b[?1047l\x1b[?01049h":             "",
		"\x1b[?1;1049;25h":                             "\x1b[?1;25h",
		"\x1b[?1049;2004l":                             "\x1b[?2004l",
		"\x1b[?25;1049l":                               "\x1b[?25l",
		"\x1b[?;1049h":                                 "\x1b[?h",
		"\x1b[?2004h\x1b[?1048h\x1b[?147h":             "\x1b[?2004h\x1b[?1048h\x1b[?147h",
		"\x1b[1049h\x1b[?1049$p\x1b[>1049h":            "\x1b[1049h\x1b[?1049$p\x1b[>1049h",
		"\x1b[?10\x1b[?1049hx":                         "\x1b[?10x",
		"\x1b\x1b[?1049hx":                             "\x1bx",
		"\x1b[?1049\x18h":                              "\x1b[?1049\x18h",
		"\x1b[?h\x1b[?l":                               "\x1b[?h\x1b[?l",
		"cut \x1b[?104":                                "cut \x1b[?104",
		"\x1b]0;title\x07\x1b[38;5;196mred":            "\x1b]0;title\x07\x1b[38;5;196mred",
		"\x1b[?" + strings.Repeat("1;", 40) + "1049hx": "\x1b[?" + strings.Repeat("1;", 40) + "1049hx",
	}
	for in, want := range cases {
		for size := 1; size <= len(in); size++ {
			if got := whole(in, size); got != want {
				t.Errorf("%q in pieces of %d: %q, want %q", in, size, got, want)
			}
		}
	}
}

func TestTextWithoutASequenceIsNotCopied(t *testing.T) {
	var f Filter
	p := []byte("no sequence")
	if got := f.Next(p); &got[0] != &p[0] {
		t.Error("copied")
	}
}

var switches = regexp.MustCompile(`\x1b\[\?0*(?:47|1047|1049)[hl]`)

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"\x1b[?1049h", "\x1b[?1;1049;25h", "\x1b[?10\x1b[?1049l", "a\x1b[", "\x1b[?47$p", "é\x1b[?1047h😀",
	} {
		f.Add([]byte(seed), uint8(1))
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		once := whole(string(text), len(text)+1)
		if got := whole(string(text), int(size)+1); got != once {
			t.Fatalf("cut at %d: %q, whole: %q", size, got, once)
		}
		// Nothing is added, and what passes is in order.
		rest := text
		for _, b := range []byte(once) {
			at := bytes.IndexByte(rest, b)
			if at < 0 {
				t.Fatalf("%q is no part of %q", once, text)
			}
			rest = rest[at+1:]
		}
		if !switches.Match(text) && !bytes.ContainsRune(text, ';') && once != string(text) {
			t.Fatalf("%q became %q", text, once)
		}
	})
}
