package tracefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Where a chunk ends.
const (
	chunkRecords = 4096
	chunkBytes   = 2 << 20          // of records
	slowRecords  = chunkRecords / 4 // more are packed fast
	splitRecords = 400              // fewer are packed as a whole
	window       = 256 << 10
)

// Writer writes a trace to a file or a pipe. It belongs to one goroutine.
type Writer struct {
	out    io.Writer
	fast   *zstd.Encoder
	slow   *zstd.Encoder // for chunks that are written because of the time: there is plenty
	enc    *encoder
	seq    uint64
	end    End
	losses record.Losses // of the last chunk
	read   [2]uint64     // when they were read
	given  [2]uint64     // when those were that are given now
	base   record.Losses // before this part of a recording, which counts from there
	names  []byte        // to be written
	raw    []byte
	cuts   []int // of raw, see encoder.appendTo; without any it is packed as a whole
	frame  []byte
	whole  int64 // bytes
	failed error
	redact Redactor // nil for none
}

// Redactor takes names out of all that goes into a trace. What it cannot redact ends the
// trace with its error.
type Redactor interface {
	Info(*Info) (*Info, error)
	Mounts([]ext4fs.Mount) []ext4fs.Mount
	Name(path string) string
	Mark(name string) string
	Record(raw []byte) ([]byte, error) // valid until the next call
}

// NewWriter writes the beginning of a trace.
func NewWriter(out io.Writer, info *Info) (*Writer, error) { return NewRedactedWriter(out, info, nil) }

// NewRedactedWriter is NewWriter for a trace out of which names are taken; nil takes none.
func NewRedactedWriter(out io.Writer, info *Info, redact Redactor) (*Writer, error) {
	w := &Writer{out: out, enc: newEncoder(), redact: redact}
	if redact != nil {
		var err error
		if info, err = redact.Info(info); err != nil {
			return nil, err
		}
	}
	for level, to := range map[zstd.EncoderLevel]**zstd.Encoder{zstd.SpeedFastest: &w.fast, zstd.SpeedBetterCompression: &w.slow} {
		var err error
		if *to, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window),
			zstd.WithEncoderCRC(false), zstd.WithAllLitEntropyCompression(true)); err != nil {
			return nil, fmt.Errorf("make compressor: %w", err)
		}
	}
	if err := w.json(KindInfo, info); err != nil {
		return nil, err
	}
	return w, nil
}

// Append adds one raw record. l is what was lost until now, since tracing began.
func (w *Writer) Append(raw []byte, l *record.Losses) error {
	if w.redact != nil {
		var err error
		if raw, err = w.redact.Record(raw); err != nil {
			return err
		}
	}
	w.enc.add(raw)
	if w.enc.count >= chunkRecords || w.enc.size >= chunkBytes {
		return w.Flush(l)
	}
	return nil
}

// Name tells a path of a file. It is written before the next records.
func (w *Writer) Name(id record.NameID, path string) {
	if w.redact != nil {
		path = w.redact.Name(path)
	}
	w.names = appendName(w.names, id, path)
}

// Mounts tells of file systems that were mounted after those of the Info.
func (w *Writer) Mounts(later []ext4fs.Mount) error {
	if w.redact != nil {
		later = w.redact.Mounts(later)
	}
	return w.json(KindMounts, later)
}

// LossesRead tells when the losses were read that are given from now on: the instants
// before and after that, ns of CLOCK_MONOTONIC.
func (w *Writer) LossesRead(from, to uint64) { w.given = [2]uint64{from, to} }

// Pending reports whether something waits to be flushed.
func (w *Writer) Pending() bool { return w.enc.count > 0 || len(w.names) > 0 }

// Flush writes the records gathered so far as a chunk, with what was lost until now.
// Afterwards they can be read, whatever happens to this process.
func (w *Writer) Flush(l *record.Losses) error { return w.flush(l, false) }

// Mark is Flush, and writes a chunk even when it holds nothing but the losses.
func (w *Writer) Mark(l *record.Losses) error { return w.flush(l, true) }

func (w *Writer) flush(l *record.Losses, always bool) error {
	if len(w.names) > 0 {
		w.raw, w.cuts = append(w.raw[:0], w.names...), w.cuts[:0]
		w.names = w.names[:0]
		if err := w.chunk(&head{fixedHead{Kind: KindFiles}, w.losses}); err != nil {
			return err
		}
	}
	e, now := w.enc, l.Since(w.base)
	if e.count == 0 && now == w.losses && !always {
		return w.failed
	}
	w.losses, w.read = now, w.given
	w.raw, w.cuts = e.appendTo(w.raw[:0], w.cuts[:0])
	err := w.chunk(&head{fixedHead{Kind: KindRecords, Count: e.count, Writes: e.writes, First: e.first, Last: e.last}, now})
	if err == nil {
		w.end.Records += uint64(e.count)
		w.end.Writes += uint64(e.writes)
	}
	e.reset()
	return err
}

// Close writes the last records, and the mark by which a reader knows that nothing is
// missing behind them. It does not close what is written to.
func (w *Writer) Close(l *record.Losses) error { return w.close(l, false) }

func (w *Writer) close(l *record.Losses, continued bool) error {
	err := w.Flush(l)
	if err == nil {
		w.end.Continued = continued
		err = w.json(KindEnd, &w.end)
	}
	return errors.Join(err, w.fast.Close(), w.slow.Close())
}

// Next closes this trace and begins its next part, in out; info becomes that of the
// next part. l is what was lost until now. Writes that are under way are counted as
// seen in the next part, where their records will be, so that the sums of each part fit.
func (w *Writer) Next(out io.Writer, info *Info, l *record.Losses) (*Writer, error) {
	part := *l
	under := l.Since(w.base)
	part.Seen = w.base.Seen + w.end.Writes + uint64(w.enc.writes) + under.Lost() - under.MissedEntry + under.TooFast
	if err := w.close(&part, true); err != nil {
		return nil, err
	}
	next := *info
	next.Part++
	n, err := NewRedactedWriter(out, &next, w.redact)
	if err != nil {
		return nil, err
	}
	n.base, n.read, n.given = part, w.read, w.given
	*info = next
	return n, nil
}

// Whole is the number of bytes of all chunks that were written to their end. After a
// failed write, what lies behind is a torn chunk.
func (w *Writer) Whole() int64 { return w.whole }

// Written counts the records in them, and the writes among these.
func (w *Writer) Written() (records, writes uint64) { return w.end.Records, w.end.Writes }

func (w *Writer) json(kind Kind, what any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encode trace: %w", err)
	}
	w.raw, w.cuts = append(w.raw[:0], b...), w.cuts[:0]
	return w.chunk(&head{fixedHead{Kind: kind}, w.losses})
}

// chunk packs w.raw and writes it behind its header, both at once: a chunk that is cut
// off lacks its end. After an error nothing more is written.
func (w *Writer) chunk(h *head) error {
	if w.failed != nil {
		return w.failed
	}
	size := h.countLosses()
	w.frame = append(w.frame[:0], make([]byte, size)...)
	w.pack(h.Count)
	packed := w.frame[size:]
	h.From, h.To = w.read[0], w.read[1]
	h.Version, h.Seq, h.Raw, h.Packed = version, w.seq, uint32(len(w.raw)), uint32(len(packed))
	h.Sum = crc32.Checksum(packed, castagnoli)
	h.append(w.frame[:0])
	w.seq++
	if _, err := w.out.Write(w.frame); err != nil {
		w.failed = fmt.Errorf("write trace: %w", err)
		return w.failed
	}
	w.whole += int64(len(w.frame))
	return nil
}

// pack adds w.raw to the frame, each run of columns by itself where there are enough
// records for that to pay.
func (w *Writer) pack(records uint32) {
	zip, at := w.fast, 0
	if records < slowRecords {
		zip = w.slow
	}
	if records >= splitRecords {
		for _, cut := range w.cuts {
			w.frame = zip.EncodeAll(w.raw[at:cut], w.frame)
			at = cut
		}
	}
	w.frame = zip.EncodeAll(w.raw[at:], w.frame)
}
