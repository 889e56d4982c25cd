package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Decide is what variant v decides about o, with the steps that lead there, and
// the verdict of that. A fact that was not seen ends the decision; it is named.
func Decide(o *observe.Observation, v model.Variant) (*model.Decision, *Verdict) {
	c := new(comparer)
	ver := c.verdict(o, v, c.judge(o, v), nil)
	return &c.d, ver
}
