// SPDX-License-Identifier: Apache-2.0

package limits

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestClamp(t *testing.T) {
	for _, c := range []struct {
		limit, asked, want time.Duration
		less               bool
	}{
		{0, time.Hour, time.Hour, false},
		{time.Minute, time.Hour, time.Minute, true},
		{time.Minute, time.Second, time.Second, false},
		{time.Minute, time.Minute, time.Minute, false},
	} {
		if got, less := (Limits{Command: c.limit}).Clamp(c.asked); got != c.want || less != c.less {
			t.Errorf("%v of %v: %v %v", c.asked, c.limit, got, less)
		}
	}
}

// The limit holds for a whole process and for good, so a process of its own
// takes it on.
func TestNoProcessWritesALargerFile(t *testing.T) {
	const asChild = "LIMITS_TEST_FOLDER"
	if folder := os.Getenv(asChild); folder != "" {
		if err := (Limits{FileBytes: 4096}).Enforce(); err != nil {
			t.Fatal(err)
		}
		output, err := exec.Command("sh", "-c", "cd "+folder+" && head -c 4096 /dev/zero > fits && head -c 4097 /dev/zero > large").CombinedOutput()
		t.Logf("%v %s", err, output)
		if err == nil || !strings.Contains(string(output), "File too large") {
			t.Fail()
		}
		return
	}
	folder := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=TestNoProcessWritesALargerFile", "-test.v")
	child.Env = append(os.Environ(), asChild+"="+folder)
	if output, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for name, size := range map[string]int64{"fits": 4096, "large": 4096} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() != size {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
}
