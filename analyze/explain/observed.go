package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Observed is a write that was observed, to be explained under some variants.
type Observed struct {
	Title    string // what the write is known by: file, process
	Write    *observe.Observation
	Variants []model.Variant
}

// judged is one variant's decision about it.
type judged struct {
	decision *model.Decision
	verdict  *judge.Verdict
}

// WriteText writes what was observed beside what each variant expects, the
// procedure on the facts that were seen, and the verdict.
func (ob *Observed) WriteText(w io.Writer) error {
	var b strings.Builder
	o := ob.Write
	writeLines(&b, ob.Title)
	writeLines(&b, observedHeadline(o)...)
	writePicture(&b, observedPicture(o))
	if lines := export.WaitedFor(o.Waits, o.WaitNs); len(lines) > 0 {
		fmt.Fprintf(&b, "\nwaited %s for i_rwsem\n  %s\n", export.Duration(o.WaitNs), strings.Join(lines, "\n  "))
	}
	if o.Budget != nil {
		spent := export.BudgetOf(o.Budget)
		fmt.Fprintf(&b, "\nthe %s of it went\n  %s\n", export.Duration(o.LatencyNs), strings.Join(export.BudgetText(&spent, o.LatencyNs), "\n  "))
	}
	all := make([]judged, len(ob.Variants))
	for i, v := range ob.Variants {
		all[i].decision, all[i].verdict = judge.Decide(o, v)
	}
	ob.compare(&b, all)
	for i := range all {
		if i == 0 || all[i].verdict.Kind != judge.Agree && len(all) <= 2 {
			procedure(&b, all[i].decision)
		}
	}
	for _, j := range all {
		verdictText(&b, j.verdict)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// compare prints the table of what was observed and expected. Variants that expect
// the same share a column.
func (ob *Observed) compare(b *strings.Builder, all []judged) {
	names, columns := []string{"observed"}, [][]item{observedOutcome(ob.Write)}
	for i, j := range all {
		name, f := ob.Variants[i].String(), expectedOutcome(ob.Write, j.decision, j.verdict)
		if k := slices.IndexFunc(columns[1:], func(c []item) bool { return slices.Equal(c, f) }); k >= 0 {
			names[k+1] += ", " + name
			continue
		}
		names, columns = append(names, name), append(columns, f)
	}
	rows := align(columns)
	for i := range rows {
		for k, c := range rows[i].cells {
			if k > 0 && c == absent {
				rows[i].cells[k] = "" // nothing is predicted of it
			}
		}
	}
	b.WriteByte('\n')
	table(b, "", names, rows, true)
}

func procedure(b *strings.Builder, d *model.Decision) {
	fmt.Fprintf(b, "\n%s, with the facts that were seen\n", d.Variant)
	steps(b, d)
}

func verdictText(b *strings.Builder, v *judge.Verdict) {
	fmt.Fprintf(b, "\nverdict under %s: %s", v.Variant, v.Kind)
	if v.Rules != 0 {
		fmt.Fprintf(b, " (%s)", v.Rules)
	}
	b.WriteByte('\n')
	for i, w := range v.Why() {
		if i == 0 {
			w = v.ReasonLine()
		}
		fmt.Fprintf(b, "  %s\n", w)
	}
}

func observedHeadline(o *observe.Observation) []string {
	pos, n := o.Pos0, o.Len0
	file := fmt.Sprintf("%d-byte blocks, i_size %d at entry", 1<<o.Blkbits, o.ISize0)
	if k := len(o.Passes); k > 0 {
		p := &o.Passes[k-1]
		if p.Count > 0 {
			pos, n = p.Pos, p.Count
		}
		file = fmt.Sprintf("%d-byte blocks, i_size %d, i_disksize %d", 1<<o.Blkbits, p.ISize, p.IDisksize)
		if p.ISize != o.ISize0 {
			file += fmt.Sprintf(", i_size %d at entry", o.ISize0)
		}
		for _, f := range []struct {
			bit  uint16
			want bool
			text string
		}{
			{record.PassNosec, false, "not nosec"}, {record.PassExtents, false, "block map"}, {record.PassEncrypted, true, "encrypted"},
			{record.PassInline, true, "inline data"}, {record.PassJournal, true, "journalled data"}, {record.PassDAX, true, "DAX"},
		} {
			if (p.Flags&f.bit != 0) == f.want {
				file += ", " + f.text
			}
		}
	}
	how := append(flagNames(o.Flags), o.Caller.String())
	if align := o.Align0 | uint32(n); o.Align0Known && align&-align < 1<<o.Blkbits && align != uint32(n) {
		how = append(how, fmt.Sprintf("memory and lengths aligned to %d", align&-align))
	}
	lines := headline(pos, n, how, file)
	if more := export.MoreMappings(o.Summed); more != "" {
		lines = append(lines, fmt.Sprintf("maps   %d of the mappings one by one, %s", len(o.Mappings), more))
	}
	if o.InPart() {
		lines = append(lines, "seen   in part: what came after the decision did not all fit into the record")
	}
	return lines
}

// zeroedBy is what o zeroed.
func zeroedBy(o *observe.Observation) (out []model.Range) {
	for _, z := range o.Zeroed {
		out = append(out, model.Range{Pos: z.Pos, Len: z.Len})
	}
	return out
}

// observedPicture draws the write with the blocks that mappings and lookups showed.
// A mapping that was allocated is drawn as it was before: a hole, as far as is
// known.
func observedPicture(o *observe.Observation) *picture {
	p := &picture{blkbits: o.Blkbits, pos: o.Pos0, end: o.Pos0 + o.Len0, isize: o.ISize0}
	if k := len(o.Passes); k > 0 {
		last := &o.Passes[k-1]
		p.pos, p.end, p.isize = last.Pos, last.Pos+last.Count, last.ISize
	}
	p.zeroed = zeroedBy(o)
	p.state = func(b int64) byte { return observedState(o, b) }
	return p
}

func observedState(o *observe.Observation, b int64) byte {
	for i := range o.Passes {
		for _, l := range o.Passes[i].Lookups {
			first := int64(l.Lblk)
			n := int64(max(l.Ret, 1))
			if l.Ret == 0 {
				n = int64(min(l.OutLen, 1))
			}
			if b >= first && b < first+n && l.Ret >= 0 {
				return l.State().Letter()
			}
		}
	}
	pos := b << o.Blkbits
	for i := range o.Mappings {
		m := &o.Mappings[i]
		if m.Err != 0 || pos < m.Offset || pos >= m.Offset+m.Length {
			continue
		}
		switch {
		case m.Flags&model.IomapFNew != 0:
			return 'H'
		case m.Type == model.IomapUnwritten:
			return 'U'
		case m.Type == model.IomapMapped:
			return 'W'
		}
	}
	return '?'
}

// observedOutcome lists what was seen.
func observedOutcome(o *observe.Observation) outcome {
	var out outcome
	out.add("ends", observedEnd(o))
	if len(o.Passes) > 0 {
		out.checks(lockText(o.Passes[0].Lock), len(o.Passes), observedLookups(o))
	}
	if o.Dio {
		out.dio(lockText(o.Lock), yesNo(o.Drain != nil), yesNo(o.DioFlags&model.DioForceWait != 0))
		out.add("zeroed", rangesText(zeroedBy(o)))
	}
	switch {
	case o.Queued && o.Completed:
		out.add("result", "queued, then "+errnoText(o.Ret))
	case o.Queued:
		out.add("result", "queued")
	default:
		out.add("result", errnoText(o.Ret))
	}
	return out
}

// expectedOutcome lists what d, on which the verdict v rests, says about the same.
func expectedOutcome(o *observe.Observation, d *model.Decision, v *judge.Verdict) outcome {
	var out outcome
	out.add("ends", expectedEnd(o, d, v))
	out.decided(d)
	switch {
	case d.End == model.EndUnknown && d.Mode != model.Unlocked:
		out.add("lock", d.Mode.String())
	case d.End == model.EndDio:
		if want, ok := o.ExpectedZeroed(); ok {
			out.add("zeroed", rangesText(slices.DeleteFunc(want[:], func(r model.Range) bool { return r.Len == 0 })))
		}
	case d.End != model.EndUnknown && d.Ret != 0:
		out.add("result", errnoText(d.Ret))
	}
	return out
}

func observedLookups(o *observe.Observation) string {
	var passes []string
	for i := range o.Passes {
		var one []string
		for _, l := range o.Passes[i].Lookups {
			one = append(one, lookupText(l.Query(), l.Ret))
		}
		passes = append(passes, cmp.Or(strings.Join(one, " "), "none"))
	}
	return strings.Join(passes, ", then ")
}

func lockText(l record.Lock) string { return cmp.Or(export.ModeName(l), "unknown") }

func yesNo(b bool) string { return model.AnswerOf(b).String() }
