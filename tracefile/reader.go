package tracefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Reader reads a trace from a file or a pipe. It is a record.Source: nothing behind
// it can tell a trace from a kernel.
type Reader struct {
	in     io.Reader
	file   *os.File // nil when somebody else closes it
	zip    *zstd.Decoder
	info   Info
	end    *End
	dec    decoder
	seq    uint64
	packed []byte
	raw    []byte
	rec    []byte
	losses record.Losses
	broken error // why it ends before its end
	over   bool
}

var _ record.Source = (*Reader)(nil)

// Open reads the beginning of a trace in a file. The error wraps ErrFormat when it
// is none.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	r, err := NewReader(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r.file = f
	return r, nil
}

// NewReader reads the beginning of a trace. The error wraps ErrFormat when it is none.
func NewReader(in io.Reader) (*Reader, error) {
	zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRaw))
	if err != nil {
		return nil, fmt.Errorf("make decompressor: %w", err)
	}
	r := &Reader{in: in, zip: zip}
	var h head
	switch err := r.chunk(&h); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: it is empty", ErrFormat)
	case err != nil:
		return nil, err
	case h.kind != KindInfo:
		return nil, fmt.Errorf("%w: it does not begin with its description", ErrFormat)
	}
	if err := json.Unmarshal(r.raw, &r.info); err != nil {
		return nil, fmt.Errorf("%w: its description: %w", ErrFormat, err)
	}
	return r, nil
}

// Info is what the file says about itself.
func (r *Reader) Info() *Info { return &r.info }

// Losses tells what was lost until the end of the chunk that is being read.
func (r *Reader) Losses() (record.Losses, error) { return r.losses, nil }

// Missing says, after record.ErrEnd, why the trace ends before its end; nil when it was
// closed in order and everything was read.
func (r *Reader) Missing() error { return r.broken }

// Close gives memory back, and closes the file of a Reader that Open made.
func (r *Reader) Close() error {
	r.zip.Close()
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// Next returns the next raw record, and record.ErrEnd behind the last one that can be
// read; Missing says then whether there were more.
func (r *Reader) Next() ([]byte, error) {
	for !r.over {
		if r.dec.left > 0 {
			rec, err := r.dec.next(r.rec)
			if err != nil {
				r.stop(err)
				break
			}
			r.rec = rec
			return rec, nil
		}
		r.advance()
	}
	return nil, record.ErrEnd
}

func (r *Reader) stop(err error) { r.over, r.broken = true, err }

// advance goes to the next chunk.
func (r *Reader) advance() {
	var h head
	err := r.chunk(&h)
	switch {
	case errors.Is(err, io.EOF):
		r.stop(nil)
		if r.end == nil {
			r.stop(fmt.Errorf("%w: it was not closed: what came after the last chunk is missing", ErrFormat))
		}
	case err != nil:
		r.stop(err)
	case h.kind == KindRecords:
		if err := r.dec.begin(r.raw, int(h.count)); err != nil {
			r.stop(err)
			return
		}
		r.losses = readLosses(r.dec.cols[colLoss])
	case h.kind == KindEnd:
		r.end = new(End)
		if err := json.Unmarshal(r.raw, r.end); err != nil {
			r.stop(fmt.Errorf("%w: its end: %w", ErrFormat, err))
		}
	}
}

// chunk reads and unpacks the next chunk.
func (r *Reader) chunk(h *head) error {
	if err := readHead(r.in, h); err != nil {
		return err
	}
	if h.seq != r.seq {
		return fmt.Errorf("%w: chunk %d follows where chunk %d has to", ErrFormat, h.seq, r.seq)
	}
	r.seq++
	if cap(r.packed) < int(h.packed) {
		r.packed = make([]byte, h.packed)
	}
	r.packed = r.packed[:h.packed]
	if _, err := io.ReadFull(r.in, r.packed); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%w: it ends inside chunk %d", ErrFormat, h.seq)
		}
		return fmt.Errorf("read trace: %w", err)
	}
	if crc32.Checksum(r.packed, castagnoli) != h.sum {
		return fmt.Errorf("%w: chunk %d is damaged", ErrFormat, h.seq)
	}
	var err error
	if r.raw, err = r.zip.DecodeAll(r.packed, r.raw[:0]); err != nil {
		return fmt.Errorf("%w: chunk %d: %w", ErrFormat, h.seq, err)
	}
	if len(r.raw) != int(h.raw) {
		return fmt.Errorf("%w: chunk %d has %d bytes, not %d", ErrFormat, h.seq, len(r.raw), h.raw)
	}
	return nil
}
