package tracefile

import (
	"errors"
	"io"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Chunk is what the header of a chunk tells.
type Chunk struct {
	Offset          int64 // in the file, bytes
	Seq             uint64
	Kind            Kind
	Records, Writes uint32
	First, Last     uint64        // times of its records, ns of CLOCK_MONOTONIC; 0 without any
	Losses          record.Losses // until its end
	ReadFrom        uint64        // when these were read, ns of CLOCK_MONOTONIC
	ReadTo          uint64
}

// Index lists the chunks of a file as far as their headers follow on each other.
type Index struct {
	Chunks          []Chunk
	Records, Writes uint64 // in them
	Last            uint64 // time of the latest record
	Closed          bool   // the last one is the end mark
}

// ReadIndex looks at the headers of all chunks and at nothing else. Chunks behind the
// first that is not whole are not listed. The error is one of reading.
func ReadIndex(in io.ReaderAt, size int64) (*Index, error) {
	x := &Index{}
	for at := int64(0); at < size; {
		var h head
		c := chunkReader{in: io.NewSectionReader(in, at, size-at)}
		n, err := c.head(&h)
		if err == io.EOF || errors.Is(err, ErrFormat) {
			break
		}
		if err != nil {
			return nil, err
		}
		end := at + int64(n) + int64(h.packed)
		if end > size {
			break
		}
		x.add(&h, at)
		at = end
	}
	return x, nil
}

func (x *Index) add(h *head, at int64) {
	x.Chunks = append(x.Chunks, Chunk{
		Offset: at, Seq: h.seq, Kind: h.kind, Records: h.count, Writes: h.writes, First: h.first, Last: h.last, Losses: h.losses,
		ReadFrom: h.from, ReadTo: h.to,
	})
	x.Closed = h.kind == KindEnd
	if h.kind != KindRecords {
		return
	}
	x.Records += uint64(h.count)
	x.Writes += uint64(h.writes)
	x.Last = max(x.Last, h.last)
}

// readNames reads the chunks of names. Damaged ones are left out: Reader says so later.
func (x *Index) readNames(in io.ReaderAt, c *chunkReader, to *names) {
	was, at := c.in, c.at
	defer func() { c.in, c.at = was, at }()
	for _, k := range x.Chunks {
		if k.Kind != KindNames {
			continue
		}
		c.in = io.NewSectionReader(in, k.Offset, 1<<62)
		var h head
		if _, err := c.next(&h); err == nil {
			_ = to.read(c.raw)
		}
	}
}

// last is the number of the last chunk.
func (x *Index) last() uint64 { return x.Chunks[len(x.Chunks)-1].Seq }
