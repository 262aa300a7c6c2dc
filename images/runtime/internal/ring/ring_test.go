// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"bytes"
	"math/rand"
	"testing"
)

func readAll(r *Ring, from int64) []byte {
	out := make([]byte, r.End()-from)
	return out[:r.ReadAt(out, from)]
}

func TestKeepsTheNewestBytesAtTheirPositions(t *testing.T) {
	const limit = 64 << 10
	for _, base := range []int64{0, 1, 4095, 1_760_000_000_123_457} {
		random := rand.New(rand.NewSource(base))
		r, model := New(limit, base), []byte{}
		for range 400 {
			chunk := make([]byte, random.Intn(3000))
			random.Read(chunk)
			r.Write(chunk)
			model = append(model, chunk...)
			if r.End() != base+int64(len(model)) {
				t.Fatalf("end is %d, want %d", r.End(), base+int64(len(model)))
			}
			wantStart := max(base, r.End()-limit)
			if r.Start() != wantStart {
				t.Fatalf("start is %d, want %d", r.Start(), wantStart)
			}
			from := wantStart + random.Int63n(r.End()-wantStart+1)
			if !bytes.Equal(readAll(r, from), model[from-base:]) {
				t.Fatalf("bytes from %d differ", from)
			}
		}
	}
}

func TestOneWriteLargerThanTheRing(t *testing.T) {
	r := New(16<<10, 7)
	data := make([]byte, 50_000)
	rand.New(rand.NewSource(1)).Read(data)
	r.Write([]byte("before"))
	r.Write(data)
	if r.End() != 7+6+50_000 || r.Start() != r.End()-(16<<10) {
		t.Fatalf("start %d end %d", r.Start(), r.End())
	}
	if !bytes.Equal(readAll(r, r.Start()), data[50_000-(16<<10):]) {
		t.Fatal("the newest bytes differ")
	}
}

func TestAnIdleRingHoldsNoMemory(t *testing.T) {
	r := New(2<<20, 0)
	if len(r.buf) != 0 {
		t.Fatalf("%d bytes held before the first write", len(r.buf))
	}
	r.Write([]byte("$ "))
	if len(r.buf) != firstSize {
		t.Fatalf("%d bytes held after a prompt", len(r.buf))
	}
}

func TestReadingOutsideGivesNothing(t *testing.T) {
	r := New(16<<10, 100)
	r.Write([]byte("abc"))
	for _, pos := range []int64{0, 99, 103, 500} {
		if n := r.ReadAt(make([]byte, 8), pos); n != 0 {
			t.Errorf("position %d gave %d bytes", pos, n)
		}
	}
}
