package tracefile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sort"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Recording is one recording, in one file or in the parts that rotation made of it. It
// is a record.Source.
type Recording struct {
	parts []*Reader
	at    int // the part that is being read

	marks   []lossMark // see Doubt, when marked
	skipped uint64
	marked  bool
}

// ErrTwice says that two files are the same part of one recording.
var ErrTwice = errors.New("is the same recording")

var _ record.Source = (*Recording)(nil)

// OpenRecordings opens files, and puts those that are parts of one recording together.
// The recordings are in the order in which their first file was named.
func OpenRecordings(paths ...string) ([]*Recording, error) {
	var out []*Recording
	for _, path := range paths {
		r, err := Open(path)
		if err == nil {
			out, err = insert(out, r)
		}
		if err != nil {
			for _, c := range out {
				err = errors.Join(err, c.Close())
			}
			return nil, err
		}
	}
	for _, c := range out {
		c.gatherMounts()
		c.gatherMarks()
	}
	return out, nil
}

// gatherMounts puts the file systems of all parts into the description of the first. Those
// of the later ones repeat what was known before.
func (c *Recording) gatherMounts() {
	first := c.Info()
	for _, p := range c.parts[1:] {
		for _, m := range p.info.FileSystems {
			if !slices.ContainsFunc(first.FileSystems, func(k ext4fs.Mount) bool { return reflect.DeepEqual(k, m) }) {
				first.FileSystems = append(first.FileSystems, m)
			}
		}
	}
}

// NewRecording is a recording in one part.
func NewRecording(r *Reader) *Recording { return &Recording{parts: []*Reader{r}} }

func insert(to []*Recording, r *Reader) ([]*Recording, error) {
	for _, c := range to {
		if r.info.ID == "" || c.parts[0].info.ID != r.info.ID {
			continue
		}
		at, twice := slices.BinarySearchFunc(c.parts, r.info.Part, func(p *Reader, part int) int { return cmp.Compare(p.info.Part, part) })
		if twice {
			return to, fmt.Errorf("%s %w as %s: it would count twice", r.Name(), ErrTwice, c.parts[at].Name())
		}
		c.parts = slices.Insert(c.parts, at, r)
		return to, nil
	}
	return append(to, NewRecording(r)), nil
}

// Parts are its files, in their order.
func (c *Recording) Parts() []*Reader { return c.parts }

// Info is what its first part says about itself.
func (c *Recording) Info() *Info { return &c.parts[0].info }

// Next returns the next raw record as Reader.Next does.
func (c *Recording) Next() ([]byte, error) {
	for {
		raw, err := c.parts[c.at].Next()
		if err == nil || !errors.Is(err, record.ErrEnd) || c.at == len(c.parts)-1 {
			return raw, err
		}
		c.at++
	}
}

// Stop ends reading: Next returns record.ErrEnd from now on.
func (c *Recording) Stop() error {
	for _, p := range c.parts {
		p.over = true
	}
	return nil
}

// Losses tells what was lost until the end of the chunk that is being read.
func (c *Recording) Losses() (record.Losses, error) {
	var sum record.Losses
	for _, p := range c.parts[:c.at+1] {
		l, err := p.Losses()
		if err != nil {
			return sum, err
		}
		to := sum.All()
		for i, n := range l.All() {
			*to[i] += *n
		}
	}
	return sum, nil
}

// Unknown counts records of kinds that this version does not know. They are skipped.
func (c *Recording) Unknown() uint64 { return c.sum(func(r *Reader) uint64 { return r.unknown }) }

// Longer counts writes whose head has fields that this version does not know. The rest of such
// a write is read.
func (c *Recording) Longer() uint64 { return c.sum(func(r *Reader) uint64 { return r.dec.longer }) }

func (c *Recording) sum(of func(*Reader) uint64) (n uint64) {
	for _, p := range c.parts {
		n += of(p)
	}
	return n
}

// Path is the path of a file, "" when it is not known; what it was called last is in the
// last part that knows it.
func (c *Recording) Path(id record.NameID) string {
	for _, p := range slices.Backward(c.parts) {
		if path := p.Path(id); path != "" {
			return path
		}
	}
	return ""
}

// Missing says, after record.ErrEnd, what could not be read, and which part between two
// others is not there; nil when nothing is missing.
func (c *Recording) Missing() error {
	var errs []error
	for i, p := range c.parts {
		if i > 0 {
			for n := c.parts[i-1].info.Part + 1; n < p.info.Part; n++ {
				if errs = append(errs, fmt.Errorf("%w: part %d of the recording is not here", ErrFormat, n)); len(errs) > 9 {
					break
				}
			}
		}
		if err := p.Missing(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close closes all parts.
func (c *Recording) Close() error {
	var errs []error
	for _, p := range c.parts {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Places is the number of chunks in all parts as Open found them; 0 for a recording that
// is not in regular files.
func (c *Recording) Places() int { return c.placesBefore(len(c.parts)) }

func (c *Recording) placesBefore(part int) int {
	n := 0
	for _, p := range c.parts[:part] {
		if p.index == nil {
			return 0
		}
		n += len(p.index.chunks)
	}
	return n
}

// Place is the chunk that the last record came from, counted over all parts from 0. What
// was written after Open counts as a part of the last chunk. A recording that is not in
// regular files has only place 0.
func (c *Recording) Place() int {
	p := c.parts[c.at]
	if p.index == nil || p.seq == 0 {
		return 0
	}
	chunks, seq := p.index.chunks, p.seq-1 // p.seq is the next one
	at := int(seq - chunks[0].Seq)
	if at >= len(chunks) || chunks[at].Seq != seq { // one is missing
		at = min(sort.Search(len(chunks), func(i int) bool { return chunks[i].Seq >= seq }), len(chunks)-1)
	}
	return c.placesBefore(c.at) + at
}

// SeekPlace makes Next go on with the first record of a chunk, also after Stop and behind
// the end. What cannot be read is counted by Missing each time that it is read.
func (c *Recording) SeekPlace(place int) error {
	if place < 0 || place >= c.Places() {
		return fmt.Errorf("seek in trace: no chunk %d in it, which has %d", place, c.Places())
	}
	for i := len(c.parts) - 1; i >= 0; i-- {
		before := c.placesBefore(i)
		if err := c.parts[i].seekChunk(max(place-before, 0)); err != nil {
			return err
		}
		if c.at = i; place >= before {
			return nil
		}
	}
	return nil
}

// Rewind makes Next begin again, as after Open: what could not be read and what was lost is
// counted anew. The recording is in regular files.
func (c *Recording) Rewind() error {
	for _, p := range c.parts {
		if err := p.rewind(); err != nil {
			return err
		}
	}
	c.at = 0
	return nil
}

func (r *Reader) rewind() error {
	if _, err := r.file.Seek(r.begins, io.SeekStart); err != nil {
		return fmt.Errorf("seek in trace: %w", err)
	}
	r.chunks.at, r.seq, r.over, r.end = r.begins, 1, false, nil
	r.dec.left, r.dec.longer = 0, 0
	r.losses, r.unknown, r.missing = record.Losses{}, 0, Missing{}
	return nil
}

// seekChunk makes Next go on with a chunk of the index.
func (r *Reader) seekChunk(at int) error {
	// The first is the description, which was read.
	at = max(at, 1)
	if at >= len(r.index.chunks) {
		r.over, r.dec.left = true, 0
		return nil
	}
	k := &r.index.chunks[at]
	if _, err := r.file.Seek(k.offset, io.SeekStart); err != nil {
		return fmt.Errorf("seek in trace: %w", err)
	}
	r.chunks.at, r.seq, r.dec.left, r.over, r.end = k.offset, k.Seq, 0, false, nil
	return nil
}

// lossMark is a reading of how many probes inside writes were skipped.
type lossMark struct {
	from, to uint64 // when it was made, ns of CLOCK_MONOTONIC
	n        uint64
}

// Doubt reports whether the kernel may have skipped a probe inside a write that lasted
// from one instant to another, ns of CLOCK_MONOTONIC: what was seen of it may then be
// wrong. It is judge.Options.Doubt of a recording.
//
// A file has fewer readings of the losses than the tracer had, so that a few writes more
// are in doubt: those between the last reading before a skip and the first behind it.
// What comes on a pipe is in doubt when anything was skipped before.
func (c *Recording) Doubt(from, to uint64) bool {
	if !c.marked {
		c.marks, c.skipped = c.readMarks()
		c.marked = true
	}
	switch {
	case c.parts[0].index == nil:
		return c.parts[0].skipped() > 0
	case c.skipped == 0:
		return false
	}
	before, after := uint64(0), c.skipped
	if i := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].to > from }); i > 0 {
		before = c.marks[i-1].n
	}
	if i := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].from >= to }); i < len(c.marks) {
		after = c.marks[i].n
	}
	return after > before
}

// readMarks lists the readings of all parts, oldest first, and the sum at the end.
func (c *Recording) readMarks() (marks []lossMark, sum uint64) {
	for _, p := range c.parts {
		if p.index == nil {
			break
		}
		n := sum
		for i := range p.index.chunks {
			k := &p.index.chunks[i]
			if n = sum + k.losses.MissedInner; k.To > 0 {
				marks = append(marks, lossMark{k.From, k.To, n})
			}
		}
		sum = n
	}
	return marks, sum
}

// chunkAt is the header of a chunk, and where that is in the file, bytes.
type chunkAt struct {
	head
	offset int64
}

// Index lists the chunks of a file as far as their headers follow on each other.
type Index struct {
	chunks []chunkAt
	Writes uint64 // in them
	Last   uint64 // time of the latest record
	Closed bool   // the last one is the end mark
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
	x.Writes += uint64(h.Writes)
	x.Last = max(x.Last, h.Last)
}

// readNames reads the chunks of names, of file systems and of marks. Damaged ones are left out: Next
// says so later.
func (r *Reader) readNames() {
	c := r.chunks
	was, at := c.in, c.at
	defer func() { c.in, c.at = was, at }()
	for i := range r.index.chunks {
		switch k := &r.index.chunks[i]; k.Kind {
		case KindNames, KindFiles, KindMounts, KindMarks:
			c.in = io.NewSectionReader(r.file, k.offset, 1<<62)
			var h head
			if _, err := c.next(&h); err == nil {
				_ = r.takeNames(h.Kind, c.raw)
			}
		}
	}
}

// last is the number of the last chunk.
func (x *Index) last() uint64 { return x.chunks[len(x.chunks)-1].Seq }
