package series

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Concerns names the patches that a wrong decision under v concerns: those without
// which, or with which, it would be right; and where there is none, those whose
// code decides what differs. It is empty for what the series did not touch.
func Concerns(o *observe.Observation, v model.Variant, unprobed record.Stages) []int {
	ver := judge.CompareSeen(o, v, unprobed)
	if ver.Kind == judge.Agree {
		return nil
	}
	var out []int
	for n := 1; n <= model.Patches; n++ {
		other := v.WithPatch(n, !v.Has(model.PatchBehaviour(n)))
		if judge.CompareSeen(o, other, unprobed).Kind == judge.Agree {
			out = append(out, n)
		}
	}
	if len(out) > 0 {
		return out
	}
	for rule := range ver.Rules.Rules() {
		if rule.Promise != 0 {
			out = append(out, model.PatchOf(rule.Promise))
		}
	}
	for _, d := range ver.Diffs {
		if n := patchOfField[d.Field]; n != 0 {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		out = shape(o)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// patchOfField are the fields that only one patch decides.
var patchOfField = map[judge.Field]int{judge.FieldModifier: 5, judge.FieldCopyDrain: 2}

// shape names the patch that chooses the lock for writes like o: patch 4 for
// unaligned ones, patch 3 for aligned ones inside i_size, none for extending ones.
func shape(o *observe.Observation) []int {
	unaligned, known := o.Unaligned()
	switch extending, seen := o.Extending(); {
	case !known || !seen:
		return nil
	case unaligned:
		return []int{4}
	case extending:
		return nil
	}
	return []int{3}
}

// ConcernText is " [patch 3, patch 4]", or " [not of the series]".
func ConcernText(patches []int) string {
	if len(patches) == 0 {
		return " [not of the series]"
	}
	var parts []string
	for _, n := range patches {
		parts = append(parts, fmt.Sprintf("patch %d", n))
	}
	return " [" + strings.Join(parts, ", ") + "]"
}
