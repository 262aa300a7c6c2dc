// SPDX-License-Identifier: Apache-2.0

package session

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// openTerminal opens a pseudo terminal pair. The controlling side is
// non-blocking and known to Go's poller: a blocked read then costs no thread,
// and deadlines and Close reach it. (A library that asks the os.File for its
// descriptor makes it blocking again.)
func openTerminal(cols, rows uint16) (control, terminal *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: "/dev/ptmx", Err: err}
	}
	control = os.NewFile(uintptr(fd), "/dev/ptmx")
	terminal, err = openOther(fd, cols, rows)
	if err != nil {
		_ = control.Close()
		return nil, nil, err
	}
	return control, terminal, nil
}

func openOther(fd int, cols, rows uint16) (*os.File, error) {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, os.NewSyscallError("unlock terminal", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, os.NewSyscallError("number of terminal", err)
	}
	if err := setSize(fd, cols, rows); err != nil {
		return nil, err
	}
	return os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
}

func setSize(fd int, cols, rows uint16) error {
	size := &unix.Winsize{Col: cols, Row: rows}
	return os.NewSyscallError("set terminal size", unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size))
}

// resize changes the size; the kernel tells the foreground program (SIGWINCH).
func resize(control *os.File, cols, rows uint16) error {
	raw, err := control.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = setSize(int(fd), cols, rows) }); err != nil {
		return err
	}
	return failed
}
