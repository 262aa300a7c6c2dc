// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/files"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, folder string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(folder)
	must(t, err)
	t.Cleanup(func() { _ = root.Close() })
	return root
}

// tree describes all that is in a folder, with what an archive keeps of it.
func tree(t testing.TB, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		must(t, err)
		if path == folder {
			return nil
		}
		info, err := entry.Info()
		must(t, err)
		rel, _ := filepath.Rel(folder, path)
		switch mode := info.Mode(); {
		case mode.IsDir():
			found[rel] = fmt.Sprintf("dir %o", mode.Perm())
		case mode&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			must(t, err)
			found[rel] = "link " + target
		case mode.IsRegular():
			content, err := os.ReadFile(path)
			must(t, err)
			found[rel] = fmt.Sprintf("file %o %d %q", mode.Perm(), info.ModTime().Unix()/2, content[:min(len(content), 64)])
		}
		return nil
	}))
	return found
}

func fill(t testing.TB, folder string) {
	t.Helper()
	must(t, os.MkdirAll(folder+"/deep/er", 0o755))
	must(t, os.Mkdir(folder+"/empty", 0o700))
	for name, content := range map[string]string{
		"a b": "spaces", "it's": "quote", `"`: "", "-rf": "dash", "100%": "percent", "two\nlines": "newline",
		"😀": "emoji", "raw\xff": "bytes", "deep/er/big": strings.Repeat("0123456789", 200_000),
	} {
		must(t, os.WriteFile(folder+"/"+name, []byte(content), 0o644))
	}
	must(t, os.Chmod(folder+"/-rf", 0o751))
	must(t, os.Symlink("deep/er/big", folder+"/link"))
	must(t, os.Symlink("../nowhere", folder+"/deep/dangling"))
}

// plain has no times: what was unpacked is new.
func plain(found map[string]string) map[string]string {
	for name, what := range found {
		if mode, rest, ok := strings.Cut(what, " "); ok && mode == "file" {
			perm, rest, _ := strings.Cut(rest, " ")
			_, content, _ := strings.Cut(rest, " ")
			found[name] = "file " + perm + " " + content
		}
	}
	return found
}

func TestAllFormatsThereAndBack(t *testing.T) {
	folder := t.TempDir()
	fill(t, folder)
	want := plain(tree(t, folder))
	for _, format := range []Format{Zip, Tar, TarGz} {
		for _, said := range []Format{format, ""} {
			var packed bytes.Buffer
			source := Source{Root: open(t, folder), Path: folder}
			must(t, source.Check())
			must(t, Pack(&packed, source, format))
			dest := t.TempDir()
			done, err := Unpack(&packed, open(t, dest), said)
			must(t, err)
			if got := plain(tree(t, dest)); !maps.Equal(got, want) {
				t.Errorf("%s: %q, want %q", format, got, want)
			}
			if done.Files != 11 || done.Bytes != 2_000_000+6+5+4+7+7+5+5 {
				t.Errorf("%s: %+v", format, done)
			}
		}
	}
}

func TestZipKeepsTimesAndLinkBits(t *testing.T) {
	folder := t.TempDir()
	must(t, os.WriteFile(folder+"/old", []byte("x"), 0o600))
	must(t, os.Chtimes(folder+"/old", time.Unix(1e9, 0), time.Unix(1e9, 0)))
	must(t, os.Symlink("old", folder+"/link"))
	var packed bytes.Buffer
	must(t, Pack(&packed, Source{Root: open(t, folder)}, Zip))
	in, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	must(t, err)
	if f := in.File[0]; f.Name != "link" || f.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v %v", f.Name, f.Mode())
	}
	if f := in.File[1]; !f.Modified.Equal(time.Unix(1e9, 0)) || f.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v %v", f.Modified, f.Mode())
	}
}

func TestPipesAreLeftOut(t *testing.T) {
	folder := t.TempDir()
	must(t, syscall.Mkfifo(folder+"/pipe", 0o644))
	var packed bytes.Buffer
	must(t, Pack(&packed, Source{Root: open(t, folder)}, Tar))
	if _, err := tar.NewReader(&packed).Next(); !errors.Is(err, io.EOF) {
		t.Errorf("there is something in it: %v", err)
	}
}

// truncating cuts a file while it is being packed.
type truncating struct {
	path string
	done bool
}

func (w *truncating) Write(p []byte) (int, error) {
	if !w.done && len(p) > 1000 {
		w.done = true
		if err := os.Truncate(w.path, 0); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func TestAFileThatShrinksIsAnError(t *testing.T) {
	folder := t.TempDir()
	must(t, os.WriteFile(folder+"/big", make([]byte, 8*bufferSize), 0o644))
	if err := Pack(&truncating{path: folder + "/big"}, Source{Root: open(t, folder)}, Tar); err == nil {
		t.Error("no error, although less came than was told")
	}
}

type entry struct {
	name, link, content string
	kind                byte
}

func tarOf(t testing.TB, entries ...entry) io.Reader {
	t.Helper()
	var packed bytes.Buffer
	out := tar.NewWriter(&packed)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: 0o4755, Size: int64(len(e.content))}
		must(t, out.WriteHeader(header))
		_, err := io.WriteString(out, e.content)
		must(t, err)
	}
	must(t, out.Close())
	return &packed
}

func zipOf(t testing.TB, names ...string) io.Reader {
	t.Helper()
	var packed bytes.Buffer
	out := zip.NewWriter(&packed)
	for _, name := range names {
		into, err := out.CreateHeader(&zip.FileHeader{Name: name})
		must(t, err)
		_, err = io.WriteString(into, "x")
		must(t, err)
	}
	must(t, out.Close())
	return &packed
}

func TestNothingIsUnpackedElsewhere(t *testing.T) {
	file := func(name string) entry { return entry{name: name, content: "evil", kind: tar.TypeReg} }
	link := func(name, to string) entry { return entry{name: name, link: to, kind: tar.TypeSymlink} }
	for name, packed := range map[string]io.Reader{
		"up":              tarOf(t, file("../evil")),
		"up in the mid":   tarOf(t, file("a/../../evil")),
		"absolute":        tarOf(t, file("/tmp/evil")),
		"absolute link":   tarOf(t, link("a", "/tmp"), file("a/evil")),
		"link up":         tarOf(t, link("a", ".."), file("a/evil")),
		"deep link up":    tarOf(t, link("b/a", "../.."), file("b/a/evil")),
		"hard link":       tarOf(t, entry{name: "a", link: "../outside", kind: tar.TypeLink}),
		"zip up":          zipOf(t, "fine", "../evil"),
		"zip absolute":    zipOf(t, "/evil"),
		"zip up in a mid": zipOf(t, "a/b/../../../evil"),
	} {
		parent := t.TempDir()
		must(t, os.WriteFile(parent+"/outside", []byte("old"), 0o644))
		must(t, os.Mkdir(parent+"/dest", 0o755))
		_, err := Unpack(packed, open(t, parent+"/dest"), "")
		var refusal *files.Problem
		if !errors.As(err, &refusal) || refusal.Status != http.StatusForbidden || refusal.Code != "path_escape" {
			t.Errorf("%s: %v", name, err)
		}
		if got := slices.Sorted(maps.Keys(tree(t, parent))); slices.Contains(got, "evil") || got[len(got)-1] != "outside" {
			t.Errorf("%s: there is %q", name, got)
		}
		if strings.HasPrefix(name, "zip") && len(tree(t, parent+"/dest")) != 0 {
			t.Errorf("%s: something was unpacked before the refusal", name)
		}
	}
}

func TestLinksThatWereThereBeforeLeadNowhereElse(t *testing.T) {
	parent := t.TempDir()
	must(t, os.Mkdir(parent+"/dest", 0o755))
	must(t, os.Symlink(parent, parent+"/dest/trap"))
	if _, err := Unpack(tarOf(t, entry{name: "trap/evil", content: "x", kind: tar.TypeReg}), open(t, parent+"/dest"), Tar); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(parent + "/evil"); err == nil {
		t.Error("it was written outside")
	}
	// A file of the same name takes the link's place.
	_, err := Unpack(tarOf(t, entry{name: "trap", content: "x", kind: tar.TypeReg}), open(t, parent+"/dest"), Tar)
	must(t, err)
	if info, err := os.Lstat(parent + "/dest/trap"); err != nil || !info.Mode().IsRegular() || info.Mode()&fs.ModeSetuid != 0 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
}

func TestTornArchivesAreRefused(t *testing.T) {
	folder := t.TempDir()
	fill(t, folder)
	for _, format := range []Format{Zip, Tar, TarGz} {
		var packed bytes.Buffer
		must(t, Pack(&packed, Source{Root: open(t, folder)}, format))
		for _, keep := range []int{0, 3, 600, packed.Len() / 2, packed.Len() - 1030} {
			_, err := Unpack(bytes.NewReader(packed.Bytes()[:keep]), open(t, t.TempDir()), format)
			var refusal *files.Problem
			// A tar without its last zeros has all of its members.
			if format == Tar && (keep == 0 || keep > 600) && err == nil {
				continue
			}
			if !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest {
				t.Errorf("%s of %d bytes: %v", format, keep, err)
			}
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("PK\x03\x04"))
	for _, name := range []string{"a", "a/../../evil", "/abs", "deep/er/x"} {
		zipped, _ := io.ReadAll(zipOf(f, name))
		f.Add(zipped)
		tarred, _ := io.ReadAll(tarOf(f, entry{name: "l", link: "..", kind: tar.TypeSymlink}, entry{name: name, content: "x", kind: tar.TypeReg}))
		f.Add(tarred)
		var squeezed bytes.Buffer
		out := gzip.NewWriter(&squeezed)
		_, _ = out.Write(tarred)
		_ = out.Close()
		f.Add(squeezed.Bytes())
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		parent := t.TempDir()
		must(t, os.Mkdir(parent+"/dest", 0o755))
		must(t, os.WriteFile(parent+"/outside", []byte("old"), 0o644))
		_, err := unpackWithin(bytes.NewReader(packed), open(t, parent+"/dest"), "", 1<<20)
		if refusal := (*files.Problem)(nil); err != nil && !errors.As(err, &refusal) {
			refusal = files.ProblemOf("x", err)
			if refusal.Status == http.StatusInternalServerError {
				t.Errorf("a fault: %v", err)
			}
		}
		entries, _ := os.ReadDir(parent)
		content, _ := os.ReadFile(parent + "/outside")
		if len(entries) != 2 || string(content) != "old" {
			t.Errorf("the folder around it has changed: %v %q", entries, content)
		}
	})
}
