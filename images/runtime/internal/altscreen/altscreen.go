// SPDX-License-Identifier: Apache-2.0

// Package altscreen takes the switches to the alternate screen out of a
// terminal's output, so that full-screen programs draw into the screen that
// has a scrollback, and their last picture stays when they end.
package altscreen

import "bytes"

// longest bounds what is held back. A sequence that is longer has so many
// parameters that no program would write it; it passes as it is.
const longest = 64

const escape = 0x1b

// Filter removes the private modes 47, 1047 and 1049 (xterm's "ctlseqs",
// DECSET and DECRST) from a stream, wherever the stream is cut. All other bytes
// pass: the other modes of the same sequence, and sequences that only look
// similar. The zero value is ready; it is not safe for concurrent use.
type Filter struct {
	held []byte
}

// Next returns what passes of p, which may be p itself, and holds a sequence
// back that has only begun: its last byte decides. The result is valid until
// the next call.
func (f *Filter) Next(p []byte) []byte {
	if len(f.held) == 0 && bytes.IndexByte(p, escape) < 0 {
		return p
	}
	out := make([]byte, 0, len(f.held)+len(p))
	for len(p) > 0 {
		if len(f.held) == 0 {
			at := bytes.IndexByte(p, escape)
			if at < 0 {
				return append(out, p...)
			}
			out = append(out, p[:at]...)
			f.held, p = append(f.held, escape), p[at+1:]
			continue
		}
		out, p = f.step(out, p[0]), p[1:]
	}
	return out
}

// Rest returns what is still held back when the stream ends.
func (f *Filter) Rest() []byte {
	rest := f.held
	f.held = nil
	return rest
}

// step adds one byte to the sequence that has begun.
func (f *Filter) step(out []byte, b byte) []byte {
	switch {
	case b == escape:
		// The sequence before is broken off; terminals begin anew as well.
		out = append(out, f.held...)
		f.held = append(f.held[:0], b)
		return out
	case len(f.held) < longest && f.goesOn(b):
		f.held = append(f.held, b)
		return out
	case len(f.held) > len("\x1b[?") && (b == 'h' || b == 'l'):
		out = appendKept(out, f.held[len("\x1b[?"):], b)
	default:
		out = append(append(out, f.held...), b)
	}
	f.held = f.held[:0]
	return out
}

func (f *Filter) goesOn(b byte) bool {
	switch len(f.held) {
	case 1:
		return b == '['
	case 2:
		return b == '?'
	default:
		return b == ';' || b >= '0' && b <= '9'
	}
}

// appendKept writes the sequence with the modes that are not ours, if any.
func appendKept(out, modes []byte, final byte) []byte {
	if !hasSwitch(modes) {
		return append(append(append(out, "\x1b[?"...), modes...), final)
	}
	start := len(out)
	for mode := range bytes.SplitSeq(modes, []byte{';'}) {
		if isSwitch(mode) {
			continue
		}
		if len(out) == start {
			out = append(out, "\x1b[?"...)
		} else {
			out = append(out, ';')
		}
		out = append(out, mode...)
	}
	if len(out) == start {
		return out
	}
	return append(out, final)
}

func hasSwitch(modes []byte) bool {
	for mode := range bytes.SplitSeq(modes, []byte{';'}) {
		if isSwitch(mode) {
			return true
		}
	}
	return false
}

func isSwitch(mode []byte) bool {
	switch string(bytes.TrimLeft(mode, "0")) {
	case "47", "1047", "1049":
		return true
	}
	return false
}
