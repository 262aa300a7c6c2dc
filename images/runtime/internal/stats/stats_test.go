// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func cgroup(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestTake(t *testing.T) {
	folder := cgroup(t, map[string]string{
		"cpu.stat":       "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 3\nthrottled_usec 20\n",
		"cpu.max":        "150000 100000\n",
		"memory.current": "5000\n", "memory.max": "max\n", "memory.stat": "anon 3000\ninactive_file 1200\n",
		"memory.events": "low 0\noom_kill 2\n",
		"io.stat":       "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n",
		"pids.current":  "7\n", "pids.max": "100\n",
	})
	got := Take(folder, folder)
	if got.Workspace == nil || got.Workspace.Total == 0 || got.Workspace.Used+got.Workspace.Free > got.Workspace.Total {
		t.Errorf("%+v", got.Workspace)
	}
	got.Workspace = nil
	want := Sample{
		CPU:    &CPU{UsageUsec: 1500, UserUsec: 1000, SystemUsec: 500, ThrottledUsec: 20, LimitMillis: 1500},
		Memory: &Memory{Usage: 5000, WorkingSet: 3800, OOMKills: 2},
		IO:     &IO{ReadBytes: 11, WriteBytes: 22},
		Pids:   &Pids{Current: 7, Limit: 100},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	var page strings.Builder
	Write(&page, got.Metrics())
	for _, line := range []string{"agenttier_sandbox_cpu_seconds_total 0.0015\n", "# TYPE agenttier_sandbox_pids gauge\n", "agenttier_sandbox_oom_kills_total 2\n"} {
		if !strings.Contains(page.String(), line) {
			t.Errorf("%q is not in\n%s", line, page.String())
		}
	}
}

func TestWhatIsNotThereIsLeftOut(t *testing.T) {
	if got := Take(t.TempDir(), "/no/such/folder"); got != (Sample{}) {
		t.Errorf("%+v", got)
	}
	odd := cgroup(t, map[string]string{"cpu.stat": "x\n", "cpu.max": "a b", "memory.current": "lots", "pids.current": "-1"})
	if got := Take(odd, "/no/such/folder"); got != (Sample{}) {
		t.Errorf("%+v", got)
	}
}

func FuzzMillis(f *testing.F) {
	for _, text := range []string{"max 100000", "1 0", "-1 5", "NaN 1", "1e300 1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := millis(text); got > 1e9 {
			t.Errorf("%q: %d", text, got)
		}
	})
}
