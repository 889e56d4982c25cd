package advice

import (
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Bounds of what a Counter remembers. What falls out is counted with no file, or its waits
// for no cause.
const (
	maxFiles    = 1024
	maxHolders  = 4096 // writes that were exclusive, the last ones
	maxRefused  = 2048 // that wait for the next try, as package request has them
	maxAppender = 8    // threads of one file that are told apart
)

// file is what is counted of one file.
type file struct {
	id    record.FileID
	tries uint64
	// writes are those of them that NOWAIT did not refuse: a request is one of them.
	writes uint64
	cause  [numCauses]tally
	// appenders are threads that made exclusive appends; more of them are not told apart.
	appenders [maxAppender]uint32
	nosec     bool // a write of it has found S_NOSEC cleared
}

// tally counts what one cause makes.
type tally struct {
	writes uint64
	ns     uint64 // waited because of it
}

// Counter counts causes while writes come, each once. It is not safe for concurrent use.
type Counter struct {
	// NoWaits says that the probes for waits are not attached: it is not known who waited.
	NoWaits bool

	files  map[record.FileID]*file
	last   *file // the next write is most often to the same
	rest   file  // of those that are too many
	total  uint64
	facts  [numCauses]facts
	held   [maxHolders]holder
	failed [maxRefused]refusedTry

	variant model.Variant // that the last write was judged as
	later   *whatif.Decider
	patched [len(lockPatches)]*whatif.Decider // the variant with one patch more; nil: has it, or cannot
}

// facts are what the sentences of a cause need besides its tally.
type facts struct {
	all       uint64 // writes, of which the following are some
	unaligned uint64
	holes     uint64 // unaligned-unwritten: the first block is one, for sure
	uring     uint64
	asked     uint64                   // kernel-patch: writes of which it was asked which patch helps
	patch     [len(lockPatches)]uint64 // those that it alone makes shared
	kinds     [numKinds]uint64         // fallback: why
	ops       [numOps]uint64           // fallocate-beside: what it was
	waits     uint64
	reads     uint64 // direct reads that were queued
}

// New returns a Counter that has seen nothing.
func New() *Counter {
	return &Counter{files: make(map[record.FileID]*file), later: whatif.NewDecider(model.Linux73)}
}

// Anew makes c as New does.
func (c *Counter) Anew() {
	blind := c.NoWaits
	*c = *New()
	c.NoWaits = blind
}

// Add takes a write with its verdict, nil for one that was not judged. It keeps nothing of
// either.
func (c *Counter) Add(o *observe.Observation, v *judge.Verdict) {
	if o.Inside {
		return // it is not over
	}
	f := c.file(o)
	f.tries++
	if _, refused := o.Refused(); !refused {
		f.writes++
	}
	c.total += o.LatencyNs
	if v == nil {
		c.blame(f, o, none)
		return
	}
	c.judgedAs(v.Variant)
	cause := c.causeOf(f, o, v)
	c.again(f, o, cause)
	if cause != none {
		c.count(f, o, cause)
	}
	c.blame(f, o, cause)
}

// file is where a write is counted.
func (c *Counter) file(o *observe.Observation) *file {
	id := o.File().FileID
	if c.last != nil && c.last.id == id {
		return c.last
	}
	f := c.files[id]
	switch {
	case f != nil:
	case len(c.files) >= maxFiles:
		f = &c.rest
	default:
		f = &file{id: id}
		c.files[id] = f
	}
	if f != &c.rest {
		c.last = f
	}
	return f
}

// judgedAs takes the variant of the kernel.
func (c *Counter) judgedAs(v model.Variant) {
	if v == c.variant {
		return
	}
	c.variant = v
	for i, n := range lockPatches {
		if c.patched[i] = nil; v.WithPatch(n, true) != v {
			c.patched[i] = whatif.NewDecider(v.WithPatch(n, true))
		}
	}
}

// count adds a write to its cause.
func (c *Counter) count(f *file, o *observe.Observation, cause cause) {
	f.cause[cause].writes++
	fa := &c.facts[cause]
	fa.all++
	if unaligned, known := o.Unaligned(); known && unaligned {
		fa.unaligned++
	}
	if cause == unalignedUnwritten && head(o) == model.Hole {
		fa.holes++
	}
	if o.Caller == record.CallerIOUring || o.Caller == record.CallerIOUringIOPoll || o.Caller == record.CallerIOWQ {
		fa.uring++
	}
	if o.Drain != nil {
		f.cause[cause].ns += o.Drain.Ns
	}
	switch {
	case cause == fallback:
		fa.kinds[kindOf(o)]++
		c.hold(o, cause) // ext4_buffered_write_iter holds i_rwsem exclusive
	case exclusive(o):
		c.hold(o, cause)
		if cause == kernelPatch && fa.asked < maxAsked {
			c.whichPatch(fa, o)
		}
	}
}

// lockPatches are the patches of the series that give writes the shared lock, and maxAsked is
// of how many writes it is asked which: they are much the same.
var lockPatches = [...]int{3, 4}

const maxAsked = 1000

// whichPatch asks the model which patch alone makes a write shared.
func (c *Counter) whichPatch(fa *facts, o *observe.Observation) {
	fa.asked++
	for i, d := range c.patched {
		if d != nil && d.Decide(o).Lock == whatif.Shared {
			fa.patch[i]++
		}
	}
}
