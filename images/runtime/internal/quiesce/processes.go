// SPDX-License-Identifier: Apache-2.0

package quiesce

import (
	"bytes"
	"os"
	"sort"
	"strconv"
	"syscall"
)

// rounds bounds the search for processes that were started while others were
// being stopped. Each round finds only children of what still ran.
const rounds = 8

// process is one line of /proc. A number alone does not name a process for
// good, its start time with it does.
type process struct {
	pid, parent int
	state       byte
	started     string
}

// stopAll stops every process that is ours to stop, parents before children.
// What its user has stopped already is left out, and so stays stopped later.
func stopAll() (stopped []process, missed int) {
	done := map[int]bool{}
	for range rounds {
		fresh := 0
		for _, one := range running() {
			if done[one.pid] {
				continue
			}
			done[one.pid] = true
			fresh++
			if syscall.Kill(one.pid, syscall.SIGSTOP) != nil {
				missed++
				continue
			}
			stopped = append(stopped, one)
		}
		if fresh == 0 {
			break
		}
	}
	return stopped, missed
}

// running lists what can write: as PID 1 every process of the container, for
// all of them are the sandbox's; otherwise our own descendants. Parents first.
func running() []process {
	all := list()
	self := os.Getpid()
	depth := depths(all, self)
	var found []process
	for _, one := range all {
		_, below := depth[one.pid]
		ours := one.pid != self && (below || self == 1)
		if ours && one.state != 'T' && one.state != 't' && one.state != 'Z' && one.state != 'X' {
			found = append(found, one)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return depth[found[i].pid] < depth[found[j].pid] })
	return found
}

// depths tells how far below root each of its descendants is.
func depths(all []process, root int) map[int]int {
	parent := map[int]int{}
	for _, one := range all {
		parent[one.pid] = one.parent
	}
	found := map[int]int{root: 0}
	for _, one := range all {
		steps := 0
		for pid := one.pid; pid > 0 && steps <= len(all); pid = parent[pid] {
			if pid == root {
				found[one.pid] = steps
				break
			}
			steps++
		}
	}
	return found
}

func list() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if one, alive := read(pid); alive {
			all = append(all, one)
		}
	}
	return all
}

// read takes fields 3, 4 and 22 of /proc/PID/stat (proc_pid_stat(5)). The name
// in field 2 may hold blanks and brackets: the last bracket ends it.
func read(pid int) (process, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return process{}, false
	}
	parent, _ := strconv.Atoi(string(fields[1]))
	return process{pid: pid, parent: parent, state: fields[0][0], started: string(fields[19])}, true
}
