package judge

import (
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
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

// Disagrees reports whether the kernel did something else than the model says.
func (k Kind) Disagrees() bool { return k >= Slower }

// Verdict is the judgement over one observation under one variant. Why puts it into
// sentences.
type Verdict struct {
	Kind    Kind
	Variant model.Variant
	// Provisional says that a write that comes later may rule out Variant.
	Provisional bool
	// Seq is the number of the write in the stream, from 1; 0 without a stream.
	Seq uint64
	// Expected is what the model predicts. It is nil when nothing was predicted
	// (an incomplete observation).
	Expected *Expected
	// Reason is the short name of why the write took its lock mode, for tables, or what
	// stands in its place: ReasonIncomplete, ReasonLookup, ReasonUnknown.
	Reason model.Reason
	// Also are the other reasons that hold, as far as there are some.
	Also [2]model.Reason
	// Diffs are what differs from the decision, in the order of the fields.
	Diffs []Diff
	// Rules are the broken rules.
	Rules rules.Set
	// Hazards are the rules that the write broke and that this kernel does not
	// promise (R5 without patch 2, R12 without patch 1), whatever the Kind.
	Hazards rules.Set
	// Overlaps are what the write did together with writes that were judged before
	// it, on one block. Those that break a promised rule are in Rules, too.
	Overlaps []overlap.Pair
	// Sleeps are those of a write that breaks R4.
	Sleeps []observe.Sleep
	// Missing names the fact that was missing when Kind is Undecided.
	Missing string
}

// What stands in the place of a reason that a decision gives.
const (
	ReasonIncomplete model.Reason = "incomplete"     // the record
	ReasonLookup     model.Reason = "lookup missing" // that the decision needs
	ReasonUnknown    model.Reason = "unknown"
)

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

// Diff is one difference between what was seen and the decision, in words.
type Diff struct {
	Field      Field
	Pos        int64 // of FieldAlloc: where in the file, bytes
	Seen, Want string
}

// String says in one sentence what was seen and what was expected.
func (d Diff) String() string {
	name := d.Field.String()
	if d.Field == FieldAlloc {
		name = fmt.Sprintf("%s at %d", name, d.Pos)
	}
	return name + ": observed " + d.Seen + ", expected " + d.Want
}

// Clone returns a copy of v that shares nothing with it: a verdict of a Judge is
// valid for the moment only.
func (v *Verdict) Clone() *Verdict {
	c := *v
	c.Diffs, c.Overlaps, c.Sleeps = slices.Clone(v.Diffs), slices.Clone(v.Overlaps), slices.Clone(v.Sleeps)
	if v.Expected != nil {
		e := *v.Expected
		c.Expected = &e
	}
	return &c
}

// ReasonLine is Reason with all else that held.
func (v *Verdict) ReasonLine() string {
	text := string(v.Reason)
	for _, r := range v.Also {
		if r != model.ReasonNone {
			text += " + " + string(r)
		}
	}
	return text
}

// Why explains v in the kernel's words, one sentence each: the reason of the decision,
// what is missing, each difference, each broken rule that protects something, and what
// broke it.
func (v *Verdict) Why() []string { return v.AppendWhy(nil) }

// AppendWhy appends the sentences of Why to dst.
func (v *Verdict) AppendWhy(dst []string) []string {
	dst = append(dst, string(v.Reason))
	if v.Kind == Agree {
		return dst
	}
	if v.Missing != "" {
		dst = append(dst, "not decided: "+v.Missing)
	}
	copied := false
	for _, d := range v.Diffs {
		dst = append(dst, d.String())
		copied = copied || d.Field == FieldCopyLock
	}
	if v.Kind == Unsafe && v.Rules.Safety() == 0 && !copied {
		dst = append(dst, "security info may change under the shared lock: the inode is not nosec")
	}
	for r := range v.Rules.Safety().Rules() {
		dst = append(dst, r.ID+" is broken: "+r.Text)
	}
	for i := range v.Sleeps {
		if s := &v.Sleeps[i]; s.Cause.Ext4() {
			dst = append(dst, s.String())
		}
	}
	for i := range v.Overlaps {
		if p := &v.Overlaps[i]; p.Kind.Rule()&v.Rules != 0 {
			dst = append(dst, p.String())
		}
	}
	return dst
}
