package session

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/export"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// maxEarly bounds the records that are kept to be judged again, bytes.
const maxEarly = 1 << 20

// Counter is a Sink that counts rows itself.
type Counter interface {
	// Anew forgets what was counted, and returns what takes the same rows again.
	Anew() func(*export.Row)
}

// Noter is a Sink that takes what is said between the rows.
type Noter interface {
	Note(text string)
}

// Note says something at its place between the rows, to a Sink that takes such.
func (t *Trace) Note(text string) {
	if n, ok := t.Sink.(Noter); ok {
		n.Note(text)
	}
}

// feed judges one record. While the variant is provisional it is kept: when the variant
// turns out to be another, all is judged again.
func (t *Trace) feed(raw []byte) {
	t.tellMarksOf(raw)
	d := t.judge.Detector()
	if !d.Provisional() {
		t.early = batch{}
	} else if t.late = t.late || len(t.early.bytes)+len(raw) > maxEarly; t.late {
		t.early = batch{}
	} else {
		t.early.add(raw)
	}
	was := d.Best()
	_ = t.judge.Feed(raw) // the judge counts what it does not understand
	if d.Best() != was {
		t.judgeAgain(was)
	}
}

// flush judges the writes that wait for a completion, at the end.
func (t *Trace) flush() {
	d := t.judge.Detector()
	was := d.Best()
	if t.judge.Flush(); d.Best() != was {
		t.judgeAgain(was)
		t.judge.Flush()
	}
}

// judgeAgain corrects the totals after writes were judged as a variant that is ruled out
// now. It is told when they were too many to be kept.
func (t *Trace) judgeAgain(was model.Variant) {
	d, n := t.judge.Detector(), t.Summary.Totals.Writes
	if n == 1 {
		return // the write that told so was judged by that already
	}
	text := fmt.Sprintf("the variant is %s: the %d writes before this were judged as %s", variantText(d), n-1, was)
	if t.late {
		t.Note(text + ", and stay so in the totals")
		return
	}
	k := *t.Kernel
	k.Settled = d
	again, err := t.judgeOf(k, "auto")
	if err != nil {
		return // never: auto is a variant
	}
	t.again = func(*export.Row) {}
	if c, ok := t.Sink.(Counter); ok {
		t.again = c.Anew()
	}
	t.judge, t.Summary.Totals = again, export.Totals{}
	if t.Adviser != nil {
		t.Adviser.Anew()
	}
	t.early.each(func(raw []byte) { _ = again.Feed(raw) })
	t.again = nil
	t.Note(text + "; the totals are corrected")
}
