// SPDX-License-Identifier: Apache-2.0

// Package utf8stream cuts a byte stream into text without breaking characters.
package utf8stream

import "unicode/utf8"

// Decoder holds back the beginning of a character whose rest has not arrived.
type Decoder struct {
	held [utf8.UTFMax - 1]byte
	n    int
}

// Next returns what can be decoded of the held bytes and p. At most three
// bytes stay behind. Bytes that can never become a character are passed on,
// for the JSON encoder to replace.
func (d *Decoder) Next(p []byte) string {
	whole := append(append(make([]byte, 0, d.n+len(p)), d.held[:d.n]...), p...)
	tail := unfinished(whole)
	d.n = copy(d.held[:], whole[len(whole)-tail:])
	return string(whole[:len(whole)-tail])
}

// Flush returns the bytes still held, at the end of a stream.
func (d *Decoder) Flush() string {
	rest := string(d.held[:d.n])
	d.n = 0
	return rest
}

// Reset forgets the held bytes, when the stream starts anew elsewhere.
func (d *Decoder) Reset() { d.n = 0 }

// unfinished is the length of the incomplete but so far valid character at the
// end of p.
func unfinished(p []byte) int {
	for back := 1; back <= min(len(p), utf8.UTFMax-1); back++ {
		if b := p[len(p)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(p[len(p)-back:]) {
				return back
			}
			return 0
		}
	}
	return 0
}

// SkipPartial drops the continuation bytes at the front of p: a replay may
// begin in the middle of a character.
func SkipPartial(p []byte) []byte {
	for i := 0; i < min(len(p), utf8.UTFMax-1); i++ {
		if utf8.RuneStart(p[i]) {
			return p[i:]
		}
	}
	return p[min(len(p), utf8.UTFMax-1):]
}
