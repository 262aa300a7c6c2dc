// SPDX-License-Identifier: Apache-2.0

package files

import (
	"io/fs"
	"net/http"
	"strings"
)

// Conditions are what a change asks of the file as it is before (RFC 9110,
// 13.1): its ETag, that it exists, or that it does not.
type Conditions struct{ Match, NoneMatch string }

// check judges them; info is nil when there is no file.
func (c Conditions) check(path string, info fs.FileInfo) error {
	tag := ""
	if info != nil {
		tag = ETag(info)
	}
	switch {
	case c.Match != "" && !holds(c.Match, info != nil, tag):
		return problem(http.StatusPreconditionFailed, "precondition_failed", "%q is not as If-Match says: it was changed or removed meanwhile", path)
	case c.NoneMatch != "" && holds(c.NoneMatch, info != nil, tag):
		return problem(http.StatusPreconditionFailed, "precondition_failed", "%q exists, which If-None-Match rules out", path)
	}
	return nil
}

// holds tells whether one of the tags of a header is that of the file. A weak
// one never is: it does not promise the same bytes.
func holds(header string, exists bool, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimSpace(one)
		if exists && (one == "*" || one == tag) {
			return true
		}
	}
	return false
}
