// SPDX-License-Identifier: Apache-2.0

package session

import (
	"cmp"
	"slices"
	"time"
)

// Size is that of a terminal.
type Size struct{ Cols, Rows uint16 }

// Person is somebody who is attached.
type Person struct {
	Name string `json:"name"`
	Mode string `json:"mode"`
}

// News tells what happened among the clients since the last call: the size, if
// another client changed it, and all who are attached, if somebody came or left.
func (a *Attachment) News() (size *Size, people []Person) {
	if !a.news.Swap(false) {
		return nil, nil
	}
	s := a.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.sized {
		size = &Size{s.cols, s.rows}
	}
	if a.met {
		people = s.people()
	}
	a.sized, a.met = false, false
	return size, people
}

func (a *Attachment) tell() {
	a.news.Store(true)
	a.wake()
}

func (s *Session) tellPeople() {
	for a := range s.attached {
		a.met = true
		a.tell()
	}
}

func (s *Session) people() []Person {
	list := make([]Person, 0, len(s.attached))
	for a := range s.attached {
		mode := "control"
		if a.view {
			mode = "view"
		}
		list = append(list, Person{a.name, mode})
	}
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Mode, b.Mode))
	})
	return list
}

// lead makes a the client whose size counts: the one that was active last.
func (s *Session) lead(a *Attachment) {
	s.turns++
	a.turn, s.leader = s.turns, a
	s.follow(a)
}

// follow gives the terminal the size of a's window; the kernel tells the
// program. The other clients learn it, too, or their pictures would be torn.
func (s *Session) follow(a *Attachment) {
	if s.ended || a.cols == 0 || (s.cols == a.cols && s.rows == a.rows) {
		return
	}
	if resize(s.control, a.cols, a.rows) != nil {
		return
	}
	s.cols, s.rows, a.sized = a.cols, a.rows, false
	for other := range s.attached {
		if other != a {
			other.sized = true
			other.tell()
		}
	}
}

// left does what the leaving of a client brings about.
func (s *Session) left(a *Attachment) {
	s.tellPeople()
	if s.leader == a {
		s.leader = nil
		for other := range s.attached {
			if !other.view && (s.leader == nil || other.turn > s.leader.turn) {
				s.leader = other
			}
		}
		if s.leader != nil {
			s.follow(s.leader)
		}
	}
	if s.ttl > 0 && len(s.attached) == 0 && !s.ended {
		s.away = time.AfterFunc(s.ttl, s.expire)
	}
}

// expire ends a shell that nobody has been attached to for long.
func (s *Session) expire() {
	s.mu.Lock()
	alone := len(s.attached) == 0 && !s.ended
	s.mu.Unlock()
	if alone {
		s.hangUp()
	}
}
