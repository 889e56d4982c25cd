package tally

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
)

// Counts are the writes of one file, process or reason.
type Counts struct {
	export.Part
	By     [NumClasses]uint64
	Again  [observe.NumPoints]uint64 // refused by NOWAIT, by the point
	Zeroed uint64                    // bytes
	TimeNs uint64                    // spent in the write function, the waits included
}

// facts are what the counts take of a row, worked out once for all of them.
type facts struct {
	class    Class
	zeroed   uint64
	excluded bool // the lock was exclusive
}

func factsOf(r *export.Row, reason string) facts {
	var f facts
	if export.Is(r.Lock, export.Exclusive) {
		f.class, f.excluded = classify(r, reason), true
	}
	for i := range r.Zeroed {
		f.zeroed += uint64(r.Zeroed[i].Len)
	}
	return f
}

// add counts what Part does not. It is small enough to be put in its caller's place.
func (c *Counts) add(r *export.Row, f *facts) {
	if !r.Verdict.Known && r.Incomplete != "" {
		c.Unjudged-- // it is one of the incomplete ones
	}
	if f.excluded {
		c.By[f.class]++
	}
	if r.Refused.Known {
		c.Again[r.Refused.V]++
	}
	c.Zeroed += f.zeroed
	c.TimeNs += r.SubmitNs
}
