package decode

import (
	"fmt"
	"io"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Decide is what variant v decides about o, with the steps that lead there, and
// the verdict of that. A fact that was not seen ends the decision; it is named.
func Decide(o *Observation, v model.Variant) (*model.Decision, *Verdict) {
	c := new(comparer)
	ver := c.verdict(o, v, c.judge(o, v), nil)
	return &c.d, ver
}

// Ends is where o ended, in the words of a decision: an end of the check phase or
// what followed it.
func (o *Observation) Ends() string { return seenEnd(o) }

// ExpectedZeroed is the parts of blocks that have to be zeroed around o, given the
// mappings that it got. The second result is false when nothing is predicted: the
// write failed, fell short, or is not complete.
func (o *Observation) ExpectedZeroed() ([2]model.Range, bool) {
	p := o.lastPass()
	if p == nil {
		return [2]model.Range{}, false
	}
	return expectedZeroed(o, p)
}

// WriteText writes the rule as WriteRules does.
func (r *Rule) WriteText(w io.Writer) error {
	var b strings.Builder
	r.appendText(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write rule: %w", err)
	}
	return nil
}
