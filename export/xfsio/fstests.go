package xfsio

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/prove/workload/fstests"
	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
)

// FstestsFormat is the same script as a test of fstests.
var FstestsFormat = export.Format{
	Name: "fstests", Help: "a test for fstests that does what xfsio does, and what it is to print: a\nreproducer for a disagreement, with --only unsafe,differs",
	To: export.ToFolder, Into: "the test and its golden output",
	New: func(t export.Target) export.Writer { return newTest(t) },
}

// maxTestWrites bounds the writes of a test, which has to stay quick.
const maxTestWrites = 1000

// wholeFile is up to which size a test prints all of a file, in bytes.
const wholeFile = 1 << 20

// test is what a Writer makes of rows for fstests.
type test struct {
	fstests.Test
	target  export.Target
	files   []*file
	again   []repeated
	tooLong int // writes that are left out
}

// repeated is a write that a kernel may refuse, which the test makes once more at its end.
type repeated struct {
	f        *file
	off, len int64
}

func newTest(target export.Target) *Writer {
	w := New(io.Discard)
	w.test = &test{target: target}
	w.test.About = []string{"Direct writes on ext4 that were recorded, repeated one after the other.", ""}
	for _, line := range target.About {
		w.test.About = append(w.test.About, export.Safe(line))
	}
	return w
}

// createInTest makes a file on the scratch device, which has the blocks of the first.
func (w *Writer) createInTest(f *file, n int) {
	t := w.test
	f.data = &fstests.Content{}
	t.files = append(t.files, f)
	size := int64(1) << f.blkbits
	if t.BlockSize == 0 {
		t.BlockSize = size
	}
	if t.BlockSize != size {
		w.comment("It was on blocks of %d bytes; here they have %d.", size, t.BlockSize)
	}
	w.line(fmt.Sprintf(`f%d=$SCRATCH_MNT/e4d-%d`, n, n))
	w.line(": >" + f.word)
}

// line adds the line of a write. What must be written shows in the golden output; what a
// right kernel may refuse, or was not seen to its end, is written once more at the end, so that
// the bytes are the same.
func (t *test) line(w *Writer, f *file, r *export.Row, line string) {
	nowait := r.KiFlags&export.KiNowait != 0
	switch {
	case !nowait && (r.Disagrees() || r.Ret.Known && r.Ret.V == r.Len):
		w.line(line)
		f.fill(r.Pos, r.Len, xfsio.Pattern(w.writes))
	case !nowait && r.Ret.Known && r.Ret.V < 0:
		w.comment("  it failed, and is not repeated")
	default:
		w.line(line + " || :")
		t.again = append(t.again, repeated{f, r.Pos, r.Len})
	}
}

// closeTest writes the two files.
func (w *Writer) closeTest() error {
	t := w.test
	if t.tooLong > 0 {
		w.comment("Writes that are left out, because this test has %d already: %d", maxTestWrites, t.tooLong)
	}
	if len(t.again) > 0 {
		w.line("")
		w.comment("Once more, and waiting: so the bytes are the same, whether or not the kernel refused.")
	}
	for i, a := range t.again {
		pattern := xfsio.Pattern(w.writes + i + 1)
		w.line(xfsio.Line("-d", a.f.word, xfsio.Write{Off: a.off, Len: a.len, Block: a.len, Quiet: true, Pattern: pattern}.String()))
		a.f.fill(a.off, a.len, pattern)
	}
	for _, f := range t.files {
		t.Files = append(t.Files, fstests.File{Word: f.word, Content: f.data, Ranges: f.ranges()})
	}
	if err := t.number(); err != nil {
		return err
	}
	if err := t.put(t.Name(), t.Script(), 0o755); err != nil {
		return err
	}
	return t.put(t.Name()+".out", t.Golden(), 0o644)
}

// number takes the first number that the folder has free.
func (t *test) number() error {
	for t.Number = fstests.First; t.Number <= fstests.Last; t.Number++ {
		if taken := t.target.Taken; taken == nil || !taken(t.Name()) && !taken(t.Name()+".out") {
			return nil
		}
	}
	return fmt.Errorf("the folder has tests of all numbers from %d to %d", fstests.First, fstests.Last)
}

// fill notes what a write leaves.
func (f *file) fill(off, n int64, pattern int) {
	f.data.Write(off, n, byte(pattern))
	f.touched.set(off>>f.blkbits, blocksUp(off+n, f.blkbits), written)
}

// ranges are the parts of a large file that were written, in whole blocks.
func (f *file) ranges() (out []fstests.Range) {
	if f.data.Size() <= wholeFile {
		return nil
	}
	for _, p := range f.touched.pieces {
		if p.from<<f.blkbits >= f.data.Size() {
			continue // it was cut off again
		}
		out = append(out, fstests.Range{Off: p.from << f.blkbits, Len: (p.to - p.from) << f.blkbits})
	}
	return out
}

func (t *test) put(name string, text []byte, mode fs.FileMode) error {
	to, err := t.target.Create(name)
	if err != nil {
		return err
	}
	if c, ok := to.(interface{ Chmod(fs.FileMode) error }); ok {
		err = c.Chmod(mode)
	}
	if _, e := to.Write(text); err == nil {
		err = e
	}
	if e := to.Close(); err == nil {
		err = e
	}
	return err
}
