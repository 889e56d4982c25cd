// Package tracefile is the file in which raw records are kept (.e4d): FORMAT.md says
// what is in it. A file is written chunk by chunk and can be read to its last whole
// chunk, whatever happened to the program that wrote it.
//
// Records are kept as the kernel sent them, not as they were judged, so that a better
// model can judge an old trace again. A Reader must never panic, nor take much memory,
// whatever bytes it is given.
package tracefile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Reader reads a trace from a file or a pipe. It is a record.Source: nothing behind
// it can tell a trace from a kernel. It belongs to one goroutine, but for Path and
// Recording.Doubt: another one may judge what was read.
type Reader struct {
	chunks  *chunkReader
	file    *os.File // of Open; nil otherwise
	index   *Index   // of Open, for a regular file
	begins  int64    // where the description ends
	info    Info
	end     *End
	dec     decoder
	seq     uint64 // of the next chunk
	rec     []byte
	mu      sync.Mutex // of names, and of losses where they are read by another goroutine
	names   names
	marks   *Marks // of all parts of the recording
	losses  record.Losses
	unknown uint64
	missing Missing
	over    bool
}

var _ record.Source = (*Reader)(nil)

// Open reads the beginning of a trace in a file, and of a regular file the headers of
// all its chunks and the names of files: Path knows all of them from the start. The
// error wraps ErrFormat when it is none.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	r, err := NewReader(f)
	if err == nil {
		r.file = f
		err = r.readIndex()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Name is the name by which its file was opened, - for what is no file.
func (r *Reader) Name() string {
	if r.file == nil {
		return "-"
	}
	return r.file.Name()
}

// NewReader reads the beginning of a trace. The error wraps ErrFormat when it is none.
func NewReader(in io.Reader) (*Reader, error) {
	chunks, err := newChunkReader(in)
	if err != nil {
		return nil, err
	}
	r := &Reader{chunks: chunks, marks: &Marks{}}
	if err := r.begin(); err != nil {
		chunks.zip.Close()
		return nil, err
	}
	return r, nil
}

func (r *Reader) begin() error {
	var h head
	_, err := r.chunks.next(&h)
	switch {
	case err == io.EOF:
		return fmt.Errorf("%w: it is empty", ErrFormat)
	case errors.Is(err, ErrFormat) && binary.LittleEndian.Uint32(r.chunks.frame[:]) != skippable:
		return foreign(looks(r.chunks.frame[:frameSize]))
	case err != nil:
		return err
	case h.Kind != KindInfo || h.Seq != 0:
		return fmt.Errorf("%w: it does not begin with its description", ErrFormat)
	}
	if err := json.Unmarshal(r.chunks.raw, &r.info); err != nil {
		return fmt.Errorf("%w: its description: %w", ErrFormat, err)
	}
	r.seq, r.begins = 1, r.chunks.at
	return nil
}

// foreign is the error about a file that was never a trace: what it looks like.
type foreign string

func (f foreign) Error() string { return "it is no recording" + string(f) }

// Unwrap implements errors.Is.
func (foreign) Unwrap() error { return ErrFormat }

// looks says what a file looks like that begins so.
func looks(begin []byte) foreign {
	text := bytes.TrimLeft(bytes.TrimPrefix(begin, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(begin, []byte("\x1f\x8b")):
		return ": it looks like gzip"
	case bytes.HasPrefix(begin, []byte("\x28\xb5\x2f\xfd")):
		return ": it looks like zstd"
	case bytes.HasPrefix(begin, []byte("PAR1")):
		return ": it looks like Parquet"
	case len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return ": it looks like JSON"
	}
	return ""
}

// readIndex looks through a regular file. A file that cannot be looked through can
// still be read from its beginning.
func (r *Reader) readIndex() error {
	st, err := r.file.Stat()
	if err != nil {
		return fmt.Errorf("open trace: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil
	}
	if r.index, err = ReadIndex(r.file, st.Size()); err != nil {
		return err
	}
	r.readNames()
	return nil
}

// Info is what the file says about itself.
func (r *Reader) Info() *Info { return &r.info }

// Index lists the chunks; nil when the trace is not a regular file that Open opened.
func (r *Reader) Index() *Index { return r.index }

// Losses tells what was lost until the end of the chunk that is being read. Writes of it
// that Next has not returned yet are not among those that were seen: whoever stops there
// has not missed them. Writes of chunks that could not be read are among the malformed ones.
func (r *Reader) Losses() (record.Losses, error) {
	l := r.losses
	if r.dec.left > 0 {
		l.Seen -= min(l.Seen, uint64(r.dec.writesLeft()))
	}
	l.Malformed += r.missing.Writes
	return l, nil
}

// Path is the path of a file, "" when it is not known. Together with export.Names it
// lets rows of a trace have names.
func (r *Reader) Path(id record.NameID) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names.paths[id]
}

// skipped is how often a probe inside writes had been skipped by the end of the chunk that
// is being read.
func (r *Reader) skipped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.losses.MissedInner
}

// Missing says, after record.ErrEnd, what could not be read. It is nil when the trace
// was closed in order and everything was read, and a *Missing otherwise.
func (r *Reader) Missing() error {
	if r.missing.Cause == nil {
		return nil
	}
	m := r.missing
	m.Closed, m.Offset, m.Left = r.end != nil, r.chunks.at, -1
	if r.file != nil {
		if st, err := r.file.Stat(); err == nil && st.Mode().IsRegular() {
			m.Left = max(st.Size()-m.Offset, 0)
		}
	}
	return &m
}

// Close gives memory back, and closes the file of a Reader that Open made.
func (r *Reader) Close() error {
	r.chunks.zip.Close()
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// Next returns the next raw record, and record.ErrEnd behind the last one that can be
// read; Missing says then whether there were more. Any other error is one of reading.
func (r *Reader) Next() ([]byte, error) {
	for !r.over {
		if r.dec.left == 0 {
			if err := r.advance(); err != nil {
				return nil, err
			}
			continue
		}
		writes := r.dec.writesLeft()
		rec, known, err := r.dec.next(r.rec)
		r.rec = rec
		switch {
		case err != nil:
			r.damaged(err, uint64(r.dec.left)+1, uint64(writes))
			r.dec.left = 0
		case known:
			return rec, nil
		default:
			r.unknown++
		}
	}
	return nil, record.ErrEnd
}

// damaged notes what is missing.
func (r *Reader) damaged(why error, records, writes uint64) {
	r.missing.Chunks++
	r.missing.Records += records
	r.missing.Writes += writes
	r.blame(why)
}

// blame keeps the first cause.
func (r *Reader) blame(why error) {
	if r.missing.Cause == nil {
		r.missing.Cause = why
	}
}

// advance goes to the next chunk. The error is one of reading.
func (r *Reader) advance() error {
	var h head
	whole, err := r.chunks.next(&h)
	switch {
	case err == io.EOF:
		r.over = true
		if r.end == nil {
			r.blame(fmt.Errorf("%w: no end mark", ErrFormat))
		}
		return nil
	case err != nil && !errors.Is(err, ErrFormat):
		return err
	case err != nil && !whole:
		r.over = true
		r.blame(err)
		return nil
	}
	if !r.inOrder(&h) {
		return nil
	}
	if err == nil {
		err = r.take(&h)
	}
	if err != nil {
		r.damaged(err, uint64(h.Count), uint64(h.Writes))
	}
	return nil
}

// inOrder looks at the number of a chunk. One that was left out is missing; one that
// comes again is of another trace, and nothing behind it is read.
func (r *Reader) inOrder(h *head) bool {
	switch {
	case h.Seq < r.seq || r.end != nil || h.Kind == KindInfo:
		r.over, r.end = true, nil
		r.blame(fmt.Errorf("%w: chunk %d follows where chunk %d has to: is it two files, one behind the other?", ErrFormat, h.Seq, r.seq))
		return false
	case h.Seq > r.seq:
		r.missing.Chunks += h.Seq - r.seq
		r.blame(fmt.Errorf("%w: chunk %d follows where chunk %d has to", ErrFormat, h.Seq, r.seq))
	}
	r.seq = h.Seq + 1
	return true
}

// take uses a chunk that was unpacked.
func (r *Reader) take(h *head) error {
	raw := r.chunks.raw
	switch h.Kind {
	case KindRecords:
		r.mu.Lock()
		r.losses = h.losses
		r.mu.Unlock()
		return r.dec.begin(raw, h)
	case KindNames, KindFiles, KindMounts, KindMarks:
		// Open has read those that were there then; a file may be written still.
		if r.index == nil || h.Seq > r.index.last() {
			return r.takeNames(h.Kind, raw)
		}
	case KindEnd:
		end := new(End)
		if err := json.Unmarshal(raw, end); err != nil {
			return fmt.Errorf("%w: its end: %w", ErrFormat, err)
		}
		r.end = end
	default: // of a later version
		r.unknown += uint64(h.Count)
	}
	return nil
}

// takeNames takes names of files, the facts of file systems, or marks.
func (r *Reader) takeNames(kind Kind, raw []byte) error {
	switch kind {
	case KindMounts:
		return r.info.readMounts(raw)
	case KindMarks:
		return r.marks.read(raw)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names.read(kind, raw)
}

// Missing is what could not be read of a trace. It wraps ErrFormat.
type Missing struct {
	// Chunks that are damaged or not there, and the records and writes that they are
	// known to have held.
	Chunks          uint64
	Records, Writes uint64
	// Closed says that the trace ends with its end mark: nothing is missing there.
	// Otherwise whatever came behind Offset is, of which nothing is known.
	Closed bool
	// Offset is where reading ended, and Left what is left behind it, bytes; Left is
	// -1 where it cannot be known, as on a pipe.
	Offset, Left int64
	// Cause is the first thing that was wrong.
	Cause error
}

// Unwrap gives the cause, which wraps ErrFormat.
func (m *Missing) Unwrap() error { return m.Cause }

func (m *Missing) Error() string {
	var parts []string
	if m.Chunks > 0 {
		parts = append(parts, fmt.Sprintf("%s with %s could not be read", plural(m.Chunks, "chunk"), plural(m.Records, "record")))
	}
	if !m.Closed {
		text := "the recording was not closed: what came after byte " + fmt.Sprint(m.Offset) + " is missing"
		if m.Left > 0 {
			text += fmt.Sprintf(" (%s there are no whole chunk)", plural(uint64(m.Left), "byte"))
		}
		parts = append(parts, text)
	}
	if m.Cause != nil {
		parts = append(parts, strings.TrimPrefix(m.Cause.Error(), ErrFormat.Error()+": "))
	}
	return strings.Join(parts, "; ")
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
