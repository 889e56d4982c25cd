package xfsio

import (
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/prove/workload/fstests"
	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
)

// maxFiles bounds the files of one script.
const maxFiles = 4096

// Writer writes rows as a shell script. It is an export.Writer.
type Writer struct {
	out    io.Writer
	buf    []byte
	about  []string
	begun  bool
	files  map[export.FileID]*file
	writes int // repeated
	tooBig int // writes to more files than maxFiles
	bare   int // writes that were not seen well enough
	lines  int
	test   *test // nil: a script
}

// file is one file of the script.
type file struct {
	word    string // how the script names it: "$f3"
	blkbits uint8
	size    int64 // i_size, bytes; -1 when it is not known
	blocks  blocks
	busy    uint64           // until when writes were in flight, ns
	data    *fstests.Content // of a test
	touched blocks           // that were written, of a test
}

// Format is the format of Writer.
var Format = export.Format{
	Name: "xfsio", Help: "a shell script of xfs_io commands that lays out files and repeats the\nwrites: the reproducer of a report",
	New: func(t export.Target) export.Writer { return New(t.Out, t.About...) },
}

// New returns a Writer in front of out. The lines of about say where the writes were
// seen: kernel, file systems, version.
func New(out io.Writer, about ...string) *Writer {
	return &Writer{out: out, about: about, files: make(map[export.FileID]*file)}
}

const head = `#!/bin/sh
# Direct writes on ext4, repeated with xfs_io(8): sh THIS-FILE FOLDER
# FOLDER is on the ext4 to be tried; files e4d-* are made there. To see what the
# kernel decides: ext4dio-trace live -- sh THIS-FILE FOLDER
#
%s#
# What the trace does not hold, so that it is not repeated:
# - the bytes that were written: each write here has a pattern;
# - what ran at the same time: one write follows the other here, in the order in
#   which they ended. A line says where writes to one file overlapped;
# - blocks to which no write of the trace came near, and how long extents were;
# - what of the metadata was cached, and what other tasks did to a file in between.
# Where xfs_io cannot do what the write did, a line says so.
`

// begin writes the head of the script.
func (w *Writer) begin() {
	if w.begun || w.test != nil {
		return
	}
	w.begun = true
	var about strings.Builder
	for _, line := range w.about {
		about.WriteString("# " + export.Safe(line) + "\n")
	}
	w.buf = append(fmt.Appendf(w.buf, head, about.String()), xfsio.Prologue...)
}

// comment writes one line that does nothing.
func (w *Writer) comment(format string, args ...any) {
	w.line("# " + export.SafeText(fmt.Sprintf(format, args...)))
}

func (w *Writer) line(text string) {
	w.lines++
	if w.test != nil {
		w.test.Body = append(w.test.Body, text)
		return
	}
	w.buf = append(append(w.buf, xfsio.May(text)...), '\n')
}

// Write takes one row.
func (w *Writer) Write(r *export.Row) error {
	w.begin()
	switch f := w.file(r); {
	case r.Len <= 0 || r.Facts.Pos < 0 || r.Facts.Blkbits < 9 || r.Facts.Blkbits > 20:
		w.bare++
	case f == nil:
		w.tooBig++
	case w.test != nil && w.writes >= maxTestWrites:
		w.test.tooLong++
	default:
		w.writes++
		w.write(f, r)
	}
	if w.writes == 0 {
		return nil // nothing leaves before there is something to repeat
	}
	return w.put(export.FlushBytes)
}

func (w *Writer) put(least int) error { return export.Flush(w.out, &w.buf, least, "script") }

// Close writes the rest of the script.
func (w *Writer) Close() error {
	if w.writes == 0 {
		return w.nothing()
	}
	if w.tooBig > 0 {
		w.comment("Writes that are left out, because this script has %d files already: %d", maxFiles, w.tooBig)
	}
	if w.bare > 0 {
		w.comment("Writes that are left out, because they have no length or where they went was not seen: %d", w.bare)
	}
	if w.test != nil {
		return w.closeTest()
	}
	w.line(fmt.Sprintf(`echo "writes repeated: %d"`, w.writes))
	return w.put(1)
}

// nothing says why nothing is repeated.
func (w *Writer) nothing() error {
	if w.bare > 0 {
		return fmt.Errorf("%w: of %d, where they went was not seen", export.ErrNothing, w.bare)
	}
	return export.ErrNothing
}

// file returns the file of r, and makes it when it is new; nil when there are too many.
func (w *Writer) file(r *export.Row) *file {
	id := r.File()
	f := w.files[id]
	switch {
	case f != nil:
		return f
	case len(w.files) >= maxFiles || r.Facts.Blkbits < 9:
		return nil
	}
	n := len(w.files) + 1
	f = &file{word: fmt.Sprintf(`"$f%d"`, n), blkbits: r.Facts.Blkbits}
	w.files[id] = f
	w.create(f, n, r)
	return f
}
