package whatif

import (
	"cmp"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Counter counts what another variant would do with writes while they come. It decides
// them and simulates nothing. The number of cells is bounded by the texts that there are.
type Counter struct {
	decider *Decider
	sum     Decisions // without cells and facts
	cells   map[Kind]*Cell
	last    *Cell // the next write is most often like the last
	from    [numOrigins]uint64
	open    tries
}

// NewCounter counts under v.
func NewCounter(v model.Variant) *Counter {
	return &Counter{decider: NewDecider(v), cells: map[Kind]*Cell{}}
}

// NewChanged counts under a change, of a kernel of which the variant is traced. Where no other
// is asked for, what the change does not touch goes down as that kernel did, right or wrong.
func NewChanged(to Change, traced model.Variant) *Counter {
	c := NewCounter(cmp.Or(to.Variant, traced))
	c.decider.app, c.decider.same = to.App, to.Variant == 0
	return c
}

// Add decides and counts one write; reason is that of its lock on the kernel that made it.
func (c *Counter) Add(o *observe.Observation, reason string) { c.add(o, reason) }

// add is Add, and says how the write went down and how it would. Of the tries of one
// request the last stands for all.
func (c *Counter) add(o *observe.Observation, reason string) (now, then way) {
	out := c.decider.Decide(o)
	now = seen(o)
	if op, ok := c.open.of[o.Request]; ok && o.Try > 1 {
		now, out = c.again(o, op, now, out)
	} else if out.Lock == Refused && now.lock != Refused && byIOUring(o) {
		out = c.offloaded(o, out)
	}
	if c.decider.app.NoNowait && o.Flags&model.IocbNowait != 0 && byIOUring(o) {
		out.way.offload = true // by a thread that may wait
	}
	op := opened{out, Kind{reason, now.lock, out.Lock, string(out.Reason)}, o.Len0, o.WaitNs}
	switch {
	case out.Lock == Undecided:
		op.kind.Why = out.Missing
	case out.asSeen:
		op.kind.Why = reason
	}
	c.count(&op)
	if now.lock == Refused {
		c.open.put(o.Request, op)
	}
	return now, out.way
}

// count adds a write.
func (c *Counter) count(op *opened) {
	c.tell(op, 1)
	cell := c.cell(op.kind)
	cell.Writes++
	cell.Bytes += op.bytes
	cell.WaitNs += op.wait
}

// uncount takes one back.
func (c *Counter) uncount(op *opened) {
	c.tell(op, ^uint64(0))
	cell := c.cell(op.kind)
	cell.Writes--
	cell.Bytes -= op.bytes
	cell.WaitNs -= op.wait
}

// tell adds n writes to the sums.
func (c *Counter) tell(op *opened, n uint64) {
	if op.out.Lock == Undecided {
		if c.sum.Missing == nil {
			c.sum.Missing = map[string]uint64{}
		}
		c.sum.Missing[op.out.Missing] += n
	} else {
		c.from[op.out.From] += n
	}
	if c.sum.Writes += n; op.out.Lock != Undecided && op.kind.Now != Undecided && op.out.Lock != op.kind.Now {
		c.sum.Changed += n
	}
}

func (c *Counter) cell(k Kind) *Cell {
	if c.last == nil || c.last.Kind != k {
		c.last = c.cells[k]
	}
	if c.last == nil {
		c.last = &Cell{Kind: k}
		c.cells[k] = c.last
	}
	return c.last
}

// Decisions is what was counted so far, the largest cells first.
func (c *Counter) Decisions() Decisions {
	d := c.sum
	d.Facts = map[string]uint64{}
	for _, cell := range c.cells {
		if cell.Writes == 0 {
			continue // counted with another try
		}
		d.Cells = append(d.Cells, *cell)
	}
	slices.SortFunc(d.Cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(b.Writes, a.Writes), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Then, b.Then))
	})
	for i, n := range c.from {
		if n > 0 {
			d.Facts[Origin(i).String()] = n
		}
	}
	return d
}
