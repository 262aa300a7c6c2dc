// SPDX-License-Identifier: Apache-2.0

package job

import (
	"sync"
	"unicode/utf8"
)

// tail keeps the end of a log. The cut never breaks a character.
type tail struct {
	limit int

	mu    sync.Mutex
	bytes []byte
	total int64
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(append(t.bytes, line...), '\n')
	t.total += int64(len(line)) + 1
	if len(t.bytes) > 2*t.limit {
		t.bytes = append([]byte(nil), t.end()...)
	}
}

// end needs the lock.
func (t *tail) end() []byte {
	if len(t.bytes) <= t.limit {
		return t.bytes
	}
	kept := t.bytes[len(t.bytes)-t.limit:]
	for i := 0; i < utf8.UTFMax && i < len(kept); i++ {
		if utf8.RuneStart(kept[i]) {
			return kept[i:]
		}
	}
	return kept
}

func (t *tail) read() (text string, total int64, cut bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := t.end()
	return string(end), t.total, int64(len(end)) < t.total
}
