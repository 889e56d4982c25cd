package tracefile

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/record"
)

// chunkRecords is how many records are gathered in one chunk.
const chunkRecords = 4096

// Writer writes a trace to a file or a pipe. It belongs to one goroutine.
type Writer struct {
	out    io.Writer
	zip    *zstd.Encoder
	enc    encoder
	seq    uint64
	end    End
	raw    []byte
	frame  []byte
	failed error
}

// NewWriter writes the beginning of a trace.
func NewWriter(out io.Writer, info *Info) (*Writer, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	w := &Writer{out: out, zip: zip}
	w.enc.reset()
	if err := w.json(KindInfo, info); err != nil {
		return nil, err
	}
	return w, nil
}

// Append adds one raw record. l is what was lost before it.
func (w *Writer) Append(raw []byte, l *record.Losses) error {
	w.enc.add(raw)
	if w.enc.count >= chunkRecords {
		return w.Flush(l)
	}
	return nil
}

// Flush writes the records gathered so far as a chunk, with what was lost until now.
func (w *Writer) Flush(l *record.Losses) error {
	if w.enc.count == 0 && *l == w.end.Losses {
		return w.failed
	}
	w.end.Records += uint64(w.enc.count)
	w.end.Writes += uint64(w.enc.writes)
	w.end.Losses = *l
	w.enc.cols[colLoss] = appendLosses(w.enc.cols[colLoss], l)
	w.raw = w.enc.appendTo(w.raw[:0])
	h := head{kind: KindRecords, count: w.enc.count, writes: w.enc.writes, first: w.enc.first, last: w.enc.high}
	err := w.chunk(&h)
	w.enc.reset()
	return err
}

// Close writes the last records, and the mark by which a reader knows that nothing is
// missing behind them. It does not close what is written to.
func (w *Writer) Close(l *record.Losses) error {
	err := w.Flush(l)
	if err == nil {
		err = w.json(KindEnd, &w.end)
	}
	return errors.Join(err, w.zip.Close())
}

func (w *Writer) json(kind Kind, what any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encode trace: %w", err)
	}
	w.raw = append(w.raw[:0], b...)
	return w.chunk(&head{kind: kind})
}

// chunk packs w.raw and writes it behind its header, both at once: a chunk that is cut
// off lacks its end. After an error nothing more is written.
func (w *Writer) chunk(h *head) error {
	if w.failed != nil {
		return w.failed
	}
	w.frame = append(w.frame[:0], make([]byte, headSize+8)...)
	w.frame = w.zip.EncodeAll(w.raw, w.frame)
	packed := w.frame[headSize+8:]
	h.version, h.seq, h.raw, h.packed = version, w.seq, uint32(len(w.raw)), uint32(len(packed))
	h.sum = crc32.Checksum(packed, castagnoli)
	h.append(w.frame[:0])
	w.seq++
	if _, err := w.out.Write(w.frame); err != nil {
		w.failed = fmt.Errorf("write trace: %w", err)
	}
	return w.failed
}

// losses lists the counters in their order in a file, which is append-only.
func losses(l *record.Losses) []*uint64 {
	c := &l.Counters
	return []*uint64{
		&c.Seen, &c.Filtered, &c.Sent, &c.Completed, &c.Queued, &c.LostRing, &c.LostComplete, &c.LostMap,
		&c.LostReturn, &c.LostDepth, &c.StepsLost, &c.LostAIO, &c.Started, &c.Bytes, &c.TooFast,
		&l.MissedEntry, &l.MissedReturn, &l.MissedInner, &l.Malformed, &l.Unfinished,
	}
}

func appendLosses(dst column, l *record.Losses) column {
	for _, n := range losses(l) {
		dst = binary.AppendUvarint(dst, *n)
	}
	return dst
}

// readLosses reads as many counters as there are: an older file has fewer.
func readLosses(b []byte) (l record.Losses) {
	for _, n := range losses(&l) {
		v, k := binary.Uvarint(b)
		if k <= 0 {
			return l
		}
		*n, b = v, b[k:]
	}
	return l
}
