package kernelvm

import (
	"archive/tar"
	"fmt"
	"os"
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

// sendOut sends the content of guestOut as a tar stream.
func (g *guest) sendOut() error {
	tw := tar.NewWriter(frameWriter{g, frameOut})
	if err := tw.AddFS(os.DirFS(guestOut)); err != nil {
		return fmt.Errorf("send %s: %w", guestOut, err)
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("send %s: %w", guestOut, err)
	}
	return nil
}
