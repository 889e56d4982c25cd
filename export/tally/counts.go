package tally

import "github.com/ext4dio/ext4dio-trace/export"

// Counts are the writes of one file, process or reason.
type Counts struct {
	export.Part
	By     [NumClasses]uint64
	Again  [NumPoints]uint64
	Zeroed uint64 // bytes
	TimeNs uint64 // spent in the write function, the waits included
}

// Eagain is the number of NOWAIT writes that got -EAGAIN at a known point.
func (c *Counts) Eagain() uint64 {
	n := uint64(0)
	for _, k := range c.Again {
		n += k
	}
	return n
}

// facts are what the counts take of a row, worked out once for all of them.
type facts struct {
	class    Class
	point    Point
	again    bool
	zeroed   uint64
	excluded bool // the lock was exclusive
}

func factsOf(r *export.Row, reason string) facts {
	var f facts
	if export.Is(r.Lock, export.Exclusive) {
		f.class, f.excluded = classify(r, reason), true
	}
	f.point, f.again = again(r)
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
	if f.again {
		c.Again[f.point]++
	}
	c.Zeroed += f.zeroed
	c.TimeNs += r.SubmitNs
}
