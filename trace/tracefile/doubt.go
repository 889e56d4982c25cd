package tracefile

import "sort"

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
		return c.parts[0].losses.MissedInner > 0
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
		for i := range p.index.Chunks {
			k := &p.index.Chunks[i]
			if n = sum + k.Losses.MissedInner; k.ReadTo > 0 {
				marks = append(marks, lossMark{k.ReadFrom, k.ReadTo, n})
			}
		}
		sum = n
	}
	return marks, sum
}
