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

// extractTo starts to unpack into dir, which is made when it is not there.
func extractTo(dir string) *extraction {
	r, w := io.Pipe()
	e := &extraction{w, make(chan error, 1)}
	go func() {
		err := untar(dir, r)
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

// untar unpacks folders, files and links. Nothing outside dir can be reached,
// whatever the names and links say.
func untar(dir string, r io.Reader) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for tr := tar.NewReader(r); ; {
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read tar stream: %w", err)
		}
		if err := untarEntry(root, hdr, tr); err != nil {
			return err
		}
	}
}

func untarEntry(root *os.Root, hdr *tar.Header, r io.Reader) error {
	name := filepath.Clean(hdr.Name)
	if name == "." {
		return nil
	}
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	switch hdr.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		if err := root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return root.Symlink(hdr.Linkname, name)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, os.FileMode(hdr.Mode&0o777)|0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	default:
		return nil // devices, pipes and sockets mean nothing outside
	}
}
