// SPDX-License-Identifier: Apache-2.0

package spent

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestATicketCountsOnce(t *testing.T) {
	var n Nonces
	now := time.Now()
	if err := n.Spend("a", now); err != nil {
		t.Fatal(err)
	}
	if err := n.Spend("a", now.Add(time.Minute)); !errors.Is(err, ErrUsed) {
		t.Errorf("again: %v", err)
	}
	for _, text := range []string{"", strings.Repeat("x", 65)} {
		if err := n.Spend(text, now); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOfManyAtOnceOneWins(t *testing.T) {
	var n Nonces
	var won atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if n.Spend("same", time.Now()) == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 50 used the ticket", won.Load())
	}
}

func TestMemoryIsBoundedAndComesBack(t *testing.T) {
	var n Nonces
	now := time.Now()
	for i := range most {
		if err := n.Spend(strconv.Itoa(i), now); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Spend("one more", now); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the limit: %v", err)
	}
	later := now.Add(keep + time.Second)
	if err := n.Spend("one more", later); err != nil || len(n.seen) != 1 {
		t.Errorf("later: %v, %d remembered", err, len(n.seen))
	}
}
