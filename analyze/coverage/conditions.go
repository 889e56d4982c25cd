package coverage

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// wrongs tells with each write which wrong kernels it would have shown: those of which a
// verdict on the same write to the same file is a disagreement.
type wrongs struct {
	variant  model.Variant
	unprobed record.Stages
	rows     []*sketch.Row
	first    []uint64 // number of the first write that shows a row; 0 while none does
	shows    []bool

	file     rebuilt
	right    sketch.Kernel
	shape    shape
	known    map[uint64]bool // by shape: whether the sketch repeats such writes
	repeated uint64
	other    uint64 // writes that it does not repeat, or on which it was not tried
	tried    uint64
}

const (
	// maxShapes bounds the memory of known shapes; when it is full, all are forgotten.
	maxShapes = 1 << 14
	// Of writes that hardly repeat a shape, the first are tried and then one in so many: a try
	// costs as much as twenty writes.
	triedAlways, triedOf = 4096, 16
)

// newWrongs is nil for a variant of which there is no sketch.
func newWrongs(v model.Variant) *wrongs {
	if !sketch.Can(v) {
		return nil
	}
	rows := sketch.Of(v)
	return &wrongs{
		variant: v, rows: rows, first: make([]uint64, len(rows)), shows: make([]bool, len(rows)),
		right: sketch.Kernel{Has: v.Behaviours(), Asked: map[sketch.Fault]bool{}}, known: map[uint64]bool{},
	}
}

// add takes a write that agrees.
func (w *wrongs) add(o *observe.Observation, seq uint64) {
	at := w.shape.of(o)
	repeats, ok := w.known[at]
	if !ok && w.tried < triedAlways+(w.repeated+w.other)/triedOf {
		if len(w.known) == maxShapes {
			clear(w.known)
		}
		w.tried++
		repeats = w.try(o, seq)
		w.known[at] = repeats
	}
	if repeats {
		w.repeated++
	} else {
		w.other++
	}
}

// try asks the sketch of the right kernel about a write, and when that does what was seen, those
// with one fault.
func (w *wrongs) try(o *observe.Observation, seq uint64) bool {
	if !w.file.from(o) {
		return false
	}
	clear(w.right.Asked)
	guesses := w.file.guesses()
	made := make([]*observe.Observation, len(guesses))
	for i, g := range guesses {
		made[i] = w.file.attempt(&w.right, g)
		if !sameAs(made[i], o) || judge.CompareSeen(made[i], w.variant, w.unprobed).Kind != judge.Agree {
			return false
		}
	}
	for i, r := range w.rows {
		if !w.shows[i] && w.right.Asked[r.Fault] && w.disagrees(r.Fault, guesses) {
			w.shows[i], w.first[i] = true, seq
		}
	}
	return true
}

// disagrees reports whether a kernel with a fault would have disagreed, whatever the facts
// are that were not seen.
func (w *wrongs) disagrees(f sketch.Fault, guesses []guess) bool {
	k := sketch.Kernel{Has: w.right.Has, Fault: f}
	for _, g := range guesses {
		o := w.file.attempt(&k, g)
		if sameAs(o, w.file.o) || !judge.CompareSeen(o, w.variant, w.unprobed).Kind.Disagrees() {
			return false
		}
	}
	return true
}

// Conditions are the wrong kernels of the list of conditions, and which of them the writes
// would have shown.
type Conditions struct {
	Noticed  int         `json:"noticed" doc:"wrong kernels that check would have noticed by these writes"`
	Of       int         `json:"of" doc:"wrong kernels of which that can be told of a single write"`
	Repeated uint64      `json:"repeated" doc:"writes whose right kernel the list's sketch repeats: the others count for nothing here"`
	Other    uint64      `json:"other" doc:"writes that it does not repeat, or on which it was not tried: of very many shapes"`
	Rows     []Condition `json:"rows" doc:"all rows, in the order of the list"`
}

// Condition is a condition of the kernel, and one way in which it can be wrong.
type Condition struct {
	Function  string `json:"function" doc:"function of the kernel"`
	Condition string `json:"condition" doc:"what is tested"`
	Wrong     string `json:"wrong" doc:"the wrong way"`
	Fault     string `json:"fault" doc:"its name in the list"`
	State     Notice `json:"state" doc:"noticed, missed, or hidden: check notices it by no single write, or that cannot be told of one"`
	First     uint64 `json:"first" doc:"number of the first write that shows it, as explain --seq takes it; 0 without"`
}

// Notice says whether a wrong kernel would have been noticed.
type Notice string

// States of a condition.
const (
	Noticed Notice = "noticed"
	Missed  Notice = "missed"
	Hidden  Notice = "hidden"
)

// Conditions are those of a variant by the writes so far, nil without a list.
func (c *Coverage) Conditions(v model.Variant) *Conditions { return c.of(v).wrongs.report() }

func (w *wrongs) report() *Conditions {
	if w == nil {
		return nil
	}
	out := &Conditions{Repeated: w.repeated, Other: w.other}
	for i, r := range w.rows {
		c := Condition{Function: r.Function, Condition: r.Condition, Wrong: r.Wrong, Fault: r.Fault.String(), First: w.first[i]}
		switch {
		case w.shows[i]:
			c.State = Noticed
			out.Noticed++
			out.Of++
		case r.Hidden(w.variant):
			c.State = Hidden
		default:
			c.State = Missed
			out.Of++
		}
		out.Rows = append(out.Rows, c)
	}
	return out
}

// append writes how many wrong kernels would have been noticed, and those that would not,
// grouped by function and condition.
func (c *Conditions) append(b *strings.Builder) {
	if c == nil {
		b.WriteString("\nno list of conditions for this kernel: which wrong kernels would have been noticed is not told\n")
		return
	}
	fmt.Fprintf(b, "\na kernel with one wrong condition would have been noticed in %d of %d ways%s\n", c.Noticed, c.Of, c.notRepeated())
	title := "WOULD NOT HAVE BEEN NOTICED: THE CONDITION, AND HOW IT IS WRONG"
	fn, condition := "", ""
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.State != Missed {
			continue
		}
		if title != "" {
			fmt.Fprintf(b, "\n%s", title)
			title = ""
		}
		switch {
		case r.Function != fn:
			fmt.Fprintf(b, "\n  %s\n    %s: %s", r.Function, r.Condition, r.Wrong)
		case r.Condition != condition:
			fmt.Fprintf(b, "\n    %s: %s", r.Condition, r.Wrong)
		default:
			fmt.Fprintf(b, "; %s", r.Wrong)
		}
		fn, condition = r.Function, r.Condition
	}
	if title == "" {
		b.WriteByte('\n')
	}
}

// notRepeated says how many of the writes say nothing of wrong kernels.
func (c *Conditions) notRepeated() string {
	if c.Other == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of %d writes tell nothing of that)", c.Other, c.Repeated+c.Other)
}
