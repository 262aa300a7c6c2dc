// SPDX-License-Identifier: Apache-2.0

package once

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

func TestOneRunForAnID(t *testing.T) {
	var table Table[int]
	var runs atomic.Int32
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			got, ok := table.Do(context.Background(), "a", func() int { return int(runs.Add(1)) })
			if got != 1 || !ok {
				t.Errorf("%d %v", got, ok)
			}
		})
	}
	callers.Wait()
	if got, _ := table.Do(context.Background(), "b", func() int { return int(runs.Add(1)) }); got != 2 {
		t.Errorf("another id runs anew: %d", got)
	}
}

func TestACallerThatLeavesDoesNotEndTheWork(t *testing.T) {
	var table Table[string]
	gone, leave := context.WithCancel(context.Background())
	open := make(chan struct{})
	leave()
	if _, ok := table.Do(gone, "a", func() string { <-open; return "done" }); ok {
		t.Error("answered before the work was over")
	}
	close(open)
	if got, ok := table.Do(context.Background(), "a", func() string { return "again" }); got != "done" || !ok {
		t.Errorf("%q %v", got, ok)
	}
}

func TestOldestIsForgotten(t *testing.T) {
	var table Table[int]
	for i := range kept + 1 {
		table.Do(context.Background(), strconv.Itoa(i), func() int { return i })
	}
	if got, _ := table.Do(context.Background(), "1", func() int { return -1 }); got != 1 {
		t.Errorf("a recent one was forgotten: %d", got)
	}
	if got, _ := table.Do(context.Background(), "0", func() int { return -1 }); got != -1 {
		t.Errorf("the oldest was kept: %d", got)
	}
}
