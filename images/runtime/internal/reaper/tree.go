// SPDX-License-Identifier: Apache-2.0

package reaper

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// signalTree signals the group and the session that pid leads. The caller
// holds the lock, so none of our own children can be reaped meanwhile and no
// number can change its owner.
func signalTree(pid int, sig syscall.Signal) {
	_ = syscall.Kill(-pid, sig)
	dir, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		other, err := strconv.Atoi(name)
		if err != nil || other == pid {
			continue
		}
		if group, session := groupAndSession(name); session == pid && group != pid {
			_ = syscall.Kill(other, sig)
		}
	}
}

// groupAndSession reads fields 5 and 6 of /proc/PID/stat (proc_pid_stat(5)).
// The name in field 2 may hold blanks and brackets: the last bracket ends it.
func groupAndSession(pid string) (group, session int) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 4 {
		return 0, 0
	}
	group, _ = strconv.Atoi(string(fields[2]))
	session, _ = strconv.Atoi(string(fields[3]))
	return group, session
}
