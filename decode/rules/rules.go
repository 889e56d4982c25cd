// Package rules has the rules R1 to R13 of direct writes, and finds those that a write
// breaks by itself, without a variant. What two writes break together is found by
// package overlap; the comparison with a variant's decision adds R6 to R10, and decides
// which broken rules that kernel promised to keep.
package rules

import (
	"fmt"
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

// First and Last are the numbers of the rules.
const (
	First = 1
	Last  = 13
)

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

// Exemption is a case in which a rule does not apply.
type Exemption struct {
	Name string // E-eof …
	Text string // one sentence
}

// Table is the rule with the number i, from First to Last.
func Table(i int) *Rule { return &table[i] }

// All lists the rules in the order of their ids. The list is the caller's.
func All() []Rule {
	out := slices.Clone(table[First:])
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
	return Rule{}, fmt.Errorf("unknown rule %q: one of R%d to R%d", id, First, Last)
}

// IDs lists the ids of the rules in the set, in order.
func (r Set) IDs() []string { return r.AppendIDs(nil) }

// AppendIDs appends the ids of the rules in the set, in order.
func (r Set) AppendIDs(dst []string) []string {
	for i := First; i <= Last && r != 0; i++ {
		if r&(1<<i) != 0 {
			dst = append(dst, table[i].ID)
		}
	}
	return dst
}

// Safety is the part of r that protects data or the NOWAIT promise.
func (r Set) Safety() Set {
	var out Set
	for i := First; i <= Last && r != 0; i++ {
		if table[i].Safety {
			out |= r & (1 << i)
		}
	}
	return out
}

// Promised is the part of r that a kernel with these behaviours promises.
func (r Set) Promised(has model.Behaviours) Set {
	out := r
	for i := First; i <= Last && r != 0; i++ {
		if !has.Has(table[i].Promise) {
			out &^= 1 << i
		}
	}
	return out
}

// Probed is the part of r that can be judged although these stages have no probe.
func (r Set) Probed(unprobed record.Stages) Set {
	out := r
	for i := First; i <= Last && r != 0 && unprobed != 0; i++ {
		if table[i].Needs&unprobed != 0 {
			out &^= 1 << i
		}
	}
	return out
}
