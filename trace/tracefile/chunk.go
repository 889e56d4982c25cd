package tracefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/record"
)

// The frame in front of each chunk is one that programs for zstd skip.
const (
	skippable  = 0x184D2A5D
	frameSize  = 8  // magic and length of the skippable frame
	fixedSize  = 72 // of the header in it, before the counters
	maxLosses  = 64 // counters in a header
	maxHead    = fixedSize + maxLosses*8 + 4
	minHead    = fixedSize + 4
	chunkMagic = 0x63643465 // "e4dc"
	version    = 1
)

// Limits of what is read. What is written stays well below.
const (
	maxRaw     = 16 << 20 // bytes of a chunk, unpacked
	maxPacked  = 16 << 20
	maxRecords = 1 << 16 // in a chunk
	maxShapes  = 16384
	maxNames   = 64 << 20 // bytes of all file names of a trace
	maxMounts  = 4096
)

// Kind says what a chunk holds. Numbers are append-only.
type Kind uint16

const (
	// KindInfo is the first chunk: an Info as JSON.
	KindInfo Kind = 1
	// KindRecords are records in columns.
	KindRecords Kind = 2
	// KindNames are names of inodes, as earlier versions wrote them.
	KindNames Kind = 3
	// KindEnd is the last chunk of a file that was closed: an End as JSON.
	KindEnd Kind = 4
	// KindFiles are names of files: see appendName.
	KindFiles Kind = 5
	// KindMounts are file systems that were mounted later, as in the Info.
	KindMounts Kind = 6
	// KindMarks are marks by which writes are grouped: see Marks.
	KindMarks Kind = 7
)

// ErrFormat is wrapped by every error about bytes that are no trace, or no longer one.
var ErrFormat = errors.New("not a whole trace")

// ErrVersion is wrapped, together with ErrFormat, by the error about a trace that a
// later program made.
var ErrVersion = errors.New("made by a later version of this program")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is the header of a chunk. FORMAT.md has its layout.
type head struct {
	fixedHead
	losses record.Losses
}

// fixedHead is what stands before the counters, as it stands there.
type fixedHead struct {
	Magic    uint32
	Version  uint16
	Kind     Kind
	Seq      uint64 // from 0, without gaps
	Count    uint32 // records
	Writes   uint32 // of the records, write records
	Raw      uint32 // bytes, unpacked
	Packed   uint32 // bytes of the zstd frame that follows
	Sum      uint32 // CRC32C of that frame
	Counters uint32 // how many losses the header has
	First    uint64 // time of the earliest record, ns of CLOCK_MONOTONIC
	Last     uint64 // of the latest
	From, To uint64 // when the losses were read, ns of CLOCK_MONOTONIC
}

// countLosses counts the losses up to the last that is not zero: those are in the header. It
// returns the size of the header with its frame, bytes.
func (h *head) countLosses() (size int) {
	h.Counters = 0
	for i, n := range h.losses.All() {
		if *n != 0 {
			h.Counters = uint32(i + 1)
		}
	}
	return frameSize + minHead + int(h.Counters)*8
}

// append adds the header in its frame.
func (h *head) append(dst []byte) []byte {
	le := binary.LittleEndian
	size := h.countLosses()
	h.Magic = chunkMagic
	dst = le.AppendUint32(dst, skippable)
	dst = le.AppendUint32(dst, uint32(size-frameSize))
	at := len(dst)
	dst, _ = binary.Append(dst, le, &h.fixedHead) // of fixed size, so without an error
	losses := h.losses.All()
	for _, n := range losses[:h.Counters] {
		dst = le.AppendUint64(dst, *n)
	}
	return le.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// parseFrame reads the length of the header from its frame.
func parseFrame(b []byte) (int, error) {
	n := int(binary.LittleEndian.Uint32(b[4:]))
	if binary.LittleEndian.Uint32(b) != skippable || n < minHead || n > maxHead {
		return 0, fmt.Errorf("%w: no chunk where one has to begin", ErrFormat)
	}
	return n, nil
}

// parse reads the header that is in the frame.
func (h *head) parse(b []byte) error {
	le := binary.LittleEndian
	if le.Uint32(b) != chunkMagic {
		return fmt.Errorf("%w: no chunk where one has to begin", ErrFormat)
	}
	if le.Uint32(b[len(b)-4:]) != crc32.Checksum(b[:len(b)-4], castagnoli) {
		return fmt.Errorf("%w: the header of a chunk is damaged", ErrFormat)
	}
	*h = head{}
	at, err := binary.Decode(b, le, &h.fixedHead)
	if err != nil {
		return fmt.Errorf("%w: the header of a chunk is cut: %w", ErrFormat, err)
	}
	if h.Version > version || h.Version == 0 {
		return fmt.Errorf("%w: %w: chunk %d is of version %d, this program knows version %d", ErrFormat, ErrVersion, h.Seq, h.Version, version)
	}
	switch {
	case h.Counters > maxLosses || at+int(h.Counters)*8+4 != len(b):
		return fmt.Errorf("%w: chunk %d has %d counters in a header of %d bytes", ErrFormat, h.Seq, h.Counters, len(b))
	case h.Raw > maxRaw || h.Packed > maxPacked || h.Count > maxRecords || h.Writes > h.Count || h.Count > h.Raw:
		return fmt.Errorf("%w: chunk %d claims %d records in %d bytes, %d packed", ErrFormat, h.Seq, h.Count, h.Raw, h.Packed)
	}
	for i, to := range h.losses.All() {
		if i < int(h.Counters) { // those that are not there are zero
			*to = le.Uint64(b[at+i*8:])
		}
	}
	return nil
}

// errTorn says that a file ends inside a chunk.
var errTorn = fmt.Errorf("%w: it ends inside a chunk", ErrFormat)

// chunkReader reads chunk by chunk.
type chunkReader struct {
	in     io.Reader
	zip    *zstd.Decoder
	at     int64 // bytes read of whole chunks
	frame  [frameSize + maxHead]byte
	packed bytes.Buffer
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
	switch err := c.full(b); {
	case err == io.EOF:
		return 0, errTorn
	case err != nil:
		return 0, err
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

// next reads the next chunk. whole says that all its bytes were there, so that reading
// can go on behind it whatever is wrong with them.
func (c *chunkReader) next(h *head) (whole bool, err error) {
	n, err := c.head(h)
	if err != nil {
		return false, err
	}
	if err := c.take(int64(h.Packed)); err != nil {
		return false, err
	}
	c.at += int64(n) + int64(h.Packed)
	return true, c.unpack(h)
}

// take reads n bytes into packed, without believing that there are so many.
func (c *chunkReader) take(n int64) error {
	c.packed.Reset()
	switch _, err := io.CopyN(&c.packed, c.in, n); {
	case err == io.EOF:
		return errTorn
	case err != nil:
		return fmt.Errorf("read trace: %w", err)
	}
	return nil
}

// unpack fills raw.
func (c *chunkReader) unpack(h *head) error {
	if crc32.Checksum(c.packed.Bytes(), castagnoli) != h.Sum {
		return fmt.Errorf("%w: chunk %d is damaged", ErrFormat, h.Seq)
	}
	var err error // a frame of more than maxRaw bytes is refused
	if c.raw, err = c.zip.DecodeAll(c.packed.Bytes(), c.raw[:0]); err != nil {
		return fmt.Errorf("%w: unpack chunk %d: %w", ErrFormat, h.Seq, err)
	}
	if len(c.raw) != int(h.Raw) {
		return fmt.Errorf("%w: chunk %d has %d bytes, not %d", ErrFormat, h.Seq, len(c.raw), h.Raw)
	}
	return nil
}
