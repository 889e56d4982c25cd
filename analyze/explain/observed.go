package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
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
	b.WriteString(ob.Title + "\n")
	for _, l := range observedHeadline(o) {
		b.WriteString(l + "\n")
	}
	writePicture(&b, observedPicture(o))
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
	names, columns := []string{"observed"}, [][]fact{observedFacts(ob.Write)}
	for i, j := range all {
		name, f := ob.Variants[i].String(), expectedFacts(ob.Write, j.decision)
		if k := slices.IndexFunc(columns[1:], func(c []fact) bool { return slices.Equal(c, f) }); k >= 0 {
			names[k+1] += ", " + name
			continue
		}
		names, columns = append(names, name), append(columns, f)
	}
	var rows []row
	for i, c := range columns {
		at := 0
		for _, f := range c {
			rows, at = place(rows, at, row{label: f.label}, len(columns))
			rows[at].cells[i] = f.text
			at++
		}
	}
	for i := range rows {
		for k, c := range rows[i].cells {
			if k > 0 && c == absent {
				rows[i].cells[k] = "" // nothing is predicted of it
			}
		}
	}
	b.WriteByte('\n')
	tableOf(b, "", names, rows, true)
}

func procedure(b *strings.Builder, d *model.Decision) {
	fmt.Fprintf(b, "\n%s, with the facts that were seen\n", d.Variant)
	steps(b, d)
}

func verdictText(b *strings.Builder, v *judge.Verdict) {
	fmt.Fprintf(b, "\nverdict under %s: %s", v.Variant, v.Kind)
	if len(v.Rules) > 0 {
		fmt.Fprintf(b, " (%s)", strings.Join(v.Rules, " "))
	}
	b.WriteByte('\n')
	for _, w := range v.Why {
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
	write := fmt.Sprintf("%d bytes at %d, to %d", n, pos, pos+n)
	how := append(flagNames(o.Flags), o.Caller.String())
	if align := o.Align0 | uint32(n); o.Align0Known && align&-align < 1<<o.Blkbits && align != uint32(n) {
		how = append(how, fmt.Sprintf("memory and lengths aligned to %d", align&-align))
	}
	return []string{"write  " + write + ": " + strings.Join(how, ", "), "file   " + file}
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
	for _, z := range o.Zeroed {
		p.zeroed = append(p.zeroed, model.Range{Pos: z.Pos, Len: z.Len})
	}
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

// observedFacts lists what was seen, under the labels of expectedFacts.
func observedFacts(o *observe.Observation) []fact {
	out := []fact{{"ends", o.Ends()}}
	add := func(label, text string) { out = append(out, fact{label, text}) }
	if len(o.Passes) > 0 {
		add("first lock", modeText(o.Passes[0].Lock))
		add("passes", fmt.Sprint(len(o.Passes)))
		add("lookups", observedLookups(o))
	}
	if o.Dio {
		add("lock", modeText(o.Lock))
		add("drain", yesNo(o.Drain != nil))
		add("force wait", yesNo(o.DioFlags&model.DioForceWait != 0))
		var zeroed []model.Range
		for _, z := range o.Zeroed {
			zeroed = append(zeroed, model.Range{Pos: z.Pos, Len: z.Len})
		}
		add("zeroed", rangesText(zeroed))
	}
	switch {
	case o.Queued && o.Completed:
		add("result", "queued, then "+errnoText(o.Ret))
	case o.Queued:
		add("result", "queued")
	default:
		add("result", errnoText(o.Ret))
	}
	return out
}

// expectedFacts lists what d says about the same.
func expectedFacts(o *observe.Observation, d *model.Decision) []fact {
	out := []fact{{"ends", d.End.String()}}
	add := func(label, text string) { out = append(out, fact{label, text}) }
	switch d.End {
	case model.EndUnknown:
		out[0].text = "not decided: " + d.Missing
	case model.EndDio:
		out[0].text = "iomap_dio_rw entered"
	}
	if d.Passes > 0 {
		add("first lock", d.Pass[0].Mode.String())
		add("passes", fmt.Sprint(d.Passes))
		add("lookups", lookupsText(d))
	}
	if d.End == model.EndUnknown && d.Mode != model.Unlocked {
		add("lock", d.Mode.String())
	}
	if d.End == model.EndDio {
		add("lock", d.Mode.String())
		add("drain", d.Drain.String())
		add("force wait", d.ForceWait.String())
		if want, ok := o.ExpectedZeroed(); ok {
			add("zeroed", rangesText(slices.DeleteFunc(want[:], func(r model.Range) bool { return r.Len == 0 })))
		}
	} else if d.End != model.EndUnknown && d.Ret != 0 {
		add("result", errnoText(d.Ret))
	}
	return out
}

func observedLookups(o *observe.Observation) string {
	var passes []string
	for i := range o.Passes {
		var one []string
		for _, l := range o.Passes[i].Lookups {
			flags := ""
			if l.ArgFlags != 0 {
				flags = fmt.Sprintf(",%#x", l.ArgFlags)
			}
			one = append(one, fmt.Sprintf("(%d,%d%s)=%d", l.Lblk, l.Len, flags, l.Ret))
		}
		if len(one) == 0 {
			one = []string{"none"}
		}
		passes = append(passes, strings.Join(one, " "))
	}
	return strings.Join(passes, ", then ")
}

func modeText(l record.Lock) string {
	switch l {
	case record.LockShared:
		return "shared"
	case record.LockExclusive:
		return "exclusive"
	}
	return "unknown"
}

func yesNo(b bool) string { return model.AnswerOf(b).String() }
