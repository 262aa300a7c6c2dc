// SPDX-License-Identifier: Apache-2.0

// Package ports finds what listens for TCP connections in the sandbox.
package ports

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// stateListen is TCP_LISTEN of the kernel's enumeration, as /proc shows it.
const stateListen = "0A"

// maxSockets bounds what is read of one table: whoever opens more of them than
// this is not looking for a list.
const maxSockets = 10_000

// Port is one port that somebody listens on. Pid and Command are of the process
// that does, where it can be known: another container's cannot.
type Port struct {
	Port      int      `json:"port"`
	Addresses []string `json:"addresses"`
	Pid       int      `json:"pid,omitempty"`
	Command   string   `json:"command,omitempty"`
}

type socket struct {
	address netip.AddrPort
	inode   string
}

// List reads the tables of the network namespace, without the ports in hidden.
// proc is where procfs is mounted.
func List(proc string, hidden ...int) ([]Port, error) {
	var sockets []socket
	for _, table := range []string{"tcp", "tcp6"} {
		file, err := os.Open(filepath.Join(proc, "net", table))
		if os.IsNotExist(err) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, err
		}
		sockets = append(sockets, parse(file)...)
		_ = file.Close()
	}
	sockets = slices.DeleteFunc(sockets, func(s socket) bool {
		return slices.Contains(hidden, int(s.address.Port()))
	})
	list := merge(sockets, owners(proc, sockets))
	for i := range list {
		list[i].Command = commandOf(proc, list[i].Pid)
	}
	return list, nil
}

// commandOf is the program's name without its arguments, which may hold secrets.
func commandOf(proc string, pid int) string {
	if pid == 0 {
		return ""
	}
	name, _ := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	return strings.ToValidUTF8(strings.TrimSuffix(string(name), "\n"), "?")
}

// parse reads a table of proc_net(5): a head line, then one socket in a line.
// Lines that are none are passed over.
func parse(table io.Reader) []socket {
	var found []socket
	lines := bufio.NewScanner(table)
	lines.Scan()
	for lines.Scan() && len(found) < maxSockets {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != stateListen {
			continue
		}
		if address, ok := parseAddress(fields[1]); ok && address.Port() != 0 {
			found = append(found, socket{address: address, inode: fields[9]})
		}
	}
	return found
}

// parseAddress reads ADDRESS:PORT in hexadecimal. The address is in words of 32
// bits, each in the byte order of the machine.
func parseAddress(text string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	number, portErr := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || portErr != nil || (len(raw) != 4 && len(raw) != 16) {
		return netip.AddrPort{}, false
	}
	for word := raw; len(word) > 0; word = word[4:] {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	address, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), ok
}

// owners finds the processes that hold the sockets open, by inode.
func owners(proc string, sockets []socket) map[string]int {
	wanted := map[string]bool{}
	for _, s := range sockets {
		wanted["socket:["+s.inode+"]"] = true
	}
	found := map[string]int{}
	for _, name := range names(proc) {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		folder := filepath.Join(proc, name, "fd")
		for _, fd := range names(folder) {
			// A process forks with its sockets: the lowest number is the one that listens.
			link, err := os.Readlink(filepath.Join(folder, fd))
			if err != nil || !wanted[link] {
				continue
			}
			inode := link[len("socket:[") : len(link)-1]
			if known, ok := found[inode]; !ok || pid < known {
				found[inode] = pid
			}
		}
	}
	return found
}

func names(folder string) []string {
	dir, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer dir.Close()
	all, _ := dir.Readdirnames(-1)
	return all
}

func merge(sockets []socket, pids map[string]int) []Port {
	byPort := map[int]*Port{}
	for _, s := range sockets {
		number := int(s.address.Port())
		port := byPort[number]
		if port == nil {
			port = &Port{Port: number, Pid: pids[s.inode]}
			byPort[number] = port
		}
		if address := s.address.Addr().String(); !slices.Contains(port.Addresses, address) {
			port.Addresses = append(port.Addresses, address)
		}
	}
	list := make([]Port, 0, len(byPort))
	for _, port := range byPort {
		list = append(list, *port)
	}
	slices.SortFunc(list, func(a, b Port) int { return a.Port - b.Port })
	return list
}
