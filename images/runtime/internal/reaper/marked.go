// SPDX-License-Identifier: Apache-2.0

package reaper

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// markedRounds bounds the search for processes that are started faster than
// they are found.
const markedRounds = 20

// KillMarked kills every process whose environment holds the entry
// NAME=VALUE, in whatever session it is, until none is left.
func KillMarked(entry string) {
	for range markedRounds {
		if killMarkedOnce([]byte(entry)) == 0 {
			return
		}
	}
}

func killMarkedOnce(entry []byte) (killed int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	self := os.Getpid()
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == self {
			continue
		}
		if killIfMarked(pid, entry) {
			killed++
		}
	}
	return killed
}

// killIfMarked looks at the process through a handle (pidfd_open(2)) that was
// taken before, so that a number which changes its owner meanwhile harms nobody.
func killIfMarked(pid int, entry []byte) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer process.Release()
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil || !isMarked(environ, entry) {
		return false
	}
	return process.Signal(syscall.SIGKILL) == nil
}

func isMarked(environ, entry []byte) bool {
	for _, one := range bytes.Split(environ, []byte{0}) {
		if bytes.Equal(one, entry) {
			return true
		}
	}
	return false
}
