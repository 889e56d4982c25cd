package whatif

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Counter counts what another variant would do with writes while they come. It decides
// them and simulates nothing.
type Counter struct {
	decider *Decider
	table   tables
}

// NewCounter counts under v.
func NewCounter(v model.Variant) *Counter { return &Counter{decider: NewDecider(v)} }

// Add decides and counts one write; reason is that of its lock on the kernel that made it.
func (c *Counter) Add(o *observe.Observation, reason string) { c.add(o, reason) }

// add is Add, and says how the write went down and how it would.
func (c *Counter) add(o *observe.Observation, reason string) (now, then way) {
	out := c.decider.Decide(o)
	now = seen(o)
	c.table.add(o, reason, now.lock, &out)
	return now, out.way
}

// Decisions is what was counted so far.
func (c *Counter) Decisions() Decisions { return c.table.decisions() }
