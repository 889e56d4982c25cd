package validate

import (
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// Diff is a field that is not what the scenario expects.
type Diff struct {
	Field    string `json:"field"`
	Expected string `json:"expected"`
	Observed string `json:"observed"`
}

// Compare holds an observation against expected fields and returns those that
// differ, in the order of the field table.
func Compare(want Fields, o *observe.Observation) []Diff {
	var out []Diff
	for _, f := range fields {
		alts, ok := want[f.name]
		if !ok {
			continue
		}
		got := f.read(o)
		if !matchAny(alts, got) {
			out = append(out, Diff{Field: f.name, Expected: strings.Join(alts, "|"), Observed: got})
		}
	}
	return out
}

func matchAny(alts []string, got string) bool {
	for _, a := range alts {
		if match(a, got) {
			return true
		}
	}
	return false
}

// match compares a value with a pattern in which "?" stands for any number.
func match(pattern, s string) bool {
	for {
		before, after, found := strings.Cut(pattern, "?")
		rest, ok := strings.CutPrefix(s, before)
		if !ok {
			return false
		}
		if !found {
			return rest == ""
		}
		s = strings.TrimLeft(rest, "0123456789")
		if s == rest {
			return false
		}
		pattern = after
	}
}
