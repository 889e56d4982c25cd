package kernelvm

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// frameWriter sends what is written to it as frames of one kind.
type frameWriter struct {
	g    *guest
	kind frameKind
}

// Write sends p in pieces.
func (w frameWriter) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		n := min(maxFrame, len(p)-done)
		if err := w.g.send(w.kind, p[done:done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), nil
}

// sendOut sends the folders, files and links in guestOut as a tar stream. The writer's own
// AddFS would refuse names that are no UTF-8, and sockets.
func (g *guest) sendOut() error {
	tw := tar.NewWriter(frameWriter{g, frameOut})
	err := filepath.WalkDir(guestOut, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == guestOut {
			return err
		}
		return addToTar(tw, path, d)
	})
	if err = errors.Join(err, tw.Close()); err != nil {
		return fmt.Errorf("send %s: %w", guestOut, err)
	}
	return nil
}

// addToTar adds one entry. Devices, pipes and sockets mean nothing outside.
func addToTar(tw *tar.Writer, path string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	target := ""
	switch info.Mode().Type() {
	case fs.ModeSymlink:
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	case fs.ModeDir, 0:
	default:
		return nil
	}
	hdr, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	if hdr.Name, err = filepath.Rel(guestOut, path); err != nil {
		return err
	}
	if err := tw.WriteHeader(hdr); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(tw, f, info.Size())
	return err
}
