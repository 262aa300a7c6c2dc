// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"path/filepath"
	"strings"
)

// Ticks of a second in cpuacct.stat: USER_HZ, which is 100 on every
// architecture that Go knows.
const userTick = 1_000_000 / 100

// Memory without a limit has the largest number of whole pages for one.
const unlimited = 1 << 60

// legacy is the root of cgroup version 1, where each controller has a folder
// of its own. Clusters on older distributions still have it.
type legacy string

// isLegacy tells the versions apart by a controller's folder, which version 2
// does not have.
func isLegacy(root string) bool {
	_, ok := legacy(root).of("memory").number("memory.usage_in_bytes")
	return ok
}

func (l legacy) of(controller string) folder {
	return folder(filepath.Join(string(l), controller))
}

func (l legacy) cpu() *CPU {
	account := l.of("cpuacct")
	nanos, ok := account.number("cpuacct.usage")
	if !ok {
		return nil
	}
	split, _ := account.table("cpuacct.stat")
	throttled, _ := l.of("cpu").table("cpu.stat")
	quota, _ := l.of("cpu").text("cpu.cfs_quota_us")
	period, _ := l.of("cpu").text("cpu.cfs_period_us")
	return &CPU{
		UsageUsec: nanos / 1000, UserUsec: split["user"] * userTick, SystemUsec: split["system"] * userTick,
		ThrottledUsec: throttled["throttled_time"] / 1000,
		// A quota of -1 is none, which millis makes 0.
		LimitMillis: millis(quota + " " + period),
	}
}

func (l legacy) memory() *Memory {
	group := l.of("memory")
	usage, ok := group.number("memory.usage_in_bytes")
	if !ok {
		return nil
	}
	limit, _ := group.number("memory.limit_in_bytes")
	if limit >= unlimited {
		limit = 0
	}
	values, _ := group.table("memory.stat")
	events, _ := group.table("memory.oom_control")
	working := usage - min(usage, values["total_inactive_file"])
	return &Memory{Usage: usage, WorkingSet: working, Limit: limit, OOMKills: events["oom_kill"]}
}

// io reads lines of a device, an operation and a number of bytes.
func (l legacy) io() *IO {
	text, ok := l.of("blkio").text("blkio.throttle.io_service_bytes")
	if !ok {
		return nil
	}
	sum := IO{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		switch fields[1] {
		case "Read":
			sum.ReadBytes += count(fields[2])
		case "Write":
			sum.WriteBytes += count(fields[2])
		}
	}
	return &sum
}

func (l legacy) pids() *Pids {
	return l.of("pids").pids()
}
