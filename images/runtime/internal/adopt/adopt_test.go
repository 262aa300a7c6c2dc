// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/agenttier/agenttier/images/runtime/internal/auth"
	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
)

var token = strings.Repeat("t", 40)

func slot(t *testing.T) (*Slot, *childenv.Live, *auth.Tokens) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("of-the-slot"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	env := childenv.NewLive([]string{"PATH=/bin", "HOME=/workspace"})
	return New(env, tokens, "/workspace"), env, tokens
}

func variable(name, value string) Variable { return Variable{Name: name, Value: &value} }

func allowed(tokens *auth.Tokens, token string) bool {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return tokens.Allowed(r)
}

func TestAdoptBringsVariablesAndToken(t *testing.T) {
	s, env, tokens := slot(t)
	before := env.List()
	if !s.Waits() || allowed(tokens, token) {
		t.Fatal("an unclaimed slot must wait and know nobody's token but its own")
	}
	if err := s.Adopt(Request{Sandbox: "a", Token: token, Env: []Variable{variable("HOME", "/tmp"), variable("X", "1=2")}}); err != nil {
		t.Fatal(err)
	}
	if s.Waits() {
		t.Fatal("still waiting")
	}
	if got := childenv.Get(env.List(), "HOME") + childenv.Get(env.List(), "X"); got != "/tmp1=2" {
		t.Fatalf("variables: %q", got)
	}
	if len(before) != 2 || childenv.Get(before, "HOME") != "/workspace" {
		t.Fatal("a list that was handed out has changed")
	}
	if !allowed(tokens, token) || !allowed(tokens, "of-the-slot") {
		t.Fatal("both the new token and that of the file must be accepted")
	}
}

func TestAdoptIsForOneSandbox(t *testing.T) {
	s, env, _ := slot(t)
	first := Request{Sandbox: "a", Token: token, Env: []Variable{variable("X", "1")}}
	if err := s.Adopt(first); err != nil {
		t.Fatal(err)
	}
	first.Env[0] = variable("X", "2")
	if err := s.Adopt(first); err != nil || childenv.Get(env.List(), "X") != "1" {
		t.Fatalf("asking again must change nothing: %v", err)
	}
	if err := s.Adopt(Request{Sandbox: "b", Token: token}); !errors.Is(err, ErrTaken) {
		t.Fatalf("another sandbox: %v", err)
	}
}

func TestAdoptHasOneWinner(t *testing.T) {
	s, _, _ := slot(t)
	var wins sync.WaitGroup
	results := make(chan error, 8)
	for _, uid := range strings.Split("abcdefgh", "") {
		wins.Add(1)
		go func() {
			defer wins.Done()
			results <- s.Adopt(Request{Sandbox: uid, Token: token})
		}()
	}
	wins.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		}
	}
	if won != 1 {
		t.Fatalf("%d sandboxes got the slot", won)
	}
}

func TestAdoptRefuses(t *testing.T) {
	var none *Slot
	if none.Waits() || none.Adopted() != nil {
		t.Fatal("a pod that is no slot waits for nobody")
	}
	if err := none.Adopt(Request{Sandbox: "a", Token: token}); !errors.Is(err, ErrNoSlot) {
		t.Fatalf("no slot: %v", err)
	}
	for name, r := range map[string]Request{
		"no sandbox":  {Token: token},
		"short token": {Sandbox: "a", Token: "short"},
		"bad name":    {Sandbox: "a", Token: token, Env: []Variable{variable("A=B", "1")}},
		"zero byte":   {Sandbox: "a", Token: token, Env: []Variable{variable("A", "\x00")}},
	} {
		s, _, _ := slot(t)
		if err := s.Adopt(r); err == nil || !s.Waits() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVariablesReferToEarlierOnesAsInKubernetes(t *testing.T) {
	base := []string{"SECRET=s3", "IMAGE=i"}
	env := overlay(base, []Variable{
		variable("A", "1"), {Name: "SECRET"}, variable("B", "$(A)$(SECRET)$(IMAGE)$(C)"), variable("C", "$$(A) $A $ $(A"), variable("A", "$(A)2"),
	})
	want := map[string]string{"A": "12", "B": "1s3$(IMAGE)$(C)", "C": "$(A) $A $ $(A", "SECRET": "s3", "IMAGE": "i"}
	for name, value := range want {
		if got := childenv.Get(env, name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}
