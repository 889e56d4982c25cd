// Package rules has the rules R1 to R13 of direct writes, and finds those that a write
// breaks by itself, without a variant. What two writes break together is found by
// package overlap; the comparison with a variant's decision adds R6 to R10, and decides
// which broken rules that kernel promised to keep.
package rules

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Set is a set of rules.
type Set uint16

// The rules. Their ids (R1 …) are stable.
const (
	R1 Set = 1 << (iota + 1)
	R2
	R3
	R4
	R5
	R6
	R7
	R8
	R9
	R10
	R11
	R12
	R13
)

// Last is the number of the last rule; the first one is R1.
const Last = 13

// Rule describes one rule of direct writes.
type Rule struct {
	// Set holds this rule alone.
	Set Set
	// ID is its stable name: R1 …
	ID   string
	Text string // one sentence
	Why  string // why it matters, in the kernel's terms
	// Needs are the stages without which it cannot be judged, and NeedsAlso says
	// which of their fields, and what a second judgement of the rule needs.
	Needs     record.Stages
	NeedsAlso string
	// Exempt are the cases that look like a breach and are lawful.
	Exempt []Exemption
	// Compares names the fields whose difference from the variant's decision breaks
	// the rule. It is empty for a rule that the observation alone decides.
	Compares []string
	// Promise is what a kernel must have to promise the rule; 0 when all do. A
	// write that breaks a rule that its kernel does not promise is a hazard, not a
	// disagreement. What R4 promises depends on the cause of the sleep: its Promise
	// is 0, and PromisedBy tells.
	Promise model.Behaviours
	// Safety is set for a rule that protects data or the NOWAIT promise. To break
	// another rule is a difference, not a danger.
	Safety bool
}

// Number is that of its id.
func (r *Rule) Number() int { return bits.TrailingZeros16(uint16(r.Set)) }

// Exemption is a case in which a rule does not apply.
type Exemption struct {
	Name string // E-eof …
	Text string // one sentence
}

// All lists the rules in the order of their ids. The list is the caller's.
func All() []Rule {
	out := slices.Clone(table[1:])
	for i := range out {
		out[i].Exempt = slices.Clone(out[i].Exempt)
		out[i].Compares = slices.Clone(out[i].Compares)
	}
	return out
}

// Parse finds the rule with this id, in upper or lower case. The error names
// the ids that exist.
func Parse(id string) (Rule, error) {
	for _, r := range All() {
		if strings.EqualFold(r.ID, id) {
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("unknown rule %q: one of R1 to R%d", id, Last)
}

// Rules are the rules in the set, in order. They must not be changed.
func (r Set) Rules() iter.Seq[*Rule] {
	return func(yield func(*Rule) bool) {
		for left := r; left != 0; left &= left - 1 {
			if !yield(&table[bits.TrailingZeros16(uint16(left))]) {
				return
			}
		}
	}
}

// IDs lists the ids of the rules in the set, in order.
func (r Set) IDs() []string { return r.AppendIDs(nil) }

// AppendIDs appends the ids of the rules in the set, in order.
func (r Set) AppendIDs(dst []string) []string {
	for left := r; left != 0; left &= left - 1 { // a loop over Rules is not inlined
		dst = append(dst, table[bits.TrailingZeros16(uint16(left))].ID)
	}
	return dst
}

// String is the ids of the rules in the set.
func (r Set) String() string { return strings.Join(r.IDs(), " ") }

// Safety is the part of r that protects data or the NOWAIT promise.
func (r Set) Safety() Set { return r.only(func(rule *Rule) bool { return rule.Safety }) }

// Promised is the part of r that a kernel with these behaviours promises.
func (r Set) Promised(has model.Behaviours) Set {
	return r.only(func(rule *Rule) bool { return has.Has(rule.Promise) })
}

// Probed is the part of r that can be judged although these stages have no probe.
func (r Set) Probed(unprobed record.Stages) Set {
	return r.only(func(rule *Rule) bool { return rule.Needs&unprobed == 0 })
}

// only is the part of r of which keep reports true.
func (r Set) only(keep func(*Rule) bool) Set {
	out := r
	for rule := range r.Rules() {
		if !keep(rule) {
			out &^= rule.Set
		}
	}
	return out
}
