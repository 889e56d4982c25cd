package validate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
)

// Compare holds an observation against expected fields and returns those that
// differ, in the order of the field table.
func Compare(want Fields, o *observe.Observation) []trial.Diff {
	var out []trial.Diff
	for _, f := range fields {
		alts, ok := want[f.name]
		if !ok {
			continue
		}
		got := f.read(o)
		if !slices.ContainsFunc(alts, func(a string) bool { return match(a, got) }) {
			out = append(out, trial.Diff{Field: f.name, Expected: strings.Join(alts, "|"), Observed: got})
		}
	}
	return out
}

// match compares a value with a pattern in which "?" stands for any number.
func match(pattern, s string) bool {
	if !strings.Contains(pattern, "?") {
		return pattern == s
	}
	re := syntax(strings.ReplaceAll(regexp.QuoteMeta(pattern), `\?`, `\d+`))
	return re.MatchString(s)
}
