// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Pack writes the folder as an archive. What was written before an error is
// no whole archive, and whoever reads it must be told by other means.
func Pack(w io.Writer, source Source, format Format) error {
	switch format {
	case Tar:
		return packTar(w, source)
	case TarGz:
		// Sandboxes have little CPU, and nobody keeps a download for long.
		squeezed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if err := packTar(squeezed, source); err != nil {
			return err
		}
		return squeezed.Close()
	}
	return packZip(w, source)
}

func packTar(w io.Writer, source Source) error {
	out := tar.NewWriter(w)
	buffer := make([]byte, bufferSize)
	err := source.walk(func(m member) error {
		header, content, err := tarHeader(m)
		if errors.Is(err, syscall.ENOENT) {
			return nil
		} else if err != nil {
			return err
		}
		if content != nil {
			defer content.Close()
		}
		if err := out.WriteHeader(header); err != nil || content == nil {
			return err
		}
		// The size has been told: a file that grows meanwhile is cut there, and
		// one that shrinks is an error when the next header comes.
		_, err = io.CopyBuffer(struct{ io.Writer }{out}, io.LimitReader(content, header.Size), buffer)
		return err
	})
	return errors.Join(err, out.Close())
}

func tarHeader(m member) (*tar.Header, *os.File, error) {
	mode := m.info.Mode()
	header := &tar.Header{Name: m.rel, Mode: int64(mode.Perm()), ModTime: m.info.ModTime()}
	if stat, ok := m.info.Sys().(*syscall.Stat_t); ok {
		header.Uid, header.Gid = int(stat.Uid), int(stat.Gid)
	}
	switch {
	case mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, m.rel+"/"
	case mode&fs.ModeSymlink != 0:
		target, err := m.in.Readlink(m.name)
		header.Typeflag, header.Linkname = tar.TypeSymlink, target
		return header, nil, err
	default:
		content, info, err := openRegular(m)
		if err != nil {
			return nil, nil, err
		}
		header.Typeflag, header.Size = tar.TypeReg, info.Size()
		return header, content, nil
	}
	return header, nil, nil
}

// openRegular opens the member, which may have been replaced by something
// that blocks or has no end.
func openRegular(m member) (*os.File, fs.FileInfo, error) {
	file, err := m.in.OpenFile(m.name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = syscall.ENOENT
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// packZip uses zip64 and data descriptors where they are needed: sizes are
// known only afterwards.
func packZip(w io.Writer, source Source) error {
	out := zip.NewWriter(w)
	squeeze := &squeezer{}
	out.RegisterCompressor(zip.Deflate, squeeze.reset)
	buffer := make([]byte, bufferSize)
	err := source.walk(func(m member) error {
		err := zipMember(out, m, buffer)
		if errors.Is(err, syscall.ENOENT) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return out.Close()
}

func zipMember(out *zip.Writer, m member, buffer []byte) error {
	header := &zip.FileHeader{Name: m.rel, Modified: m.info.ModTime()}
	mode := m.info.Mode()
	header.SetMode(mode)
	switch {
	case mode.IsDir():
		header.Name += "/"
		_, err := out.CreateHeader(header)
		return err
	case mode&fs.ModeSymlink != 0:
		target, err := m.in.Readlink(m.name)
		if err != nil {
			return err
		}
		into, err := out.CreateHeader(header)
		if err == nil {
			_, err = io.WriteString(into, target)
		}
		return err
	}
	content, info, err := openRegular(m)
	if err != nil {
		return err
	}
	defer content.Close()
	if header.Method = zip.Deflate; info.Size() == 0 {
		header.Method = zip.Store
	}
	into, err := out.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{into}, struct{ io.Reader }{content}, buffer)
	return err
}

// squeezer is one compressor for all members, which come one after another:
// each has tables of several hundred kilobytes.
type squeezer struct{ flate *flate.Writer }

func (s *squeezer) reset(w io.Writer) (io.WriteCloser, error) {
	if s.flate == nil {
		var err error
		s.flate, err = flate.NewWriter(w, flate.BestSpeed)
		return s.flate, err
	}
	s.flate.Reset(w)
	return s.flate, nil
}
