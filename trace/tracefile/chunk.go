package tracefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

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
)

// Kind says what a chunk holds. Numbers are append-only.
type Kind uint16

const (
	// KindInfo is the first chunk: an Info as JSON.
	KindInfo Kind = 1
	// KindRecords are records in columns.
	KindRecords Kind = 2
	// KindNames are names of files: see appendName.
	KindNames Kind = 3
	// KindEnd is the last chunk of a file that was closed: an End as JSON.
	KindEnd Kind = 4
)

// ErrFormat is wrapped by every error about bytes that are no trace, or no longer one.
var ErrFormat = errors.New("not a whole trace")

// ErrVersion is wrapped, together with ErrFormat, by the error about a trace that a
// later program made.
var ErrVersion = errors.New("made by a later version of this program")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is the header of a chunk. FORMAT.md has its layout.
type head struct {
	magic   uint32
	version uint16
	kind    Kind
	seq     uint64 // from 0, without gaps
	count   uint32 // records
	writes  uint32 // of the records, write records
	raw     uint32 // bytes, unpacked
	packed  uint32 // bytes of the zstd frame that follows
	sum     uint32 // CRC32C of that frame
	// counters is how many losses the header has.
	counters uint32
	first    uint64 // time of the earliest record, ns of CLOCK_MONOTONIC
	last     uint64 // of the latest
	losses   record.Losses
	// from and to are when the losses were read, ns of CLOCK_MONOTONIC.
	from, to uint64
}

// fixed lists the fields of a header before its counters, in their order.
func (h *head) fixed() []any {
	return []any{
		&h.magic, &h.version, &h.kind, &h.seq, &h.count, &h.writes, &h.raw, &h.packed, &h.sum, &h.counters,
		&h.first, &h.last, &h.from, &h.to,
	}
}

// countLosses counts the losses up to the last that is not zero: those are in the header. It
// returns the size of the header with its frame, bytes.
func (h *head) countLosses() (size int) {
	h.counters = 0
	for i, n := range h.losses.All() {
		if *n != 0 {
			h.counters = uint32(i + 1)
		}
	}
	return frameSize + minHead + int(h.counters)*8
}

// append adds the header in its frame.
func (h *head) append(dst []byte) []byte {
	le := binary.LittleEndian
	size := h.countLosses()
	h.magic = chunkMagic
	dst = le.AppendUint32(dst, skippable)
	dst = le.AppendUint32(dst, uint32(size-frameSize))
	at := len(dst)
	for _, field := range h.fixed() {
		dst, _ = binary.Append(dst, le, field) // of fixed size, so without an error
	}
	losses := h.losses.All()
	for _, n := range losses[:h.counters] {
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
	at := 0
	for _, field := range h.fixed() {
		n, err := binary.Decode(b[at:], le, field)
		if err != nil {
			return fmt.Errorf("%w: the header of a chunk is cut: %w", ErrFormat, err)
		}
		at += n
	}
	if h.version > version || h.version == 0 {
		return fmt.Errorf("%w: %w: chunk %d is of version %d, this program knows version %d", ErrFormat, ErrVersion, h.seq, h.version, version)
	}
	switch {
	case h.counters > maxLosses || at+int(h.counters)*8+4 != len(b):
		return fmt.Errorf("%w: chunk %d has %d counters in a header of %d bytes", ErrFormat, h.seq, h.counters, len(b))
	case h.raw > maxRaw || h.packed > maxPacked || h.count > maxRecords || h.writes > h.count || h.count > h.raw:
		return fmt.Errorf("%w: chunk %d claims %d records in %d bytes, %d packed", ErrFormat, h.seq, h.count, h.raw, h.packed)
	}
	for i, to := range h.losses.All() {
		if i < int(h.counters) { // those that are not there are zero
			*to = le.Uint64(b[at+i*8:])
		}
	}
	return nil
}
