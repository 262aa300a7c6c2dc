// SPDX-License-Identifier: Apache-2.0

package files

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
)

// odd are names that have broken file tools before.
var odd = []string{"a b", "it's", `say "hi"`, "two\nlines", "😀 émoji", "100%", "%2e%2e", "-rf", `back\slash`, "raw\xff\xfebytes", "`id`$(id)", " ", "..."}

func newStore(t *testing.T) (*Store, string) {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &Store{Roots: NewRoots(folder)}, folder
}

func status(err error) int {
	var refusal *Problem
	if errors.As(err, &refusal) {
		return refusal.Status
	}
	return 0
}

func put(t *testing.T, s *Store, path, content string) *Written {
	t.Helper()
	written, err := s.Put(path, Upload{Body: strings.NewReader(content), Length: int64(len(content))})
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func read(t *testing.T, s *Store, path string) string {
	t.Helper()
	file, _, err := s.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

func TestOddNamesGoThereAndBack(t *testing.T) {
	s, folder := newStore(t)
	for _, name := range odd {
		put(t, s, folder+"/deep/"+name, name)
		if got := read(t, s, folder+"/deep/"+name); got != name {
			t.Errorf("%q holds %q", name, got)
		}
	}
	listing, err := s.List(folder+"/deep", Query{Depth: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, want := []string{}, slices.Clone(odd)
	for _, e := range listing.Entries {
		got = append(got, e.Name)
		if (e.NameBase64 != "") != (e.Name == "raw\xff\xfebytes") {
			t.Errorf("%q: nameBase64 %q", e.Name, e.NameBase64)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestLinksLeadNowhereElse(t *testing.T) {
	s, folder := newStore(t)
	outside := t.TempDir()
	must(t, os.WriteFile(outside+"/secret", []byte("secret"), 0o644))
	must(t, os.Mkdir(folder+"/in", 0o755))
	for name, target := range map[string]string{
		"absolute": outside, "file": outside + "/secret", "up": "../../../../../../../../etc",
		"in/loopback": "../../" + filepath.Base(outside), "proc": "/proc/self/root", "chain": "absolute/secret",
	} {
		must(t, os.Symlink(target, folder+"/"+name))
	}
	for _, path := range []string{"absolute/secret", "file", "up/passwd", "in/loopback/secret", "proc/etc/passwd", "chain"} {
		if _, _, err := s.Read(folder + "/" + path); status(err) != http.StatusForbidden {
			t.Errorf("read %s: %v", path, err)
		}
		if _, err := s.Put(folder+"/"+path, Upload{Body: strings.NewReader("x"), Length: 1}); status(err) != http.StatusForbidden {
			t.Errorf("put %s: %v", path, err)
		}
	}
	for _, path := range []string{"absolute/secret", "up/passwd"} {
		if err := s.Remove(folder+"/"+path, true, Conditions{}); status(err) != http.StatusForbidden {
			t.Errorf("remove %s: %v", path, err)
		}
		if _, _, _, err := s.Apply(Change{Op: "move", Path: folder + "/in", To: folder + "/" + path + "x"}); status(err) != http.StatusForbidden {
			t.Errorf("move to %s: %v", path, err)
		}
	}
	if _, err := s.List(folder+"/absolute", Query{Depth: 1}); status(err) != http.StatusForbidden {
		t.Errorf("list: %v", err)
	}
	for _, path := range []string{"/etc/passwd", "/", folder + "/../x", "/proc/self/environ", folder + "x/y"} {
		if _, _, err := s.Read(path); status(err) != http.StatusForbidden {
			t.Errorf("read %s: %v", path, err)
		}
	}
	if content, err := os.ReadFile(outside + "/secret"); err != nil || string(content) != "secret" {
		t.Errorf("the file outside is %q, %v", content, err)
	}
}

func TestLinksWithinAreFollowed(t *testing.T) {
	s, folder := newStore(t)
	put(t, s, folder+"/releases/3/app", "three")
	must(t, os.Symlink(folder+"/releases/3", folder+"/current"))
	must(t, os.Symlink("releases/../current/app", folder+"/app"))
	if got := read(t, s, folder+"/current/app"); got != "three" {
		t.Errorf("through an absolute link: %q", got)
	}
	put(t, s, folder+"/app", "four")
	if got := read(t, s, folder+"/releases/3/app"); got != "four" {
		t.Errorf("written through links: %q", got)
	}
	if info, err := os.Lstat(folder + "/app"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
	must(t, os.Symlink("round", folder+"/round"))
	if _, _, err := s.Read(folder + "/round"); status(err) != http.StatusBadRequest {
		t.Errorf("a loop: %v", err)
	}
	if err := s.Remove(folder+"/current", true, Conditions{}); err != nil {
		t.Error(err)
	}
	if got := read(t, s, folder+"/releases/3/app"); got != "four" {
		t.Errorf("behind the removed link: %q", got)
	}
}

func TestAFailedUploadLeavesTheOldFile(t *testing.T) {
	s, folder := newStore(t)
	put(t, s, folder+"/file", "old")
	for name, body := range map[string]io.Reader{
		"broken off": io.MultiReader(strings.NewReader("new"), iotest.ErrReader(io.ErrUnexpectedEOF)),
		"full":       fullDisk{},
	} {
		if _, err := s.Put(folder+"/file", Upload{Body: body, Length: -1}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := read(t, s, folder+"/file"); got != "old" {
			t.Errorf("%s: the file is %q", name, got)
		}
		if found := names(t, folder); !slices.Equal(found, []string{"file"}) {
			t.Errorf("%s: left behind %q", name, found)
		}
	}
	s.MaxFile = 4
	if _, err := s.Put(folder+"/file", Upload{Body: strings.NewReader("12345"), Length: 5}); status(err) != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Read([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestNoSpaceIs507(t *testing.T) {
	for _, number := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		refusal := ProblemOf("/x", &fs.PathError{Op: "write", Path: "y", Err: number})
		if refusal.Status != http.StatusInsufficientStorage || refusal.Code != "no_space" {
			t.Errorf("%v: %+v", number, refusal)
		}
	}
}

func TestConditions(t *testing.T) {
	s, folder := newStore(t)
	path := folder + "/file"
	upload := func(content, match, none string) error {
		_, err := s.Put(path, Upload{Body: strings.NewReader(content), Length: -1, Conditions: Conditions{Match: match, NoneMatch: none}})
		return err
	}
	if err := upload("x", "*", ""); status(err) != http.StatusPreconditionFailed {
		t.Errorf("If-Match without a file: %v", err)
	}
	if err := upload("one", "", "*"); err != nil {
		t.Fatal(err)
	}
	if err := upload("two", "", "*"); status(err) != http.StatusPreconditionFailed {
		t.Errorf("If-None-Match on a file: %v", err)
	}
	tag := put(t, s, path, "three").ETag
	if err := upload("four", `"other", `+tag, ""); err != nil {
		t.Error(err)
	}
	if err := upload("five", tag, ""); status(err) != http.StatusPreconditionFailed {
		t.Errorf("an old tag: %v", err)
	}
	if err := s.Remove(path, false, Conditions{Match: tag}); status(err) != http.StatusPreconditionFailed {
		t.Errorf("remove by an old tag: %v", err)
	}
}

func TestOneOfManyWithTheSameConditionWins(t *testing.T) {
	s, folder := newStore(t)
	var won sync.Map
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			up := Upload{Body: strings.NewReader("x"), Length: 1, Conditions: Conditions{NoneMatch: "*"}}
			if _, err := s.Put(folder+"/file", up); err == nil {
				won.Store(i, true)
			}
		})
	}
	all.Wait()
	count := 0
	won.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d have made the file", count)
	}
}

func TestModesAreKept(t *testing.T) {
	s, folder := newStore(t)
	mode := func() fs.FileMode {
		info, err := os.Stat(folder + "/run")
		must(t, err)
		return info.Mode().Perm()
	}
	put(t, s, folder+"/run", "#!/bin/sh")
	if mode() != 0o644 {
		t.Errorf("new: %v", mode())
	}
	if _, _, _, err := s.Apply(Change{Op: "chmod", Path: folder + "/run", Mode: "0750"}); err != nil {
		t.Fatal(err)
	}
	put(t, s, folder+"/run", "#!/bin/sh\n")
	if mode() != 0o750 {
		t.Errorf("written again: %v", mode())
	}
	if _, _, _, err := s.Apply(Change{Op: "chmod", Path: folder + "/run", Mode: "4755"}); status(err) != http.StatusBadRequest {
		t.Errorf("setuid: %v", err)
	}
}

func TestOnlyFilesAreRead(t *testing.T) {
	s, folder := newStore(t)
	must(t, syscall.Mkfifo(folder+"/pipe", 0o644))
	for _, path := range []string{"pipe", "."} {
		if _, _, err := s.Read(folder + "/" + path); status(err) != http.StatusBadRequest {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, _, err := s.Read(folder + "/no/such"); status(err) != http.StatusNotFound {
		t.Errorf("missing: %v", err)
	}
	if _, err := s.Put(folder+"/pipe", Upload{Body: strings.NewReader("x"), Length: 1}); status(err) != http.StatusConflict {
		t.Errorf("put onto a pipe: %v", err)
	}
}

func TestListingInPages(t *testing.T) {
	s, folder := newStore(t)
	for _, path := range []string{"a", "b/c/d", "b/e", "b.txt", "f"} {
		put(t, s, folder+"/"+path, "x")
	}
	must(t, os.Symlink("b", folder+"/link"))
	want := []string{"a", "b", "b/c", "b/c/d", "b/e", "b.txt", "f", "link"}
	for limit := range len(want) + 1 {
		var got []string
		query := Query{Depth: 9, Limit: limit + 1}
		for pages := 0; pages <= len(want); pages++ {
			listing, err := s.List(folder, query)
			must(t, err)
			for _, e := range listing.Entries {
				got = append(got, e.Path)
			}
			if query.Continue = listing.Continue; query.Continue == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %q", limit+1, got)
		}
	}
	flat, err := s.List(folder, Query{Depth: 1})
	must(t, err)
	if last := flat.Entries[len(flat.Entries)-1]; last.Target != "b" || last.Type != "symlink" || last.IsDir || last.Mode != "lrwxrwxrwx" {
		t.Errorf("a link is %+v", last)
	}
}

func TestMoveAndCopy(t *testing.T) {
	s, folder := newStore(t)
	other := t.TempDir()
	s.Roots = NewRoots(folder, other)
	put(t, s, folder+"/from/sub/file", "content")
	must(t, os.Symlink("/etc/passwd", folder+"/from/link"))
	must(t, os.Chmod(folder+"/from/sub/file", 0o751))
	apply := func(op, from, to string, overwrite bool) error {
		_, _, _, err := s.Apply(Change{Op: op, Path: from, To: to, Overwrite: overwrite})
		return err
	}
	must(t, apply("copy", folder+"/from", folder+"/made/copy", false))
	must(t, apply("move", folder+"/made/copy", other+"/moved", false))
	if target, err := os.Readlink(other + "/moved/link"); err != nil || target != "/etc/passwd" {
		t.Errorf("the link is %q, %v", target, err)
	}
	if info, err := os.Stat(other + "/moved/sub/file"); err != nil || info.Mode().Perm() != 0o751 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if found := names(t, folder+"/made"); len(found) != 0 {
		t.Errorf("the moved folder is still there: %q", found)
	}
	put(t, s, folder+"/one", "1")
	put(t, s, folder+"/two", "2")
	for name, c := range map[string]struct {
		op, from, to string
		overwrite    bool
		want         int
	}{
		"taken":       {"move", "/one", "/two", false, http.StatusConflict},
		"replace":     {"copy", "/one", "/two", true, 0},
		"a folder":    {"move", "/one", "/from", true, http.StatusConflict},
		"into itself": {"copy", "/from", "/from/sub/again", false, http.StatusBadRequest},
		"the root":    {"move", "", "/x", false, http.StatusForbidden},
		"nothing":     {"copy", "/none", "/x", false, http.StatusNotFound},
	} {
		if err := apply(c.op, folder+c.from, folder+c.to, c.overwrite); status(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := read(t, s, folder+"/two"); got != "1" {
		t.Errorf("two holds %q", got)
	}
}

func TestRemove(t *testing.T) {
	s, folder := newStore(t)
	put(t, s, folder+"/d/f", "x")
	if err := s.Remove(folder+"/d", false, Conditions{}); status(err) != http.StatusConflict {
		t.Errorf("a full folder: %v", err)
	}
	if err := s.Remove(folder, true, Conditions{}); status(err) != http.StatusForbidden {
		t.Errorf("the root: %v", err)
	}
	must(t, s.Remove(folder+"/d", true, Conditions{}))
	if err := s.Remove(folder+"/d", true, Conditions{}); status(err) != http.StatusNotFound {
		t.Errorf("what is gone: %v", err)
	}
}

func TestAnUploadGoesOnWhereItBrokeOff(t *testing.T) {
	s, folder := newStore(t)
	put(t, s, folder+"/file", "old")
	patch := func(span Range, body io.Reader) (*Progress, error) {
		return s.Patch(folder+"/file", Piece{Range: span, ID: "u1", Upload: Upload{Body: body, Length: -1}})
	}
	if p, err := patch(Range{-1, -1, 10}, strings.NewReader("")); err != nil || p.Received != 0 {
		t.Errorf("nothing yet: %+v, %v", p, err)
	}
	if p, err := patch(Range{0, 5, 10}, io.MultiReader(strings.NewReader("012"), iotest.ErrReader(io.ErrUnexpectedEOF))); status(err) != http.StatusBadRequest || p.Received != 3 {
		t.Errorf("broken off: %+v, %v", p, err)
	}
	if p, err := patch(Range{-1, -1, 10}, strings.NewReader("")); err != nil || p.Received != 3 {
		t.Errorf("asked: %+v, %v", p, err)
	}
	if p, err := patch(Range{5, 9, 10}, strings.NewReader("56789")); status(err) != http.StatusConflict || p.Received != 3 {
		t.Errorf("a gap: %+v, %v", p, err)
	}
	if p, err := patch(Range{2, 6, 10}, strings.NewReader("23456")); err != nil || p.Received != 7 {
		t.Errorf("overlapping: %+v, %v", p, err)
	}
	if got := read(t, s, folder+"/file"); got != "old" {
		t.Errorf("before the end the file is %q", got)
	}
	p, err := patch(Range{7, 9, 10}, strings.NewReader("789"))
	if err != nil || p.Written == nil || p.Written.Bytes != 10 {
		t.Fatalf("the last: %+v, %v", p, err)
	}
	if got := read(t, s, folder+"/file"); got != "0123456789" {
		t.Errorf("the file is %q", got)
	}
	if found := names(t, folder); !slices.Equal(found, []string{"file"}) {
		t.Errorf("left behind %q", found)
	}
	if _, err := patch(Range{0, 2, 10}, strings.NewReader("too long")); status(err) != http.StatusBadRequest {
		t.Errorf("more than said: %v", err)
	}
	must(t, s.Discard(folder+"/file", "u1"))
	if found := names(t, folder); !slices.Equal(found, []string{"file"}) {
		t.Errorf("left behind %q", found)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzParseContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes */10", "bytes 9-0/10", "bytes 0-99999999999999999999/1", "bytes 1-2/*", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseContentRange(text)
		if err != nil {
			return
		}
		if asks := r.First == -1 && r.Last == -1; r.Total < 0 || !asks && (r.First < 0 || r.First > r.Last || r.Last >= r.Total) {
			t.Errorf("%q is %+v", text, r)
		}
	})
}

// FuzzOpen looks for a path through links that reaches a file outside.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{"a/../../x", "up/out", "self/self/up/secret", "abs/secret", "%2e%2e/x", "a//./b", "in/abs/../secret"} {
		f.Add(seed)
	}
	parent := f.TempDir()
	folder := parent + "/root"
	for _, make := range []error{
		os.WriteFile(parent+"/secret", []byte("secret"), 0o644), os.MkdirAll(folder+"/in/deep", 0o755),
		os.WriteFile(folder+"/file", []byte("content"), 0o644),
		os.Symlink("..", folder+"/up"), os.Symlink(".", folder+"/self"), os.Symlink(parent, folder+"/abs"),
		os.Symlink("../..", folder+"/in/up"), os.Symlink(folder+"/in", folder+"/in/deep/back"), os.Symlink("/proc/self/cwd", folder+"/magic"),
	} {
		if make != nil {
			f.Fatal(make)
		}
	}
	s := &Store{Roots: NewRoots(folder)}
	f.Fuzz(func(t *testing.T, path string) {
		file, _, err := s.Read(folder + "/" + path)
		if err != nil {
			if status(err) == http.StatusInternalServerError {
				t.Errorf("%q: %v", path, err)
			}
			return
		}
		defer file.Close()
		if content, _ := io.ReadAll(file); !bytes.Equal(content, []byte("content")) {
			t.Errorf("%q reaches %q", path, content)
		}
	})
}
