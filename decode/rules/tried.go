package rules

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Pairs are the rules that two writes can break together.
const Pairs = R2 | R3 | R5

// Tried is the set of rules that an observation which is judged could have broken: that it
// broke none of them says something of the kernel.
func Tried(o *observe.Observation, c Conditions) Set {
	out := triedByZeroing(o)
	p := o.LastPass()
	if p != nil {
		out |= R6 | R7 | R9
	}
	if o.Dio {
		out |= R8
		if p != nil && p.Count > 0 && p.Pos+p.Count > p.ISize {
			out |= R11 | R13
		}
	}
	if o.Flags&model.IocbNowait != 0 {
		out |= R4 | R10
		if o.Dio {
			out |= R12
		}
	}
	if o.Buffered != nil && o.Buffered.Copied {
		out |= R5
	}
	return out.Probed(c.Unprobed)
}

// triedByZeroing are those of R1, R2 and R3 that a piece which o zeroed could have broken.
func triedByZeroing(o *observe.Observation) (out Set) {
	p := o.LastPass()
	if p == nil || !o.Dio {
		return 0
	}
	for i := range o.Zeroed {
		switch ZeroOf(o, &o.Zeroed[i], p) {
		case ZeroWritten:
			out |= R1
		case ZeroEmpty:
			out |= R1 | R2
			if observe.Async(o.Caller) != model.No {
				out |= R3
			}
		}
	}
	return out
}
