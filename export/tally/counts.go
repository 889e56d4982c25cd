package tally

import "github.com/ext4dio/ext4dio-trace/export"

// Counts are the writes of one file, process or reason.
type Counts struct {
	Writes uint64
	export.Locks
	export.Judged
	By        [NumClasses]uint64
	Restarted uint64 // more than one pass
	Drained   uint64
	NoWait    uint64 // asked for IOCB_NOWAIT
	Again     [NumPoints]uint64
	Zeroed    uint64 // bytes
	Bytes     uint64 // written, by results
	WaitNs    uint64 // waited for i_rwsem
	TimeNs    uint64 // spent in the write function, the waits included
	Lacking   uint64 // incomplete
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

func (c *Counts) add(r *export.Row, f *facts) {
	c.Writes++
	c.Locks.Add(r.Lock)
	if f.excluded {
		c.By[f.class]++
	}
	if r.Passes.V > 1 {
		c.Restarted++
	}
	if r.Drained.V {
		c.Drained++
	}
	if r.KiFlags&export.KiNowait != 0 {
		c.NoWait++
	}
	if f.again {
		c.Again[f.point]++
	}
	c.Zeroed += f.zeroed
	if r.Ret.V > 0 {
		c.Bytes += uint64(r.Ret.V)
	}
	c.WaitNs += r.WaitNs.V
	c.TimeNs += r.SubmitNs
	if r.Incomplete != "" {
		c.Lacking++
	}
	if r.Verdict.Known || r.Incomplete == "" {
		c.Judged.Add(r.Verdict)
	}
}
