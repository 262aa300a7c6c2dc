// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/childenv"
	"github.com/agenttier/agenttier/images/runtime/internal/shell"
)

const (
	// MaxSessions bounds the shells that one sandbox runs at a time.
	MaxSessions = 64
	// keepEnded is how long a client that was away when its shell ended can
	// still fetch the last output and the exit code.
	keepEnded = 5 * time.Minute
)

// ErrTooMany says that the sandbox has MaxSessions live terminals.
var ErrTooMany = errors.New("this sandbox has too many terminal sessions: end one first")

// Request asks for a session. Empty fields take the manager's defaults. Since
// is a position in earlier output, or -1.
type Request struct {
	Name       string
	Shell      string
	Folder     string
	Cols, Rows uint16
	Since      int64
	// KeepScreen says whether a new session leaves the alternate screen to its
	// programs; nil: as the Settings say.
	KeepScreen *bool
}

// Settings are those of the sandbox for all of its terminals. The zero value is
// what a sandbox has that says nothing.
type Settings struct {
	// Scrollback is how many bytes of output a session keeps; 0: RingSize.
	Scrollback int
	// DetachedTTL is how long a session lives on while nobody is attached;
	// 0: for ever.
	DetachedTTL time.Duration
	// KeepScreen leaves the alternate screen to the programs.
	KeepScreen bool
}

type plan struct {
	shell, folder string
	env           []string
	cols, rows    uint16
	touch         func()
	scrollback    int
	ttl           time.Duration
	keepScreen    bool
}

// Manager holds the sessions of a sandbox by name.
type Manager struct {
	// Settings must not change once a session is open.
	Settings Settings

	workdir, shell string
	env            *childenv.Live
	touch          func()

	mu       sync.Mutex
	sessions map[string]*Session
	nextBase int64
}

// NewManager makes a manager whose shells run in workdir with env; shell is the
// sandbox's preferred one, or "". touch is called whenever a person types, and
// when a program prints while somebody is attached.
func NewManager(workdir, shell string, env *childenv.Live, touch func()) *Manager {
	return &Manager{workdir: workdir, shell: shell, env: env, touch: touch, sessions: map[string]*Session{}}
}

// Open returns the live session of that name, or starts one. A session whose
// shell has ended is returned only to a client that comes back for the rest of
// its output.
func (m *Manager) Open(r Request) (s *Session, started bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.sessions[r.Name]; s != nil && (!s.hasEnded() || s.covers(r.Since)) {
		return s, false, nil
	}
	if m.live() >= MaxSessions {
		return nil, false, ErrTooMany
	}
	p, err := m.plan(r)
	if err != nil {
		return nil, false, err
	}
	m.retire(m.sessions[r.Name])
	s, err = launch(r.Name, p, m.base())
	if err != nil {
		return nil, false, err
	}
	m.sessions[r.Name] = s
	go m.forget(s)
	return s, true, nil
}

func (m *Manager) plan(r Request) (plan, error) {
	base := m.env.List()
	program, err := shell.Choose(base, r.Shell, m.shell)
	if err != nil {
		return plan{}, err
	}
	folder, err := chooseFolder(m.workdir, r.Folder)
	if err != nil {
		return plan{}, err
	}
	env := terminalEnv(base, program, folder)
	p := plan{
		shell: program, folder: folder, env: env, cols: r.Cols, rows: r.Rows, touch: m.touch,
		scrollback: m.scrollback(), ttl: m.Settings.DetachedTTL, keepScreen: m.Settings.KeepScreen,
	}
	if r.KeepScreen != nil {
		p.keepScreen = *r.KeepScreen
	}
	return p, nil
}

func (m *Manager) scrollback() int {
	if m.Settings.Scrollback == 0 {
		return RingSize
	}
	return max(m.Settings.Scrollback, SmallestRing)
}

// base makes positions grow over all shells that ever ran, also over restarts
// of the pod: a client that still holds the position of an older shell is then
// told to reset, instead of getting a torn replay.
func (m *Manager) base() int64 {
	m.nextBase = max(time.Now().UnixMicro(), m.nextBase+1)
	return m.nextBase
}

func (m *Manager) retire(s *Session) {
	if s != nil {
		m.nextBase = max(m.nextBase, s.end()+int64(m.scrollback()))
		delete(m.sessions, s.name)
	}
}

func (m *Manager) live() int {
	count := 0
	for _, s := range m.sessions {
		if !s.hasEnded() {
			count++
		}
	}
	return count
}

// forget drops an ended session after a while, with the output it still holds.
func (m *Manager) forget(s *Session) {
	s.child.Wait()
	time.AfterFunc(keepEnded, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.sessions[s.name] == s {
			m.retire(s)
		}
	})
}

// List describes all sessions by name.
func (m *Manager) List() []Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Info, 0, len(m.sessions))
	for _, s := range m.sessions {
		list = append(list, s.info())
	}
	slices.SortFunc(list, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Remove hangs up the session of that name and forgets it. It returns false
// when there is none.
func (m *Manager) Remove(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[name]
	if s == nil {
		return false
	}
	m.retire(s)
	s.hangUp()
	return true
}
