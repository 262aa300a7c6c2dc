// SPDX-License-Identifier: Apache-2.0

// Package relay joins the standard streams of this process to the runtime in
// the same pod for one HTTP exchange. It is what `pods/exec` runs when nobody
// can reach the runtime's port from outside.
package relay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// Failed is the exit code when no exchange came about.
const Failed = 255

const (
	maxHead    = 64 << 10
	bufferSize = 64 << 10
)

// Options say where the runtime is. Whoever may run this in the pod may also
// read its token, so the request needs none.
type Options struct {
	Address   string
	TokenFile string
	Stdin     io.Reader
	Stdout    io.Writer
	Stderr    io.Writer
}

// Run sends what comes in, the runtime's token added, and copies the answer
// out until the runtime ends it. When the input ends the runtime is told, as
// it would be by a client that left.
func Run(o Options) int {
	if err := exchange(o); err != nil {
		fmt.Fprintf(o.Stderr, "relay: %v\n", err)
		return Failed
	}
	return 0
}

func exchange(o Options) error {
	content, err := os.ReadFile(o.TokenFile)
	if err != nil {
		return fmt.Errorf("token file: %w", err)
	}
	token, _, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
	in := bufio.NewReaderSize(o.Stdin, bufferSize)
	head, err := readHead(in, strings.TrimSpace(token))
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", o.Address)
	if err != nil {
		return fmt.Errorf("no runtime at %s: %w", o.Address, err)
	}
	defer conn.Close()
	if _, err := conn.Write(head); err != nil {
		return err
	}
	go func() {
		_, _ = io.CopyBuffer(struct{ io.Writer }{conn}, in, make([]byte, bufferSize))
		// Nobody reads the answer any more either.
		_ = conn.Close()
	}()
	_, err = io.CopyBuffer(o.Stdout, struct{ io.Reader }{conn}, make([]byte, bufferSize))
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// readHead reads up to the empty line (RFC 9112, 2.1). The body, or what
// follows an upgrade, goes on as it is.
func readHead(in *bufio.Reader, token string) ([]byte, error) {
	var head bytes.Buffer
	upgrades := false
	for {
		line, err := in.ReadSlice('\n')
		if head.Len()+len(line) > maxHead || errors.Is(err, bufio.ErrBufferFull) {
			return nil, errors.New("the head of the request is larger than 64 KiB")
		}
		if err != nil {
			return nil, fmt.Errorf("no request: %w", err)
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			fmt.Fprintf(&head, "Authorization: Bearer %s\r\n", token)
			if !upgrades {
				head.WriteString("Connection: close\r\n")
			}
			head.WriteString("\r\n")
			return head.Bytes(), nil
		}
		name, _, _ := bytes.Cut(line, []byte(":"))
		upgrades = upgrades || bytes.EqualFold(name, []byte("upgrade"))
		if !bytes.EqualFold(name, []byte("authorization")) {
			head.Write(line)
		}
	}
}
