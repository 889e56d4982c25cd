package random

import (
	"reflect"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// shrink makes a case that fails smaller as long as it fails, with at most tries
// runs of fails: fewer steps, then plainer ones, then smaller numbers.
func shrink(c *Case, unit int64, tries int, fails func(*Case) bool) *Case {
	s := &shrinker{best: c, unit: unit, tries: tries, fails: fails}
	for s.again = true; s.again && s.tries > 0; {
		s.again = false
		s.dropSteps()
		s.simplify()
	}
	return s.best
}

type shrinker struct {
	best  *Case
	unit  int64 // numbers stay multiples of it, bytes
	tries int
	fails func(*Case) bool
	again bool // something became smaller in this round
}

// try takes steps over when they still fail.
func (s *shrinker) try(steps []Step) bool {
	if s.tries <= 0 {
		return false
	}
	s.tries--
	c := &Case{Seed: s.best.Seed, Number: s.best.Number, Steps: steps}
	if !s.fails(c) {
		return false
	}
	s.best, s.again = c, true
	return true
}

// dropSteps leaves out halves, quarters, and at last single steps, from the end.
func (s *shrinker) dropSteps() {
	for n := (len(s.best.Steps) + 1) / 2; n > 0; n /= 2 {
		for from := len(s.best.Steps) - n; from >= 0; from-- {
			if from+n > len(s.best.Steps) || len(s.best.Steps) == n {
				continue
			}
			s.try(slices.Delete(slices.Clone(s.best.Steps), from, from+n))
		}
	}
}

// simplify makes each step plainer, one change at a time.
func (s *shrinker) simplify() {
	for i := range s.best.Steps {
		for _, change := range changes {
			// One that helps is made again, such as halving.
			for {
				steps := slices.Clone(s.best.Steps)
				change(&steps[i], s.unit)
				if reflect.DeepEqual(steps[i], s.best.Steps[i]) || !s.try(steps) {
					break
				}
			}
		}
	}
}

// changes make a write plainer, or a step smaller, where it is not yet.
var changes = [...]func(s *Step, unit int64){
	func(s *Step, _ int64) {
		if s.Op == Write {
			s.Segs = []int{int(s.Len)}
		}
	},
	func(s *Step, _ int64) { s.Buf = 0 },
	without(unix.RWF_NOWAIT), without(unix.RWF_APPEND), without(unix.RWF_DSYNC),
	func(s *Step, _ int64) { s.Fresh = false },
	func(s *Step, _ int64) {
		switch {
		case s.Op != Write:
		case s.Flags == 0 && len(s.Segs) == 1:
			s.Engine = workload.Pwrite
		case s.Engine != workload.Pwrite:
			s.Engine = workload.Pwritev2
		}
	},
	func(s *Step, unit int64) { halve(s, unit*8) },
	halve,
	func(s *Step, unit int64) { s.Off = s.Off / 2 / (unit * 8) * (unit * 8) },
}

// without takes a flag away.
func without(flag int) func(*Step, int64) {
	return func(s *Step, _ int64) { s.Flags &^= flag }
}

// halve makes a step's length half of it, in multiples of unit.
func halve(s *Step, unit int64) {
	half := (s.Len/2 + unit - 1) / unit * unit
	if s.Len <= unit || half >= s.Len || half == 0 {
		return
	}
	s.Len = half
	if s.Op == Write {
		s.Segs = []int{int(half)}
	}
}
