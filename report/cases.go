package report

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
	"github.com/ext4dio/ext4dio-trace/export/xfsio"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// maxLines bounds the disagreements that are listed one by one.
const maxLines = 1000

// cases gathers the disagreements.
type cases struct {
	kinds tally.Findings
	lines []string // one for each write, escaped
	more  uint64   // disagreements without a line
}

// add takes the row with the number seq.
func (c *cases) add(r *export.Row, seq uint64) {
	if !r.Disagrees() {
		return
	}
	c.kinds.Add(r, r.ReasonText(), seq)
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
func (p *Report) Kinds() int { return p.cases.kinds.Len() }

// explanation is what was observed of an example beside what the model expects.
func explanation(f *tally.Finding) string {
	e := f.Example
	variant, err := model.ParseVariant(e.Variant)
	if err != nil {
		return export.Safe(strings.Join(e.Why, "\n"))
	}
	var b strings.Builder
	ob := explain.Observed{Title: caseLine(e, f.Number), Write: e.Observation(), Variants: []model.Variant{variant}}
	if err := ob.WriteText(&b); err != nil {
		return err.Error() // a Builder does not fail
	}
	return b.String()
}

// reproducer is a shell script that repeats an example.
func reproducer(example *export.Row, about []string) (string, error) {
	var b strings.Builder
	w := xfsio.New(&b, about...)
	err := errors.Join(w.Write(example), w.Close())
	if errors.Is(err, export.ErrNothing) {
		return "# " + err.Error() + "\n", nil
	}
	if err != nil {
		return "", err
	}
	return b.String(), nil
}
