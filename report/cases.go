package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/xfsio"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Bounds of the disagreements that are shown.
const (
	maxCases = 64   // kinds of disagreement, each with an example
	maxLines = 1000 // single writes
)

// sort of disagreement: verdict, rules and reason.
type caseKey struct{ verdict, rules, reason string }

// Case is one kind of disagreement with its first write.
type Case struct {
	Verdict, Rules, Reason string
	Writes                 uint64
	First                  uint64 // its number in the trace, from 1
	Example                export.Row
}

// cases gathers the disagreements.
type cases struct {
	all     map[caseKey]*Case
	uncased uint64   // disagreements of further kinds
	lines   []string // one for each write, escaped
	more    uint64   // disagreements without a line
}

// add takes the row with the number seq.
func (c *cases) add(r *export.Row, seq uint64) {
	if !r.Disagrees() {
		return
	}
	if c.all == nil {
		c.all = make(map[caseKey]*Case)
	}
	key := caseKey{r.Verdict.V.String(), strings.Join(r.Rules, " "), r.ReasonText()}
	switch e := c.all[key]; {
	case e != nil:
		e.Writes++
	case len(c.all) >= maxCases:
		c.uncased++
	default:
		c.all[key] = &Case{Verdict: key.verdict, Rules: key.rules, Reason: key.reason, Writes: 1, First: seq, Example: r.Clone()}
	}
	if len(c.lines) >= maxLines {
		c.more++
		return
	}
	c.lines = append(c.lines, caseLine(r, seq))
}

func caseLine(r *export.Row, seq uint64) string {
	file := r.Path
	if file == "" {
		file = fmt.Sprintf("inode %d on %s", r.Ino, export.DevName(r.Dev))
	}
	lock := "?"
	if r.Lock.Known {
		lock = r.Lock.V.String()
	}
	return fmt.Sprintf("write %d  %-8s %-9s %d+%d  %s  %s (pid %d)  %s  %s", seq, r.Verdict.V, lock, r.Pos, r.Len,
		export.Safe(file), export.Safe(r.Comm), r.Pid, strings.Join(r.Rules, " "), export.Safe(r.ReasonText()))
}

// Kinds is the number of kinds of disagreement of which there is an example.
func (p *Report) Kinds() int { return len(p.cases.all) }

// list returns the kinds, the unsafe ones first, then the most frequent.
func (c *cases) list() []*Case {
	out := make([]*Case, 0, len(c.all))
	for _, e := range c.all {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *Case) int {
		return cmp.Or(cmp.Compare(b.Example.Verdict.V, a.Example.Verdict.V), cmp.Compare(b.Writes, a.Writes), cmp.Compare(a.First, b.First))
	})
	return out
}

// Explanation is what was observed of the example beside what the model expects.
func (e *Case) Explanation() string {
	variant, err := model.ParseVariant(e.Example.Variant)
	if err != nil {
		return export.Safe(strings.Join(e.Example.Why, "\n"))
	}
	var b strings.Builder
	ob := explain.Observed{Title: caseLine(&e.Example, e.First), Write: e.Example.Observation(), Variants: []model.Variant{variant}}
	if err := ob.WriteText(&b); err != nil {
		return err.Error() // a Builder does not fail
	}
	return b.String()
}

// Reproducer is a shell script that repeats the example.
func (e *Case) Reproducer(about ...string) (string, error) {
	var b strings.Builder
	w := xfsio.New(&b, about...)
	if err := w.Write(&e.Example); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return b.String(), nil
}
