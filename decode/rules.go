package decode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Rules is a set of rules.
type Rules uint16

// The rules. Their ids (R1 …) are stable.
const (
	R1 Rules = 1 << (iota + 1)
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

const (
	firstRule = 1
	lastRule  = 13
)

// Rule describes one rule of direct writes.
type Rule struct {
	// Set holds this rule alone.
	Set Rules
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

// AllRules lists the rules in the order of their ids. The list is the caller's.
func AllRules() []Rule {
	out := slices.Clone(ruleTable[firstRule:])
	for i := range out {
		out[i].Exempt = slices.Clone(out[i].Exempt)
		out[i].Compares = slices.Clone(out[i].Compares)
	}
	return out
}

// ParseRule finds the rule with this id, in upper or lower case. The error names
// the ids that exist.
func ParseRule(id string) (Rule, error) {
	for _, r := range AllRules() {
		if strings.EqualFold(r.ID, id) {
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("unknown rule %q: one of R%d to R%d", id, firstRule, lastRule)
}

// IDs lists the ids of the rules in the set, in order.
func (r Rules) IDs() []string { return r.appendIDs(nil) }

// appendIDs appends the ids of the rules in the set, in order.
func (r Rules) appendIDs(dst []string) []string {
	for i := firstRule; i <= lastRule && r != 0; i++ {
		if r&(1<<i) != 0 {
			dst = append(dst, ruleTable[i].ID)
		}
	}
	return dst
}

// safety is the part of r that protects data or the NOWAIT promise.
func (r Rules) safety() Rules {
	var out Rules
	for i := firstRule; i <= lastRule && r != 0; i++ {
		if ruleTable[i].Safety {
			out |= r & (1 << i)
		}
	}
	return out
}

// promised is the part of r that a kernel with these behaviours promises.
func (r Rules) promised(has model.Behaviours) Rules {
	out := r
	for i := firstRule; i <= lastRule && r != 0; i++ {
		if !has.Has(ruleTable[i].Promise) {
			out &^= 1 << i
		}
	}
	return out
}

// probed is the part of r that can be judged although these stages have no probe.
func (r Rules) probed(unprobed record.Stages) Rules {
	out := r
	for i := firstRule; i <= lastRule && r != 0 && unprobed != 0; i++ {
		if ruleTable[i].Needs&unprobed != 0 {
			out &^= 1 << i
		}
	}
	return out
}
