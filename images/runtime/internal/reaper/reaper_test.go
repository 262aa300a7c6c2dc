// SPDX-License-Identifier: Apache-2.0

package reaper

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, script string) *Child {
	t.Helper()
	child, err := Start("/bin/sh", []string{"sh", "-c", script}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		t.Fatal(err)
	}
	return child
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}

// offspring lists the state letters of this process's children.
func offspring(t *testing.T) map[int]string {
	t.Helper()
	dir, err := os.Open("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	out := map[int]string{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, _ := os.ReadFile("/proc/" + name + "/stat")
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			out[pid] = fields[0]
		}
	}
	return out
}

func TestEachOwnerGetsItsOwnStatus(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 60 {
		child := start(t, "exit "+strconv.Itoa(i))
		wg.Add(1)
		go func() {
			defer wg.Done()
			if got := child.Wait(); got.Code != i || got.Signal != 0 {
				t.Errorf("exit %d arrived as %+v", i, got)
			}
		}()
	}
	wg.Wait()
}

func TestASignalIsReportedAsShellsDo(t *testing.T) {
	child := start(t, "kill -9 $$")
	if got := child.Wait(); got.Code != 137 || got.Signal != syscall.SIGKILL {
		t.Errorf("%+v", got)
	}
}

func TestAFailedStartLeavesNothing(t *testing.T) {
	if _, err := Start("/no/such/program", []string{"x"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}}); err == nil {
		t.Fatal("started")
	}
	waitFor(t, "no zombie of the failed fork", func() bool { return len(offspring(t)) == 0 })
}

func TestOrphansAreReaped(t *testing.T) {
	child := start(t, "for i in 1 2 3 4 5 6 7 8; do (sleep 0.05 &) ; done; exit 4")
	if got := child.Wait(); got.Code != 4 {
		t.Fatalf("%+v", got)
	}
	waitFor(t, "every orphan to be gone", func() bool { return len(offspring(t)) == 0 })
}

func TestSignalTreeReachesJobsInTheirOwnGroups(t *testing.T) {
	child := start(t, "exec bash -c 'set -m; sleep 1000 & sleep 1000 & wait'")
	waitFor(t, "both jobs", func() bool {
		count := 0
		dir, _ := os.ReadDir("/proc")
		for _, entry := range dir {
			if group, session := groupAndSession(entry.Name()); session == child.Pid && group != child.Pid {
				count++
			}
		}
		return count == 2
	})
	child.SignalTree(syscall.SIGKILL)
	child.Wait()
	waitFor(t, "nothing of the session to be left", func() bool { return len(offspring(t)) == 0 })
	child.SignalGroup(syscall.SIGKILL)
}
