package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// place is where something stands in a comparison: below a label, of one pass, below the
// function, which is printed when it changes. A fact of the outcome has no function.
type place struct {
	head, label string
	pass        int
}

// item is what one column has in a place.
type item struct {
	place
	text string
}

// row is one line of a comparison, with a cell for each column.
type row struct {
	place
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
		key := fmt.Sprint(o.Steps(), outcomeOf(o))
		name := e.Case.Variants[i].String()
		if j := slices.Index(keys, key); j >= 0 {
			out[j].names = append(out[j].names, name)
			continue
		}
		keys, out = append(keys, key), append(out, column{[]string{name}, o})
	}
	return out
}

// align lays columns side by side, what is in the same place on one line. Where a column
// has nothing, its cell is absent.
func align(columns [][]item) []row {
	var rows []row
	for i, c := range columns {
		at := 0
		for _, it := range c {
			if next := slices.IndexFunc(rows[at:], func(r row) bool { return r.place == it.place }); next >= 0 {
				at += next
			} else {
				rows = slices.Insert(rows, at, row{it.place, slices.Repeat([]string{absent}, len(columns))})
			}
			rows[at].cells[i] = it.text
			at++
		}
	}
	return rows
}

// procedureOf is the procedure that led to d, in few words.
func procedureOf(d *model.Decision) (out []item) {
	for _, s := range d.Steps() {
		out = append(out, item{place{s.Func(), s.Test(), passOf(s)}, short(s)})
	}
	return out
}

// passOf is the pass that a step belongs to, 0 for one that follows the last.
func passOf(s model.Step) int {
	if s.AfterChecks() {
		return 0
	}
	return int(s.Pass) + 1
}

// short is the outcome of a step for a narrow column.
func short(s model.Step) string {
	text, _, _ := strings.Cut(s.Outcome(), ":")
	return text
}

// outcome gathers what can be seen of a write from outside, what was observed and what is
// expected under the same labels.
type outcome []item

func (f *outcome) add(label, text string) { *f = append(*f, item{place{label: label}, text}) }

// checks adds what the write checks did.
func (f *outcome) checks(firstLock string, passes int, lookups string) {
	f.add("first lock", firstLock)
	f.add("passes", fmt.Sprint(passes))
	f.add("lookups", lookups)
}

// dio adds how iomap_dio_rw was entered.
func (f *outcome) dio(lock, drain, forceWait string) {
	f.add("lock", lock)
	f.add("drain", drain)
	f.add("force wait", forceWait)
}

// decided adds what d says of both.
func (f *outcome) decided(d *model.Decision) {
	if d.Passes > 0 {
		f.checks(d.Pass[0].Mode.String(), d.Passes, lookupsText(d))
	}
	if d.End == model.EndDio {
		f.dio(d.Mode.String(), d.Drain.String(), d.ForceWait.String())
	}
}

// reasonsText joins all reasons of a decision.
func reasonsText(d *model.Decision) string {
	var all []string
	for _, r := range d.Reasons() {
		all = append(all, string(r))
	}
	return strings.Join(all, " + ")
}

// outcomeOf lists what can be seen of a prediction.
func outcomeOf(o *model.Outcome) outcome {
	var out outcome
	out.add("ends", endText(o))
	out.add("reason", reasonsText(&o.Decision))
	if o.End == model.EndUnknown {
		out.add("missing", o.Missing)
	}
	out.decided(&o.Decision)
	if o.End == model.EndDio {
		out.add("mappings", mappingsText(o))
		out.add("zeroed", rangesText(o.Zeroed))
	}
	if o.Fallback.Len > 0 {
		drained := "without a drain"
		if o.FallbackDrain {
			drained = "after a drain"
		}
		out.add("buffered", fmt.Sprintf("%d+%d %s", o.Fallback.Pos, o.Fallback.Len, drained))
	}
	out.add("result", resultText(o))
	return out
}

func endText(o *model.Outcome) string {
	if o.End != model.EndDio {
		return o.End.Text()
	}
	return o.Ended.Text()
}

// endName is the same in a word, for programs.
func endName(o *model.Outcome) string {
	if o.End != model.EndDio {
		return o.End.String()
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

// lookupText is one ext4_map_blocks call of the check phase.
func lookupText(q model.Query, ret int32) string {
	flags := ""
	if q.Flags != 0 {
		flags = fmt.Sprintf(",%#x", q.Flags)
	}
	return fmt.Sprintf("(%d,%d%s)=%d", q.Lblk, q.Len, flags, ret)
}

func lookupsText(d *model.Decision) string {
	var passes []string
	for i := range d.Passes {
		p := &d.Pass[i]
		var one []string
		for j := range min(p.N, model.MaxQueries) {
			one = append(one, lookupText(p.Queries[j], p.Rets[j]))
		}
		switch {
		case p.MayLookUp:
			one = []string{fmt.Sprintf("(%d,%d) or none", p.Queries[0].Lblk, p.Queries[0].Len)}
		case p.N > 0:
		case d.End == model.EndUnknown && i == d.Passes-1:
			one = []string{"not known"}
		default:
			one = []string{"none"}
		}
		passes = append(passes, strings.Join(one, " "))
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
	if len(out) > 4 {
		out = append(out[:3], fmt.Sprintf("%d more", len(out)-3))
	}
	return cmp.Or(strings.Join(out, ", "), "none")
}

func rangesText(rs []model.Range) string {
	var out []string
	for _, r := range rs {
		out = append(out, fmt.Sprintf("%d+%d", r.Pos, r.Len))
	}
	return cmp.Or(strings.Join(out, ", "), "nothing")
}
