package kernelvm

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// extraction unpacks a tar stream that is written to it into a folder.
type extraction struct {
	*io.PipeWriter
	done chan error
}

// extractTo starts to unpack into dir, which is made when it is not there, files of up to
// most bytes together.
func extractTo(dir string, most int64) *extraction {
	r, w := io.Pipe()
	e := &extraction{w, make(chan error, 1)}
	go func() {
		err := untar(dir, r, most)
		_, _ = io.Copy(io.Discard, r)
		e.done <- err
	}()
	return e
}

// Close waits for the last file and returns the first error.
func (e *extraction) Close() error {
	_ = e.PipeWriter.Close()
	if err := <-e.done; err != nil {
		return unfitf("", "save the guest's %s: %w", guestOut, err)
	}
	return nil
}

// maxEntries bounds the files of an archive.
const maxEntries = 1 << 20

// untar unpacks folders, files and links. Nothing outside dir can be reached,
// whatever the names and links say, and a few bytes that stand for a huge sparse file
// do not fill the disk.
func untar(dir string, r io.Reader, most int64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	tr := tar.NewReader(r)
	for range maxEntries {
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read tar stream: %w", err)
		}
		n, err := untarEntry(root, hdr, io.LimitReader(tr, most+1))
		if err != nil {
			return err
		}
		if most -= n; most < 0 {
			return errors.New("its files are larger than the guest's memory can hold")
		}
	}
	return fmt.Errorf("more than %d files", maxEntries)
}

// untarEntry unpacks one entry and returns how many bytes its file has.
func untarEntry(root *os.Root, hdr *tar.Header, r io.Reader) (int64, error) {
	name := filepath.Clean(hdr.Name)
	if name == "." {
		return 0, nil
	}
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return 0, err
		}
	}
	switch hdr.Typeflag {
	case tar.TypeDir:
		return 0, root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		if err := root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		return 0, root.Symlink(hdr.Linkname, name)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, os.FileMode(hdr.Mode&0o777)|0o600)
		if err != nil {
			return 0, err
		}
		n, err := io.Copy(f, r)
		return n, errors.Join(err, f.Close())
	default:
		return 0, nil // devices, pipes and sockets mean nothing outside
	}
}
