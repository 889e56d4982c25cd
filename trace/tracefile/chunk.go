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
	version uint16
	kind    Kind
	seq     uint64 // from 0, without gaps
	count   uint32 // records
	writes  uint32 // of the records, write records
	raw     uint32 // bytes, unpacked
	packed  uint32 // bytes of the zstd frame that follows
	sum     uint32 // CRC32C of that frame
	first   uint64 // time of the earliest record, ns of CLOCK_MONOTONIC
	last    uint64 // of the latest
	losses  record.Losses
	// from and to are when the losses were read, ns of CLOCK_MONOTONIC.
	from, to uint64
}

// counters is the number of those up to the last that is not zero.
func counters(l *record.Losses) int {
	fields := l.All()
	n := len(fields)
	for n > 0 && *fields[n-1] == 0 {
		n--
	}
	return n
}

// size is that of the header with its frame, bytes.
func (h *head) size() int { return frameSize + minHead + counters(&h.losses)*8 }

// append adds the header in its frame.
func (h *head) append(dst []byte) []byte {
	le := binary.LittleEndian
	all := h.losses.All()
	fields := all[:counters(&h.losses)]
	dst = le.AppendUint32(dst, skippable)
	dst = le.AppendUint32(dst, uint32(minHead+len(fields)*8))
	at := len(dst)
	dst = le.AppendUint32(dst, chunkMagic)
	dst = le.AppendUint16(dst, h.version)
	dst = le.AppendUint16(dst, uint16(h.kind))
	dst = le.AppendUint64(dst, h.seq)
	dst = le.AppendUint32(dst, h.count)
	dst = le.AppendUint32(dst, h.writes)
	dst = le.AppendUint32(dst, h.raw)
	dst = le.AppendUint32(dst, h.packed)
	dst = le.AppendUint32(dst, h.sum)
	dst = le.AppendUint32(dst, uint32(len(fields)))
	dst = le.AppendUint64(dst, h.first)
	dst = le.AppendUint64(dst, h.last)
	dst = le.AppendUint64(dst, h.from)
	dst = le.AppendUint64(dst, h.to)
	for _, n := range fields {
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
	*h = head{
		version: le.Uint16(b[4:]), kind: Kind(le.Uint16(b[6:])), seq: le.Uint64(b[8:]),
		count: le.Uint32(b[16:]), writes: le.Uint32(b[20:]), raw: le.Uint32(b[24:]), packed: le.Uint32(b[28:]),
		sum: le.Uint32(b[32:]), first: le.Uint64(b[40:]), last: le.Uint64(b[48:]), from: le.Uint64(b[56:]), to: le.Uint64(b[64:]),
	}
	if h.version > version || h.version == 0 {
		return fmt.Errorf("%w: %w: chunk %d is of version %d, this program knows version %d", ErrFormat, ErrVersion, h.seq, h.version, version)
	}
	n := le.Uint32(b[36:])
	switch {
	case n > maxLosses || fixedSize+int(n)*8+4 != len(b):
		return fmt.Errorf("%w: chunk %d has %d counters in a header of %d bytes", ErrFormat, h.seq, n, len(b))
	case h.raw > maxRaw || h.packed > maxPacked || h.count > maxRecords || h.writes > h.count || h.count > h.raw:
		return fmt.Errorf("%w: chunk %d claims %d records in %d bytes, %d packed", ErrFormat, h.seq, h.count, h.raw, h.packed)
	}
	for i, to := range h.losses.All() {
		if i < int(n) { // those that are not there are zero
			*to = le.Uint64(b[fixedSize+i*8:])
		}
	}
	return nil
}
