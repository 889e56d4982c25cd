package tracefile

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
)

// errTorn says that a file ends inside a chunk.
var errTorn = fmt.Errorf("%w: it ends inside a chunk", ErrFormat)

// chunkReader reads chunk by chunk.
type chunkReader struct {
	in     io.Reader
	zip    *zstd.Decoder
	at     int64 // bytes read of whole chunks
	frame  [frameSize + maxHead]byte
	packed []byte
	raw    []byte
}

func newChunkReader(in io.Reader) (*chunkReader, error) {
	zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRaw))
	if err != nil {
		return nil, fmt.Errorf("make decompressor: %w", err)
	}
	return &chunkReader{in: in, zip: zip}, nil
}

// head reads the next header, and says how long it is. io.EOF says that the file ends
// between two chunks.
func (c *chunkReader) head(h *head) (int, error) {
	if err := c.full(c.frame[:frameSize]); err != nil {
		return 0, err
	}
	n, err := parseFrame(c.frame[:])
	if err != nil {
		return 0, err
	}
	b := c.frame[frameSize:][:n]
	if err := c.full(b); err != nil {
		return 0, notEOF(err)
	}
	return frameSize + n, h.parse(b)
}

// full fills b.
func (c *chunkReader) full(b []byte) error {
	_, err := io.ReadFull(c.in, b)
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTorn
	}
	return fmt.Errorf("read trace: %w", err)
}

func notEOF(err error) error {
	if err == io.EOF {
		return errTorn
	}
	return err
}

// next reads the next chunk. whole says that all its bytes were there, so that reading
// can go on behind it whatever is wrong with them.
func (c *chunkReader) next(h *head) (whole bool, err error) {
	n, err := c.head(h)
	if err != nil {
		return false, err
	}
	if err := c.take(int(h.Packed)); err != nil {
		return false, err
	}
	c.at += int64(n) + int64(h.Packed)
	return true, c.unpack(h)
}

// take reads n bytes into packed, without believing that there are so many.
func (c *chunkReader) take(n int) error {
	const step = 1 << 20
	c.packed = c.packed[:0]
	for len(c.packed) < n {
		more := min(step, n-len(c.packed))
		at := len(c.packed)
		if cap(c.packed) < at+more {
			c.packed = append(make([]byte, 0, at+max(more, at)), c.packed...)
		}
		c.packed = c.packed[:at+more]
		if err := c.full(c.packed[at:]); err != nil {
			return notEOF(err)
		}
	}
	return nil
}

// unpack fills raw.
func (c *chunkReader) unpack(h *head) error {
	if crc32.Checksum(c.packed, castagnoli) != h.Sum {
		return fmt.Errorf("%w: chunk %d is damaged", ErrFormat, h.Seq)
	}
	var err error // a frame of more than maxRaw bytes is refused
	if c.raw, err = c.zip.DecodeAll(c.packed, c.raw[:0]); err != nil {
		return fmt.Errorf("%w: unpack chunk %d: %w", ErrFormat, h.Seq, err)
	}
	if len(c.raw) != int(h.Raw) {
		return fmt.Errorf("%w: chunk %d has %d bytes, not %d", ErrFormat, h.Seq, len(c.raw), h.Raw)
	}
	return nil
}
