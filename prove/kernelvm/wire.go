package kernelvm

import (
	"encoding/binary"
	"fmt"
	"io"
)

// frameKind is the first byte of a frame.
type frameKind byte

// Frames from the guest to the host, which trusts none of them.
const (
	frameHello  frameKind = 'h' // nothing: the guest is up
	frameStdout frameKind = 'o' // raw bytes
	frameStderr frameKind = 'e' // raw bytes
	frameOut    frameKind = 't' // a piece of the tar stream of /out
	frameFail   frameKind = 'f' // a failMsg as JSON: the guest could not be set up
	frameExit   frameKind = 'x' // one byte, the exit status, 128 + signal where one ended it: the last frame
)

// Frames from the host to the guest.
const (
	frameSize   frameKind = 'w' // a unix.Winsize as JSON: the terminal's size
	frameSignal frameKind = 's' // one byte: a signal for the command
	frameBroken frameKind = 'b' // one byte, 1 or 2: that output has no reader
	frameStop   frameKind = 'q' // end the command now and finish
)

// maxFrame bounds a frame's payload in bytes.
const maxFrame = 64 << 10

// failMsg is a set-up error of the guest, worded for the user.
type failMsg struct {
	Msg, Hint string
}

// frame words one frame.
func frame(kind frameKind, payload []byte) []byte {
	buf := make([]byte, 5+len(payload))
	buf[0] = byte(kind)
	binary.LittleEndian.PutUint32(buf[1:], uint32(len(payload)))
	copy(buf[5:], payload)
	return buf
}

// writeFrame sends one frame of at most maxFrame bytes.
func writeFrame(w io.Writer, kind frameKind, payload []byte) error {
	if len(payload) > maxFrame {
		return fmt.Errorf("write frame %q: %d bytes are too many", kind, len(payload))
	}
	_, err := w.Write(frame(kind, payload))
	return err
}

// frameReader reads frames. The payload of one is valid until the next.
type frameReader struct {
	r   io.Reader
	buf [maxFrame]byte
}

// next reads one frame. It returns io.EOF only between frames.
func (f *frameReader) next() (frameKind, []byte, error) {
	var hdr [5]byte
	if _, err := io.ReadFull(f.r, hdr[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(hdr[1:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("read frame %q: %d bytes are too many", hdr[0], n)
	}
	if _, err := io.ReadFull(f.r, f.buf[:n]); err != nil {
		return 0, nil, fmt.Errorf("read frame %q: %w", hdr[0], err)
	}
	return frameKind(hdr[0]), f.buf[:n], nil
}
