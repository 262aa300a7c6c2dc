// SPDX-License-Identifier: Apache-2.0

// Package adopt gives a prepared sandbox, a slot, to the sandbox that claimed
// it: its variables, its token, and only then its own command.
package adopt

import (
	"errors"
	"strings"
	"sync"

	"github.com/agenttier/agenttier/images/runtime/internal/auth"
	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
)

// ErrNoSlot says that this pod was made for one sandbox from the start.
var ErrNoSlot = errors.New("this pod is no slot: it was made for its sandbox")

// ErrTaken says that another sandbox was here first.
var ErrTaken = errors.New("this slot was adopted by another sandbox")

// Request is what the claiming sandbox brings.
type Request struct {
	// Sandbox is the uid of the Sandbox: the same one may ask again, another may not.
	Sandbox string `json:"sandbox"`
	// Token is accepted from now on, beside those of the token file. The kubelet
	// brings the same one into the file only within a minute or so.
	Token string `json:"token"`
	// Env are the variables of the sandbox in their order, laid over those of
	// the container.
	Env []Variable `json:"env"`
}

// Variable has a value that may refer to earlier variables, as Kubernetes has
// it. Without one it is already in the container, from a Secret.
type Variable struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
}

// Slot is the state of a pod that waits for its sandbox. A nil Slot is a pod
// that waits for nobody.
type Slot struct {
	env     *childenv.Live
	tokens  *auth.Tokens
	workdir string

	mu      sync.Mutex
	sandbox string
	done    chan struct{}
}

// New makes the state of an unclaimed slot. env changes when it is adopted.
func New(env *childenv.Live, tokens *auth.Tokens, workdir string) *Slot {
	return &Slot{env: env, tokens: tokens, workdir: workdir, done: make(chan struct{})}
}

// Adopted is closed once the slot has its sandbox; nil for a pod that is no slot.
func (s *Slot) Adopted() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.done
}

// Waits tells whether nobody may use this pod yet.
func (s *Slot) Waits() bool {
	if s == nil {
		return false
	}
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// Adopt hands the slot over. Asked again for the same sandbox, which happens
// when an answer was lost, it changes nothing and succeeds.
func (s *Slot) Adopt(r Request) error {
	if err := check(r); err != nil {
		return err
	}
	if s == nil {
		return ErrNoSlot
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sandbox != "" {
		if s.sandbox != r.Sandbox {
			return ErrTaken
		}
		return nil
	}
	s.env.Replace(childenv.Base(overlay(s.env.List(), r.Env), s.workdir))
	s.tokens.Add(r.Token)
	s.sandbox = r.Sandbox
	close(s.done)
	return nil
}

func check(r Request) error {
	switch {
	case r.Sandbox == "":
		return errors.New("sandbox: must be the uid of the Sandbox")
	case len(r.Token) < 32:
		return errors.New("token: must have at least 32 characters")
	}
	for _, one := range r.Env {
		bad := one.Name == "" || strings.ContainsAny(one.Name, "=\x00")
		if bad || one.Value != nil && strings.Contains(*one.Value, "\x00") {
			return errors.New("env: a name must not be empty or hold '=', and nothing may hold a zero byte")
		}
	}
	return nil
}

func overlay(base []string, variables []Variable) []string {
	known := map[string]string{}
	for _, one := range variables {
		if one.Value == nil {
			known[one.Name] = childenv.Get(base, one.Name)
			continue
		}
		known[one.Name] = expand(*one.Value, known)
		base = childenv.Set(base, one.Name, known[one.Name])
	}
	return base
}

// expand replaces $(NAME) by the value of an earlier variable, by the rules of
// the kubelet: an unknown name stays as it is written, and $$ is a dollar sign.
func expand(text string, known map[string]string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "("), ")")
		switch {
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			text = rest[1:]
		case strings.HasPrefix(rest, "(") && closed:
			value, ok := known[name]
			if !ok {
				value = "$(" + name + ")"
			}
			out.WriteString(value)
			text = after
		default:
			out.WriteByte('$')
			text = rest
		}
	}
}
