// SPDX-License-Identifier: Apache-2.0

package invoke

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// DefaultTimeout ends an invocation where nothing else says when.
const DefaultTimeout = 30 * time.Minute

// Settings are what the operator decided about invocations; zero numbers are no
// limit.
type Settings struct {
	Hash                  string            `json:"hash"`
	Entrypoint            []string          `json:"entrypoint"`
	WorkingDir            string            `json:"workingDir"`
	Env                   map[string]string `json:"env"`
	MaxConcurrent         int               `json:"maxConcurrent"`
	DefaultTimeoutSeconds int64             `json:"defaultTimeoutSeconds"`
	MaxTimeoutSeconds     int64             `json:"maxTimeoutSeconds"`
}

// Validate returns what is wrong with the settings, for the one who sends them.
func (s Settings) Validate() error {
	switch {
	case s.Hash == "":
		return errors.New("hash: must not be empty")
	case len(s.Entrypoint) > 0 && s.Entrypoint[0] == "":
		return errors.New("entrypoint: must name a program")
	case s.MaxConcurrent < 0 || s.DefaultTimeoutSeconds < 0 || s.MaxTimeoutSeconds < 0:
		return errors.New("limits must not be negative")
	}
	for name := range s.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fmt.Errorf("env: %q is no name of a variable", name)
		}
	}
	return nil
}

// timeout is the time of one invocation: what was asked for can only shorten
// what the settings say.
func (s Settings) timeout(asked time.Duration) time.Duration {
	limit := DefaultTimeout
	if s.DefaultTimeoutSeconds > 0 {
		limit = time.Duration(s.DefaultTimeoutSeconds) * time.Second
	}
	if ceiling := time.Duration(s.MaxTimeoutSeconds) * time.Second; ceiling > 0 {
		limit = min(limit, ceiling)
	}
	if asked > 0 {
		limit = min(limit, asked)
	}
	return limit
}
