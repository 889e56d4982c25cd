package tracefile

import (
	"errors"
	"io"
)

// chunkAt is the header of a chunk, and where that is in the file, bytes.
type chunkAt struct {
	head
	offset int64
}

// Index lists the chunks of a file as far as their headers follow on each other.
type Index struct {
	chunks          []chunkAt
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
		end := at + int64(n) + int64(h.Packed)
		if end > size {
			break
		}
		x.add(&h, at)
		at = end
	}
	return x, nil
}

func (x *Index) add(h *head, at int64) {
	x.chunks = append(x.chunks, chunkAt{*h, at})
	x.Closed = h.Kind == KindEnd
	if h.Kind != KindRecords {
		return
	}
	x.Records += uint64(h.Count)
	x.Writes += uint64(h.Writes)
	x.Last = max(x.Last, h.Last)
}

// readNames reads the chunks of names. Damaged ones are left out: Reader says so later.
func (x *Index) readNames(in io.ReaderAt, c *chunkReader, to *names) {
	was, at := c.in, c.at
	defer func() { c.in, c.at = was, at }()
	for i := range x.chunks {
		if x.chunks[i].Kind != KindNames {
			continue
		}
		c.in = io.NewSectionReader(in, x.chunks[i].offset, 1<<62)
		var h head
		if _, err := c.next(&h); err == nil {
			_ = to.read(c.raw)
		}
	}
}

// last is the number of the last chunk.
func (x *Index) last() uint64 { return x.chunks[len(x.chunks)-1].Seq }
