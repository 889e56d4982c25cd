package judge

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Kind is the outcome of comparing an observation with the model.
type Kind uint8

// Outcomes, from unproven to dangerous.
const (
	Undecided Kind = iota // what was seen does not decide it
	Agree                 // every observed field is what the model says
	Slower                // the kernel serialised more than needed: safe, costs speed
	Differs               // any other difference
	Unsafe                // a rule that protects data or the NOWAIT promise was broken
)

var kindNames = [...]string{"undecided", "agree", "slower", "differs", "unsafe"}

func (k Kind) String() string { return kindNames[k] }

// Verdict is the judgement over one observation under one variant.
type Verdict struct {
	Kind    Kind
	Variant model.Variant
	// Expected is what the model predicts. It is nil when nothing was predicted
	// (an incomplete observation).
	Expected *Expected
	// Why explains the decision and then each difference, in the kernel's words,
	// one sentence each.
	Why []string
	// Rules lists the broken rules by id (R1 …), empty when none.
	Rules []string
	// Hazards lists the rules that the write broke and that this kernel does not
	// promise (R5 without patch 2, R12 without patch 1), whatever the Kind.
	Hazards []string
	// Overlaps are what the write did together with writes that were judged before
	// it, on one block. Those that break a promised rule are in Rules and Why, too.
	Overlaps []overlap.Pair
	// Missing names the fact that was missing when Kind is Undecided.
	Missing string
}

// Clone returns a copy of v that shares nothing with it: a verdict of a Judge is
// valid for the moment only.
func (v *Verdict) Clone() *Verdict {
	c := *v
	c.Why, c.Rules, c.Hazards = slices.Clone(v.Why), slices.Clone(v.Rules), slices.Clone(v.Hazards)
	c.Overlaps = slices.Clone(v.Overlaps)
	if v.Expected != nil {
		e := *v.Expected
		c.Expected = &e
	}
	return &c
}

// Expected is the predicted outcome in the form in which it is shown.
type Expected struct {
	Lock      record.Lock // LockUnknown: no direct I/O at all
	Passes    int
	Drained   bool
	ForceWait bool
	// Ret is a predicted result: a negative errno, or 0 when the result depends
	// on the device and is not predicted.
	Ret int64
}

// Reason is the short name of why the write took its lock mode, for tables:
// "overwrite", "extending", "zeroing", "not overwrite", "nosec", "guess", …
func (v *Verdict) Reason() string {
	if len(v.Why) == 0 {
		return ""
	}
	return v.Why[0]
}
