// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func line(address, state, inode string) string {
	return "   0: " + address + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000  1000        0 " + inode + " 1 0000000000000000 100 0 0 10 0\n"
}

// procOf makes a procfs of two processes in which the second was forked by the first.
func procOf(t *testing.T, tcp, tcp6 string) string {
	t.Helper()
	proc := t.TempDir()
	for name, text := range map[string]string{"net/tcp": tcp, "net/tcp6": tcp6, "7/comm": "node\n", "9/comm": "worker\n"} {
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, pid := range []string{"7", "9"} {
		if err := os.MkdirAll(filepath.Join(proc, pid, "fd"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("socket:[501]", filepath.Join(proc, pid, "fd", "3")); err != nil {
			t.Fatal(err)
		}
	}
	return proc
}

func TestList(t *testing.T) {
	tcp := head + line("0100007F:0BB8", "0A", "501") + line("0100007F:0BB8", "01", "502") +
		line("00000000:2328", "0A", "503") + "garbage\n" + line("ZZ00007F:0BB9", "0A", "504") + line("0100007F:0000", "0A", "505")
	tcp6 := head + line("00000000000000000000000001000000:0BB8", "0A", "506") +
		line("0000000000000000FFFF00000100007F:1F90", "0A", "507")
	got, err := List(procOf(t, tcp, tcp6), 9000)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	if p := got[0]; p.Port != 3000 || !slices.Equal(p.Addresses, []string{"127.0.0.1", "::1"}) || p.Pid != 7 || p.Command != "node" {
		t.Errorf("%+v", p)
	}
	if p := got[1]; p.Port != 8080 || !slices.Equal(p.Addresses, []string{"127.0.0.1"}) || p.Pid != 0 || p.Command != "" {
		t.Errorf("%+v", p)
	}
}

func TestListFindsThisProcess(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	want := listener.Addr().(*net.TCPAddr).Port
	list, err := List("/proc")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(p Port) bool { return p.Port == want })
	if i < 0 || list[i].Pid != os.Getpid() || list[i].Command == "" {
		t.Errorf("%d is not in %+v as of %d", want, list, os.Getpid())
	}
	if hidden, _ := List("/proc", want); slices.ContainsFunc(hidden, func(p Port) bool { return p.Port == want }) {
		t.Error("a hidden port is shown")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + line("0100007F:0BB8", "0A", "501"))
	f.Add(head + line("00000000000000000000000001000000:0BB8", "0A", "1"))
	f.Add("\n: : : 0A\n")
	f.Fuzz(func(t *testing.T, table string) {
		for _, s := range parse(strings.NewReader(table)) {
			if !s.address.IsValid() || s.address.Port() == 0 {
				t.Errorf("%+v of %q", s, table)
			}
		}
		merge(parse(strings.NewReader(table)), nil)
	})
}
