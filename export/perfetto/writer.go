package perfetto

import (
	"io"

	"github.com/ext4dio/ext4dio-trace/export"
)

// Writer writes rows as a Perfetto trace. It is an export.Writer.
type Writer struct {
	out    io.Writer
	buf    message
	clocks export.Clocks
	begun  bool

	categories, names, annotations, texts interned

	inodes     map[export.FileID]*inode
	generation uint64 // of the lanes: how often inodes were forgotten
	tasks      map[taskID]string
	spans      []span
}

// Format is the format of Writer.
var Format = export.Format{
	Name: "perfetto", Help: "tracks of every inode and task, for ui.perfetto.dev", To: export.ToFile,
	New: func(t export.Target) export.Writer { return New(t.Out, t.Clocks) },
}

// New returns a Writer in front of out.
func New(out io.Writer, clocks export.Clocks) *Writer {
	return &Writer{
		out: out, clocks: clocks, inodes: make(map[export.FileID]*inode), tasks: make(map[taskID]string),
		categories: newInterned(internedCategories), names: newInterned(internedNames),
		annotations: newInterned(internedAnnotations), texts: newInterned(internedTexts),
	}
}

// Write takes one row.
func (w *Writer) Write(r *export.Row) error {
	w.begin()
	if len(w.texts.ids)+len(w.names.ids)+len(w.categories.ids) > maxInterned {
		w.clearState()
	}
	w.write(r)
	return w.put(export.FlushBytes)
}

func (w *Writer) put(least int) error { return export.Flush(w.out, &w.buf, least, "Perfetto trace") }

// Close writes the rest.
func (w *Writer) Close() error {
	w.begin()
	return w.put(1)
}

// sequence is the number of the one sequence of packets.
const sequence = 1

// begin writes what the file begins with.
func (w *Writer) begin() {
	if w.begun {
		return
	}
	w.begun = true
	if w.clocks != (export.Clocks{}) {
		w.snapshot()
	}
	w.clearState()
}

// snapshot tells how the clocks belong together.
func (w *Writer) snapshot() {
	p := w.buf.begin(tracePacket)
	w.buf.uint(packetSequenceID, sequence)
	s := w.buf.begin(packetClockSnapshot)
	for _, c := range [...]struct{ id, at uint64 }{
		{clockMonotonic, w.clocks.Monotonic}, {clockBoottime, w.clocks.Boot}, {clockRealtime, w.clocks.Real},
	} {
		m := w.buf.begin(snapshotClock)
		w.buf.uint(clockID, c.id)
		w.buf.uint(clockTime, c.at)
		w.buf.end(m)
	}
	w.buf.uint(snapshotPrimary, clockMonotonic)
	w.buf.end(s)
	w.buf.end(p)
}

// clearState forgets all texts, and says so.
func (w *Writer) clearState() {
	for _, in := range [...]*interned{&w.categories, &w.names, &w.annotations, &w.texts} {
		in.clear()
	}
	p := w.buf.begin(tracePacket)
	w.buf.uint(packetSequenceID, sequence)
	w.buf.uint(packetSequenceFlags, stateCleared)
	d := w.buf.begin(packetDefaults)
	if w.clocks != (export.Clocks{}) {
		w.buf.uint(defaultsClock, clockMonotonic)
	}
	w.buf.end(d)
	w.buf.end(p)
}

// packet begins a packet and returns where.
func (w *Writer) packet() int {
	p := w.buf.begin(tracePacket)
	w.buf.uint(packetSequenceID, sequence)
	w.buf.uint(packetSequenceFlags, needsState)
	return p
}

// event writes one TrackEvent. A begin and an instant have a name; fill adds the
// annotations, if any.
func (w *Writer) event(track, at uint64, typ int, name, category string, fill func()) {
	p := w.packet()
	w.buf.uint(packetTimestamp, at)
	e := w.buf.begin(packetTrackEvent)
	w.buf.uint(eventType, uint64(typ))
	w.buf.uint(eventTrack, track)
	if typ != typeEnd {
		w.buf.uint(eventNameIID, w.names.id(name))
		if category != "" {
			w.buf.uint(eventCategoryIID, w.categories.id(category))
		}
	}
	if fill != nil {
		fill()
	}
	w.buf.end(e)
	// A text stands in the packet that uses it first.
	if len(w.names.fresh)+len(w.categories.fresh)+len(w.annotations.fresh)+len(w.texts.fresh) > 0 {
		d := w.buf.begin(packetInterned)
		w.names.flush(&w.buf)
		w.categories.flush(&w.buf)
		w.annotations.flush(&w.buf)
		w.texts.flush(&w.buf)
		w.buf.end(d)
	}
	w.buf.end(p)
}

// slice writes something that lasts.
func (w *Writer) slice(track, begin, end uint64, name, category string, fill func()) {
	w.event(track, begin, typeBegin, name, category, fill)
	w.event(track, end, typeEnd, "", "", nil)
}

func (w *Writer) noteInt(name string, v int64) {
	a := w.buf.begin(eventAnnotation)
	w.buf.uint(annotationNameIID, w.annotations.id(name))
	w.buf.int(annotationInt, v)
	w.buf.end(a)
}

func (w *Writer) noteText(name, text string) {
	if text == "" {
		return
	}
	a := w.buf.begin(eventAnnotation)
	w.buf.uint(annotationNameIID, w.annotations.id(name))
	w.buf.uint(annotationTextIID, w.texts.id(text))
	w.buf.end(a)
}
