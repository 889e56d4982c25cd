package kernelvm

import (
	"archive/tar"
	"errors"
	"fmt"
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

// sendOut sends the folders, files and links in guestOut as a tar stream. Devices, pipes
// and sockets mean nothing outside, and go.
func (g *guest) sendOut() error {
	err := filepath.WalkDir(guestOut, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 {
			err = os.Remove(path)
		}
		return err
	})
	tw := tar.NewWriter(frameWriter{g, frameOut})
	if err == nil {
		err = tw.AddFS(os.DirFS(guestOut))
	}
	if err = errors.Join(err, tw.Close()); err != nil {
		return fmt.Errorf("send %s: %w", guestOut, err)
	}
	return nil
}
