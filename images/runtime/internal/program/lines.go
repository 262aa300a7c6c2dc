// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bytes"
	"strings"

	"github.com/agenttier/agenttier/images/runtime/internal/utf8stream"
)

// maxLine is how many bytes a line may get before it is given on in pieces; the
// last character of a piece may reach beyond it.
const maxLine = 64 << 10

// splitter cuts a byte stream into lines of text. The end of the stream ends
// the last line, too; characters stay whole wherever the bytes were cut.
type splitter struct {
	text utf8stream.Decoder
	line strings.Builder
	give func(line string)
}

func (s *splitter) write(p []byte) {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.add(p)
			return
		}
		s.add(p[:end])
		s.line.WriteString(s.text.Flush())
		s.flush()
		p = p[end+1:]
	}
}

func (s *splitter) add(p []byte) {
	for len(p) > 0 {
		piece := p[:min(len(p), maxLine-min(s.line.Len(), maxLine-1))]
		s.line.WriteString(s.text.Next(piece))
		p = p[len(piece):]
		if s.line.Len() >= maxLine {
			s.flush()
		}
	}
}

func (s *splitter) flush() {
	line := strings.TrimSuffix(s.line.String(), "\r")
	s.line.Reset()
	s.give(line)
}

// end gives what is left of a line that was never finished.
func (s *splitter) end() {
	s.line.WriteString(s.text.Flush())
	if s.line.Len() > 0 {
		s.flush()
	}
}
