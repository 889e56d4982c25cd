package coverage

import (
	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Reaches tells which points the cases reach, by their numbers.
func Reaches(v model.Variant) func(i int) bool {
	s := reachable(v)
	return s.has
}

// AddWays is Add without the list of conditions.
func AddWays(c *Coverage, o *observe.Observation, v *judge.Verdict) {
	c.of(v.Variant).wrongs = nil
	c.Add(o, v)
}

// ShapeOf is the shape of a write.
func ShapeOf(o *observe.Observation) uint64 { return new(shape).of(o) }

// Repeats reports whether the sketch of a kernel with a fault makes a write as it was seen.
func Repeats(o *observe.Observation, v model.Variant, f sketch.Fault) bool {
	var r rebuilt
	if !r.from(o) {
		return false
	}
	k := sketch.Kernel{Has: v.Behaviours(), Fault: f}
	for _, g := range r.guesses() {
		if sameAs(r.attempt(&k, g), o) {
			return true
		}
	}
	return false
}
