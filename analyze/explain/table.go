package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// row is one line of a comparison: a label and a cell for each column.
type row struct {
	head  string // the function, printed when it changes
	label string
	pass  int
	cells []string
}

// absent stands in a cell when the procedure of that column does not come there.
const absent = "-"

// parts reports whether the columns differ. An empty cell is no answer.
func (r row) parts() bool {
	for _, c := range r.cells {
		if c != r.cells[0] && c != "" {
			return true
		}
	}
	return false
}

// once reports whether a fact of the outcome is printed once for all columns.
func (r row) once() bool { return r.head == "" && !r.parts() }

// column is one or several variants that do the same.
type column struct {
	names   []string
	outcome *model.Outcome
}

// columns puts variants together that walk the same steps to the same outcome.
func (e *Explanation) columns() []column {
	var out []column
	var keys []string
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		key := fmt.Sprint(o.Steps(), facts(o))
		name, found := e.Case.Variants[i].String(), false
		for j := range keys {
			if keys[j] == key {
				out[j].names, found = append(out[j].names, name), true
				break
			}
		}
		if !found {
			keys, out = append(keys, key), append(out, column{[]string{name}, o})
		}
	}
	return out
}

// stepRows lays the procedures of all columns side by side, each step on one line
// where columns share it.
func stepRows(cols []column) []row {
	var rows []row
	for i, c := range cols {
		at := 0
		for _, s := range c.outcome.Steps() {
			rows, at = place(rows, at, row{head: s.Func(), label: s.Test(), pass: passOf(s)}, len(cols))
			rows[at].cells[i] = short(s)
			at++
		}
	}
	return rows
}

// passOf is the pass that a step belongs to, 0 for one that follows the last.
func passOf(s model.Step) int {
	if s.AfterChecks() {
		return 0
	}
	return int(s.Pass) + 1
}

// place finds r at or behind line at, or inserts it there without any cells.
func place(rows []row, at int, r row, columns int) ([]row, int) {
	for j := at; j < len(rows); j++ {
		if rows[j].head == r.head && rows[j].label == r.label && rows[j].pass == r.pass {
			return rows, j
		}
	}
	r.cells = make([]string, columns)
	for i := range r.cells {
		r.cells[i] = absent
	}
	return slices.Insert(rows, at, r), at
}

// short is the outcome of a step for a narrow column.
func short(s model.Step) string {
	text, _, _ := strings.Cut(s.Outcome(), ":")
	return text
}

// fact is one line of an outcome.
type fact struct{ label, text string }

// facts lists what can be seen of an outcome from outside.
func facts(o *model.Outcome) []fact {
	var out []fact
	add := func(label, text string) { out = append(out, fact{label, text}) }
	add("ends", endText(o))
	add("reason", string(o.Reason))
	if o.End == model.EndUnknown {
		add("missing", o.Missing)
	}
	if o.Passes > 0 {
		add("first lock", o.Pass[0].Mode.String())
		add("passes", fmt.Sprint(o.Passes))
		add("lookups", lookupsText(&o.Decision))
	}
	if o.End == model.EndDio {
		add("lock", o.Mode.String())
		add("drain", o.Drain.String())
		add("force wait", o.ForceWait.String())
		add("mappings", mappingsText(o))
		add("zeroed", rangesText(o.Zeroed))
	}
	if o.Fallback.Len > 0 {
		drained := "without a drain"
		if o.FallbackDrain {
			drained = "after a drain"
		}
		add("buffered", fmt.Sprintf("%d+%d %s", o.Fallback.Pos, o.Fallback.Len, drained))
	}
	add("result", resultText(o))
	return out
}

func endText(o *model.Outcome) string {
	switch {
	case o.End != model.EndDio:
		return o.End.String()
	case o.Ended == model.SubmitN5 || o.Ended == model.SubmitN6:
		return o.Ended.String()
	}
	return o.Ended.String()
}

func resultText(o *model.Outcome) string {
	switch {
	case o.End == model.EndUnknown || o.End == model.EndDAX || o.Ended == model.SubmitUnknown:
		return "not known"
	case o.Queued:
		return fmt.Sprintf("queued, then %s", errnoText(o.Result))
	}
	return errnoText(o.Result)
}

// errnoText is a result: bytes, or the name of the error.
func errnoText(r int64) string {
	if r < 0 {
		return export.Result(r)
	}
	return fmt.Sprintf("%d bytes", r)
}

func lookupsText(d *model.Decision) string {
	var passes []string
	for i := range d.Passes {
		p, text := &d.Pass[i], "none"
		switch {
		case p.N > 0:
			text = ""
		case d.End == model.EndUnknown && i == d.Passes-1:
			text = "not known"
		}
		for j := range min(p.N, model.MaxQueries) {
			q := p.Queries[j]
			text += fmt.Sprintf("(%d,%d", q.Lblk, q.Len)
			if q.Flags != 0 {
				text += fmt.Sprintf(",%#x", q.Flags)
			}
			text += fmt.Sprintf(")=%d ", p.Rets[j])
		}
		if p.MayLookUp {
			text = fmt.Sprintf("(%d,%d) or none", p.Queries[0].Lblk, p.Queries[0].Len)
		}
		passes = append(passes, strings.TrimSpace(text))
	}
	return strings.Join(passes, ", then ")
}

func mappingsText(o *model.Outcome) string {
	var out []string
	for _, m := range o.Mappings {
		if m.Err != 0 {
			out = append(out, errnoText(int64(m.Err)))
			continue
		}
		text := fmt.Sprintf("%d", m.Lblk)
		if m.Len > 1 {
			text = fmt.Sprintf("%d-%d", m.Lblk, m.Lblk+m.Len-1)
		}
		text = strings.Join(append([]string{text, export.IomapType(m.Type)}, export.IomapFlags(m.Flags)...), " ")
		if m.Alloc != 0 {
			text += fmt.Sprintf(" alloc %#x", m.Alloc)
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return "none"
	}
	if len(out) > 4 {
		out = append(out[:3], fmt.Sprintf("%d more", len(out)-3))
	}
	return strings.Join(out, ", ")
}

func rangesText(rs []model.Range) string {
	var out []string
	for _, r := range rs {
		out = append(out, fmt.Sprintf("%d+%d", r.Pos, r.Len))
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}
