// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/agenttier/agenttier/images/runtime/internal/files"
)

const bufferSize = 256 << 10

// Unpacked counts what was written.
type Unpacked struct {
	Path  string `json:"path"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
	// Skipped are devices, pipes and the like.
	Skipped int `json:"skipped"`
}

// Unpack writes the members of an archive into the folder. Each file appears
// as a whole; after an error those that came before it stay. Members that
// would lie elsewhere, and links that lead elsewhere, are refused.
func Unpack(body io.Reader, dest *os.Root, format Format) (Unpacked, error) {
	return unpackWithin(body, dest, format, MaxBytes)
}

func unpackWithin(body io.Reader, dest *os.Root, format Format, limit int64) (Unpacked, error) {
	source := &faulty{from: body}
	begin := bufio.NewReaderSize(source, bufferSize)
	if format == "" {
		format = sniff(begin)
	}
	u := &unpacking{dest: dest, limit: limit, buffer: make([]byte, bufferSize), modes: map[string]fs.FileMode{}}
	err := u.unpack(begin, format)
	if err == nil {
		err = u.setModes()
	}
	if source.err != nil {
		err = files.Invalid("the upload broke off: %v", source.err)
	}
	return u.done, err
}

// faulty remembers that it was the sender who failed.
type faulty struct {
	from io.Reader
	err  error
}

func (f *faulty) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

func sniff(r *bufio.Reader) Format {
	head, _ := r.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte("PK")):
		return Zip
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return TarGz
	}
	return Tar
}

type unpacking struct {
	dest   *os.Root
	limit  int64
	buffer []byte
	done   Unpacked
	made   string
	// modes of folders are set when all is in them.
	modes map[string]fs.FileMode
}

func (u *unpacking) unpack(r *bufio.Reader, format Format) error {
	switch format {
	case TarGz:
		plain, err := gzip.NewReader(r)
		if err != nil {
			return broken(err)
		}
		return u.tar(plain)
	case Zip:
		return u.zip(r)
	default:
		return u.tar(r)
	}
}

func (u *unpacking) tar(r io.Reader) error {
	in := tar.NewReader(r)
	for count := 0; ; count++ {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			// A tar ends with zeros; what is behind them belongs to it.
			_, err = io.Copy(io.Discard, r)
			return asBroken(err)
		} else if err != nil {
			return broken(err)
		}
		if count == maxEntries {
			return tooMany()
		}
		if err := u.tarMember(header, in); err != nil {
			return err
		}
	}
}

func (u *unpacking) tarMember(header *tar.Header, content io.Reader) error {
	mode := fs.FileMode(header.Mode) & files.ModeMask
	switch header.Typeflag {
	case tar.TypeDir:
		return u.folder(header.Name, mode)
	case tar.TypeSymlink:
		return u.link(header.Name, header.Linkname)
	case tar.TypeLink:
		return u.hardLink(header.Name, header.Linkname)
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.file(header.Name, mode, content)
	case tar.TypeXGlobalHeader:
		return nil
	}
	u.done.Skipped++
	return nil
}

// zip needs the whole archive first: its directory is at the end, and may
// contradict what comes before it.
func (u *unpacking) zip(r io.Reader) error {
	name := files.TempName("archive")
	spool, err := u.dest.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer spool.Close()
	// Whatever happens, nothing is left of it.
	if err := u.dest.Remove(name); err != nil {
		return err
	}
	size, err := io.CopyBuffer(struct{ io.Writer }{spool}, r, u.buffer)
	if err != nil {
		return err
	}
	in, err := zip.NewReader(spool, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return broken(err)
	}
	if err := checkZip(in, u.limit); err != nil {
		return err
	}
	for _, f := range in.File {
		if err := u.zipMember(f); err != nil {
			return err
		}
	}
	return nil
}

// checkZip refuses a zip as a whole, before anything is written.
func checkZip(in *zip.Reader, limit int64) error {
	if len(in.File) > maxEntries {
		return tooMany()
	}
	var total uint64
	for _, f := range in.File {
		if _, err := safeName(f.Name); err != nil {
			return err
		}
		if total += f.UncompressedSize64; total > uint64(limit) {
			return tooLarge()
		}
	}
	return nil
}

func (u *unpacking) zipMember(f *zip.File) error {
	mode := f.Mode()
	if mode.IsDir() {
		return u.folder(f.Name, mode.Perm())
	}
	if !mode.IsRegular() && mode&fs.ModeSymlink == 0 {
		u.done.Skipped++
		return nil
	}
	content, err := f.Open()
	if err != nil {
		return broken(err)
	}
	defer content.Close()
	if mode&fs.ModeSymlink == 0 {
		return u.file(f.Name, mode.Perm(), content)
	}
	target, err := io.ReadAll(io.LimitReader(content, unix.PathMax))
	if err != nil {
		return broken(err)
	}
	return u.link(f.Name, string(target))
}

// safeName is a member's path below the folder.
func safeName(name string) (string, error) {
	escapes := path.IsAbs(name)
	for part := range strings.SplitSeq(name, "/") {
		escapes = escapes || part == ".."
	}
	if escapes {
		return "", escape(name)
	}
	if strings.IndexByte(name, 0) >= 0 || name == "" {
		return "", files.Invalid("the archive has a member without a proper name")
	}
	return path.Clean(name), nil
}

// safeTarget refuses links that would lead out of the folder.
func safeTarget(rel, target string) error {
	landing := path.Join(path.Dir(rel), target)
	if path.IsAbs(target) || landing == ".." || strings.HasPrefix(landing, "../") {
		return escape(rel)
	}
	return nil
}

func (u *unpacking) folder(name string, mode fs.FileMode) error {
	rel, err := safeName(name)
	if err != nil {
		return err
	}
	if rel == "." {
		return nil
	}
	if err := u.dest.MkdirAll(rel, 0o755); err != nil {
		return named(rel, err)
	}
	if mode != 0 {
		u.modes[rel] = mode
	}
	return nil
}

func (u *unpacking) parents(rel string) error {
	dir := path.Dir(rel)
	if dir == u.made {
		return nil
	}
	if err := u.dest.MkdirAll(dir, 0o755); err != nil {
		return named(dir, err)
	}
	u.made = dir
	return nil
}

// place makes something under another name and renames it to its own.
func (u *unpacking) place(name string, make func(rel, temp string) error) error {
	rel, err := safeName(name)
	if err == nil {
		err = u.parents(rel)
	}
	if err != nil {
		return err
	}
	temp := path.Join(path.Dir(rel), files.TempName(path.Base(rel)))
	if err = make(rel, temp); err == nil {
		err = u.dest.Rename(temp, rel)
	}
	if err != nil {
		_ = u.dest.Remove(temp)
		return named(rel, err)
	}
	u.done.Files++
	return nil
}

func (u *unpacking) link(name, target string) error {
	return u.place(name, func(rel, temp string) error {
		if err := safeTarget(rel, target); err != nil {
			return err
		}
		return u.dest.Symlink(target, temp)
	})
}

func (u *unpacking) hardLink(name, target string) error {
	old, err := safeName(target)
	if err != nil {
		return err
	}
	return u.place(name, func(_, temp string) error { return u.dest.Link(old, temp) })
}

func (u *unpacking) file(name string, mode fs.FileMode, content io.Reader) error {
	if mode == 0 {
		mode = 0o644
	}
	return u.place(name, func(_, temp string) error {
		file, err := u.dest.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		if err = u.fill(file, content); err == nil {
			err = file.Chmod(mode)
		}
		return errors.Join(err, file.Close())
	})
}

func (u *unpacking) fill(file *os.File, content io.Reader) error {
	source := &faulty{from: content}
	room := u.limit - u.done.Bytes
	n, err := io.CopyBuffer(struct{ io.Writer }{file}, io.LimitReader(source, room+1), u.buffer)
	u.done.Bytes += n
	switch {
	case source.err != nil:
		return broken(source.err)
	case n > room:
		return tooLarge()
	}
	return err
}

func (u *unpacking) setModes() error {
	for rel, mode := range u.modes {
		if err := u.dest.Chmod(rel, mode); err != nil {
			return named(rel, err)
		}
	}
	return nil
}

// named is an error about a member, by the name that the archive gives it.
func named(rel string, err error) error { return files.ProblemOf(rel, err) }

func broken(err error) error {
	return files.Invalid("the body is no complete archive: %v", err)
}

func asBroken(err error) error {
	if err == nil {
		return nil
	}
	return broken(err)
}

func escape(name string) error {
	return &files.Problem{
		Status: http.StatusForbidden, Code: "path_escape",
		Text: "the archive has a member that leads out of the folder: " + strings.ToValidUTF8(name, "\uFFFD"),
	}
}

func tooMany() error {
	return &files.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Text: "the archive has more than 1,000,000 members"}
}

func tooLarge() error {
	return &files.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Text: "the archive holds more than 20 GiB"}
}
