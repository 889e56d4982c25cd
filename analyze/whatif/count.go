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
}

// NewCounter counts under v.
func NewCounter(v model.Variant) *Counter {
	return &Counter{decider: NewDecider(v), cells: map[Kind]*Cell{}}
}

// Add decides and counts one write; reason is that of its lock on the kernel that made it.
func (c *Counter) Add(o *observe.Observation, reason string) { c.add(o, reason) }

// add is Add, and says how the write went down and how it would.
func (c *Counter) add(o *observe.Observation, reason string) (now, then way) {
	out := c.decider.Decide(o)
	now = seen(o)
	k := Kind{reason, now.lock, out.Lock, string(out.Reason)}
	if out.Lock == Undecided {
		k.Why = out.Missing
		if c.sum.Missing == nil {
			c.sum.Missing = map[string]uint64{}
		}
		c.sum.Missing[out.Missing]++
	} else {
		c.from[out.From]++
	}
	if c.sum.Writes++; out.Lock != Undecided && now.lock != Undecided && out.Lock != now.lock {
		c.sum.Changed++
	}
	cell := c.cell(k)
	cell.Writes++
	cell.Bytes += o.Len0
	cell.WaitNs += o.WaitNs
	return now, out.way
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
