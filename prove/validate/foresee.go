package validate

import (
	"fmt"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Foreseen is what the model says of one attempt of a write.
type Foreseen struct {
	Step int // of the scenario
	Pos  int64
	Out  *model.Outcome // valid during the call
}

// Foresee carries out a scenario on a file in memory, and tells what the model of a variant
// says of each attempt of its writes. Time stamps are as stale says where the scenario
// leaves that open. The error says what is wrong with the scenario.
func (s *Scenario) Foresee(v model.Variant, stale bool, tell func(Foreseen)) error {
	f := newSimFile(simBlockSize(s))
	f.journalled = needs(s, traitDirect, 0)
	old := false // the time stamps were set to the past
	for i, step := range s.Steps {
		if step.Setup != nil {
			if why := f.apply(step.Setup); why != "" {
				return fmt.Errorf("%s.txt:%d: %s (%s)", s.Theme, step.Line, why, f)
			}
			switch step.Setup.Op {
			case "stale":
				old = true
			case "write", "prime", "buffered":
				old = false
			}
			continue
		}
		k := modelKernel{variant: v, told: func(pos int64, out *model.Outcome) { tell(Foreseen{Step: i, Pos: pos, Out: out}) }}
		if step.Write.Fresh >= 0 {
			f.freshen(step.Write)
		}
		simulateAttempts(f, step.Write, k, step.Write.Fresh < 0 && (old || stale))
		if step.Write.Held >= 0 {
			f.buffered(step.Write.Held, f.bs)
		}
		old = false
	}
	return nil
}
