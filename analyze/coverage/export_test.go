package coverage

import (
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
