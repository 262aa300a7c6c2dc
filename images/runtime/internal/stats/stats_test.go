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
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
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

func TestTakeOfVersion1(t *testing.T) {
	got := Take(cgroup(t, map[string]string{
		"cpuacct/cpuacct.usage":                 "1500999\n",
		"cpuacct/cpuacct.stat":                  "user 3\nsystem 2\n",
		"cpu/cpu.stat":                          "nr_periods 3\nthrottled_time 20500\n",
		"cpu/cpu.cfs_quota_us":                  "50000\n",
		"cpu/cpu.cfs_period_us":                 "100000\n",
		"memory/memory.usage_in_bytes":          "5000\n",
		"memory/memory.limit_in_bytes":          "9223372036854771712\n",
		"memory/memory.stat":                    "inactive_file 7\ntotal_inactive_file 1200\n",
		"memory/memory.oom_control":             "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		"blkio/blkio.throttle.io_service_bytes": "8:0 Read 10\n8:0 Write 20\n8:16 Read 1\n8:16 Discard 5\nTotal 36\n",
		"pids/pids.current":                     "7\n",
		"pids/pids.max":                         "max\n",
	}), "/no/such/folder")
	want := Sample{
		CPU:    &CPU{UsageUsec: 1500, UserUsec: 30_000, SystemUsec: 20_000, ThrottledUsec: 20, LimitMillis: 500},
		Memory: &Memory{Usage: 5000, WorkingSet: 3800, OOMKills: 2},
		IO:     &IO{ReadBytes: 11, WriteBytes: 20},
		Pids:   &Pids{Current: 7},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	unlimited := cgroup(t, map[string]string{
		"memory/memory.usage_in_bytes": "1", "cpuacct/cpuacct.usage": "1", "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
	})
	if cpu := Take(unlimited, "/").CPU; cpu == nil || cpu.LimitMillis != 0 {
		t.Errorf("%+v", cpu)
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
