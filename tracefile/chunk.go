package tracefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The frame in front of each chunk is one that programs for zstd skip.
const (
	skippable  = 0x184D2A5D
	headSize   = 64
	chunkMagic = 0x63643465 // "e4dc"
	version    = 1
)

// Limits of what is read. What is written stays well below.
const (
	maxRaw     = 64 << 20 // bytes of a chunk, unpacked
	maxPacked  = 16 << 20
	maxRecords = 1 << 20 // in a chunk
)

// Kind says what a chunk holds. Numbers are append-only.
type Kind uint16

const (
	// KindInfo is the first chunk: an Info as JSON.
	KindInfo Kind = 1
	// KindRecords are records in columns.
	KindRecords Kind = 2
	// KindEnd is the last chunk of a file that was closed: an End as JSON.
	KindEnd Kind = 3
)

// ErrFormat is wrapped by every error about bytes that are no trace, or no longer one.
var ErrFormat = errors.New("not a whole trace")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is the header of a chunk, little endian in the order of its fields, with a
// checksum of its own behind them.
type head struct {
	kind    Kind
	seq     uint64 // from 0, without gaps
	count   uint32 // records
	raw     uint32 // bytes, unpacked
	packed  uint32 // bytes of the zstd frame that follows
	sum     uint32 // CRC32C of that frame
	first   uint64 // time of the earliest record, ns of CLOCK_MONOTONIC
	last    uint64 // of the latest
	writes  uint32 // of the records, write records
	version uint16
}

func (h *head) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, skippable)
	dst = le.AppendUint32(dst, headSize)
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
	dst = le.AppendUint64(dst, h.first)
	dst = le.AppendUint64(dst, h.last)
	for len(dst)-at < headSize-4 {
		dst = append(dst, 0)
	}
	return le.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// parse reads the header from its frame.
func (h *head) parse(b []byte) error {
	le := binary.LittleEndian
	if len(b) != headSize+8 || le.Uint32(b) != skippable || le.Uint32(b[4:]) != headSize {
		return fmt.Errorf("%w: no chunk where one has to begin", ErrFormat)
	}
	b = b[8:]
	if le.Uint32(b) != chunkMagic {
		return fmt.Errorf("%w: no chunk where one has to begin", ErrFormat)
	}
	if le.Uint32(b[headSize-4:]) != crc32.Checksum(b[:headSize-4], castagnoli) {
		return fmt.Errorf("%w: the header of a chunk is damaged", ErrFormat)
	}
	*h = head{
		version: le.Uint16(b[4:]), kind: Kind(le.Uint16(b[6:])), seq: le.Uint64(b[8:]),
		count: le.Uint32(b[16:]), writes: le.Uint32(b[20:]), raw: le.Uint32(b[24:]), packed: le.Uint32(b[28:]),
		sum: le.Uint32(b[32:]), first: le.Uint64(b[36:]), last: le.Uint64(b[44:]),
	}
	switch {
	case h.version > version:
		return fmt.Errorf("%w: chunk %d is of version %d, this program knows %d", ErrFormat, h.seq, h.version, version)
	case h.raw > maxRaw || h.packed > maxPacked || h.count > maxRecords || h.writes > h.count:
		return fmt.Errorf("%w: chunk %d claims %d records in %d bytes", ErrFormat, h.seq, h.count, h.raw)
	}
	return nil
}

// readHead reads the next header. io.EOF says that the file ends here.
func readHead(r io.Reader, h *head) error {
	var b [headSize + 8]byte
	n, err := io.ReadFull(r, b[:])
	switch {
	case err == io.EOF:
		return io.EOF
	case err == io.ErrUnexpectedEOF:
		return fmt.Errorf("%w: it ends inside the header of a chunk, after %d bytes of it", ErrFormat, n)
	case err != nil:
		return fmt.Errorf("read trace: %w", err)
	}
	return h.parse(b[:])
}
