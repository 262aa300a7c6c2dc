// SPDX-License-Identifier: Apache-2.0

// Package stats reads what the sandbox uses, from its cgroup (of either
// version) and its volume.
package stats

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Sample is one look. Parts are absent where the kernel, or the sandbox in
// place of one (gVisor), does not tell.
type Sample struct {
	CPU       *CPU    `json:"cpu,omitempty"`
	Memory    *Memory `json:"memory,omitempty"`
	IO        *IO     `json:"io,omitempty"`
	Pids      *Pids   `json:"pids,omitempty"`
	Workspace *Disk   `json:"workspace,omitempty"`
}

// CPU is time in microseconds; LimitMillis is the limit in thousandths of a core.
type CPU struct {
	UsageUsec     uint64 `json:"usageUsec"`
	UserUsec      uint64 `json:"userUsec"`
	SystemUsec    uint64 `json:"systemUsec"`
	ThrottledUsec uint64 `json:"throttledUsec"`
	LimitMillis   uint64 `json:"limitMillis,omitempty"`
}

// Memory is in bytes. WorkingSet is what cannot be taken back without effort;
// OOMKills counts processes that were killed for want of memory.
type Memory struct {
	Usage      uint64 `json:"usage"`
	WorkingSet uint64 `json:"workingSet"`
	Limit      uint64 `json:"limit,omitempty"`
	OOMKills   uint64 `json:"oomKills"`
}

// IO is bytes since the start, of all devices.
type IO struct {
	ReadBytes  uint64 `json:"readBytes"`
	WriteBytes uint64 `json:"writeBytes"`
}

// Pids are processes and threads.
type Pids struct {
	Current uint64 `json:"current"`
	Limit   uint64 `json:"limit,omitempty"`
}

// Disk is the volume of the workspace, as df counts it.
type Disk struct {
	Path  string `json:"path"`
	Total uint64 `json:"total"`
	Used  uint64 `json:"used"`
	Free  uint64 `json:"free"`
}

// Take looks at the cgroup in a folder and at the volume below workdir.
func Take(cgroup, workdir string) Sample {
	var of group = folder(cgroup)
	if isLegacy(cgroup) {
		of = legacy(cgroup)
	}
	return Sample{
		CPU: of.cpu(), Memory: of.memory(), IO: of.io(), Pids: of.pids(), Workspace: disk(workdir),
	}
}

// group tells what the kernel counts for a cgroup.
type group interface {
	cpu() *CPU
	memory() *Memory
	io() *IO
	pids() *Pids
}

// folder is a cgroup of version 2: one folder with the files of all
// controllers.
type folder string

func (f folder) text(name string) (string, bool) {
	content, err := os.ReadFile(filepath.Join(string(f), name))
	return strings.TrimSpace(string(content)), err == nil
}

// number reads a file of one number; "max" is 0: no limit.
func (f folder) number(name string) (uint64, bool) {
	text, ok := f.text(name)
	if text == "max" {
		return 0, ok
	}
	value, err := strconv.ParseUint(text, 10, 64)
	return value, ok && err == nil
}

// table reads lines of a name and a number.
func (f folder) table(name string) (map[string]uint64, bool) {
	text, ok := f.text(name)
	values := map[string]uint64{}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) == 2 {
			if value, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
				values[fields[0]] = value
			}
		}
	}
	return values, ok
}

func (f folder) cpu() *CPU {
	values, ok := f.table("cpu.stat")
	if _, has := values["usage_usec"]; !ok || !has {
		return nil
	}
	limit := uint64(0)
	if text, _ := f.text("cpu.max"); text != "" {
		limit = millis(text)
	}
	return &CPU{
		UsageUsec: values["usage_usec"], UserUsec: values["user_usec"], SystemUsec: values["system_usec"],
		ThrottledUsec: values["throttled_usec"], LimitMillis: limit,
	}
}

// millis reads QUOTA PERIOD of cpu.max.
func millis(text string) uint64 {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0
	}
	quota, err := strconv.ParseFloat(fields[0], 64)
	period, bad := strconv.ParseFloat(fields[1], 64)
	if err != nil || bad != nil || !(quota >= 0) || !(period > 0) || quota/period > 1e6 {
		return 0
	}
	return uint64(quota * 1000 / period)
}

func (f folder) memory() *Memory {
	usage, ok := f.number("memory.current")
	if !ok {
		return nil
	}
	limit, _ := f.number("memory.max")
	values, _ := f.table("memory.stat")
	events, _ := f.table("memory.events")
	// As the kubelet counts: without the pages of files that nobody used lately.
	working := usage - min(usage, values["inactive_file"])
	return &Memory{Usage: usage, WorkingSet: working, Limit: limit, OOMKills: events["oom_kill"]}
}

func (f folder) io() *IO {
	text, ok := f.text("io.stat")
	if !ok {
		return nil
	}
	sum := IO{}
	for _, field := range strings.Fields(text) {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "rbytes":
			sum.ReadBytes += count(value)
		case "wbytes":
			sum.WriteBytes += count(value)
		}
	}
	return &sum
}

// count reads a number; what is none counts nothing.
func count(text string) uint64 {
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return value
}

func (f folder) pids() *Pids {
	current, ok := f.number("pids.current")
	if !ok {
		return nil
	}
	limit, _ := f.number("pids.max")
	return &Pids{Current: current, Limit: limit}
}

func disk(path string) *Disk {
	var volume syscall.Statfs_t
	if syscall.Statfs(path, &volume) != nil {
		return nil
	}
	size := uint64(volume.Bsize) //nolint:gosec // never negative
	return &Disk{
		Path: path, Total: volume.Blocks * size, Used: (volume.Blocks - volume.Bfree) * size, Free: volume.Bavail * size,
	}
}
