// SPDX-License-Identifier: Apache-2.0

package eventlog

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAReaderComesBackWhereItWas(t *testing.T) {
	l := &Log{Limit: 1 << 10}
	for i := range 5 {
		l.Append(context.Background(), "log", []byte(strconv.Itoa(i)))
	}
	l.Delivered(3)
	for after, want := range map[int64]string{0: "01234", 3: "34", 5: ""} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		events, dropped, err := l.Next(ctx, after)
		cancel()
		var got strings.Builder
		for _, event := range events {
			got.Write(event.Data)
		}
		if got.String() != want || dropped != 0 || (want == "") != errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %d: %q, %d dropped, %v", after, got.String(), dropped, err)
		}
	}
	l.Close()
	if events, _, err := l.Next(context.Background(), 5); len(events) != 0 || err != nil {
		t.Errorf("the end: %v %v", events, err)
	}
}

func TestTheWriterWaitsForReadersAndLosesNothing(t *testing.T) {
	l := &Log{Limit: 100}
	const all = 2_000
	go func() {
		for i := range all {
			l.Append(context.Background(), "log", []byte(strconv.Itoa(i)))
		}
		l.Close()
	}()
	seen := int64(0)
	for {
		events, dropped, err := l.Next(context.Background(), seen)
		if err != nil || dropped > 0 {
			t.Fatalf("%d dropped, %v", dropped, err)
		}
		if len(events) == 0 {
			break
		}
		for _, event := range events {
			if string(event.Data) != strconv.FormatInt(event.ID-1, 10) || event.ID != seen+1 {
				t.Fatalf("event %d after %d is %q", event.ID, seen, event.Data)
			}
			seen = event.ID
		}
		l.Delivered(seen)
		l.mu.Lock()
		kept := l.kept
		l.mu.Unlock()
		if kept > 300 {
			t.Fatalf("%d bytes are kept", kept)
		}
	}
	if seen != all {
		t.Errorf("%d events", seen)
	}
}

func TestTheEndOfTheContextLetsTheWriterGo(t *testing.T) {
	l := &Log{Limit: 1}
	l.Append(context.Background(), "log", []byte("full"))
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		l.Append(ctx, "log", []byte("x"))
	}()
	cancel()
	wg.Wait()
	if events, _, _ := l.Next(context.Background(), 0); len(events) != 2 {
		t.Errorf("%d events", len(events))
	}
}

func TestALossyLogSaysWhatWentMissing(t *testing.T) {
	l := &Log{Limit: 10, Lossy: true}
	for range 100 {
		l.Append(context.Background(), "log", []byte("12345"))
	}
	events, dropped, _ := l.Next(context.Background(), 0)
	if int64(len(events))+dropped != 100 || dropped == 0 || events[len(events)-1].ID != 100 {
		t.Errorf("%d events, %d dropped", len(events), dropped)
	}
}
