package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Decider decides one write after the other, for those who need no verdict. Its zero value is
// ready, and it allocates nothing.
type Decider struct{ c comparer }

// Decide is Decide without the verdict. The decision is valid until the next one.
func (d *Decider) Decide(o *observe.Observation, v model.Variant) *model.Decision {
	d.c.judge(o, v)
	return &d.c.best.d
}
