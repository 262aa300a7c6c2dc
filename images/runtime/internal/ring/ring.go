// SPDX-License-Identifier: Apache-2.0

// Package ring keeps the last bytes of a stream, addressed by their position
// in the whole stream, so that a reader who comes back can go on exactly where
// it stopped.
package ring

const firstSize = 16 << 10

// Ring holds the newest bytes of a stream. It grows by doubling up to its
// limit, so an idle terminal costs little. It is not safe for concurrent use.
type Ring struct {
	buf   []byte
	limit int
	start int64
	end   int64
}

// New returns an empty ring of at most limit bytes (a power of two, at least
// 16 KiB) whose first byte will have the position base.
func New(limit int, base int64) *Ring {
	return &Ring{limit: limit, start: base, end: base}
}

// Start is the position of the oldest byte that is still held.
func (r *Ring) Start() int64 { return r.start }

// End is the position that the next written byte gets.
func (r *Ring) End() int64 { return r.end }

// Write appends p; the oldest bytes fall out when the limit is reached.
func (r *Ring) Write(p []byte) {
	if over := len(p) - r.limit; over > 0 {
		r.end += int64(over)
		r.start = r.end
		p = p[over:]
	}
	r.reserve(int(r.end-r.start) + len(p))
	at := int(r.end % int64(len(r.buf)))
	n := copy(r.buf[at:], p)
	copy(r.buf, p[n:])
	r.end += int64(len(p))
	r.start = max(r.start, r.end-int64(r.limit))
}

// ReadAt copies bytes from the position pos on into dst and returns how many.
// pos must lie within Start and End.
func (r *Ring) ReadAt(dst []byte, pos int64) int {
	want := min(int64(len(dst)), r.end-pos)
	if want <= 0 || pos < r.start {
		return 0
	}
	at := int(pos % int64(len(r.buf)))
	n := copy(dst[:want], r.buf[at:])
	return n + copy(dst[n:want], r.buf)
}

func (r *Ring) reserve(need int) {
	need = min(need, r.limit)
	if need <= len(r.buf) {
		return
	}
	size := max(len(r.buf), firstSize)
	for size < need {
		size *= 2
	}
	grown := make([]byte, min(size, r.limit))
	held := make([]byte, r.end-r.start)
	if len(r.buf) > 0 {
		r.ReadAt(held, r.start)
	}
	at := int(r.start % int64(len(grown)))
	n := copy(grown[at:], held)
	copy(grown, held[n:])
	r.buf = grown
}
