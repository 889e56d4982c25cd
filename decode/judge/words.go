package judge

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// What was or was not done, in words.
var (
	called     = map[bool]string{true: "inode_dio_wait called", false: "not called"}
	given      = map[bool]string{true: "given", false: "not given"}
	operations = map[bool]string{true: "ext4_iomap_overwrite_ops", false: "ext4_iomap_ops"}
)

// difference says what was seen and what was expected of a field in which they differ.
func (t *trial) difference(f Field) Diff {
	o, d, out := t.world.o, &t.d, Diff{Field: f}
	switch f {
	case FieldFirstLock:
		out.Seen, out.Want = observe.LockName(o.Passes[0].Lock), d.Pass[0].Mode.String()
	case FieldLock:
		out.Seen, out.Want = observe.LockName(o.Lock), d.Mode.String()
	case FieldPasses:
		out.Seen, out.Want = fmt.Sprint(len(o.Passes)), passesText(d)
	case FieldLookups:
		out.Seen, out.Want = seenLookups(o), wantedLookups(d)
	case FieldDrain:
		out.Seen, out.Want = called[o.Drain != nil], called[d.Drain == model.Yes]
	case FieldForceWait:
		out.Seen, out.Want = given[o.DioFlags&model.DioForceWait != 0], given[d.ForceWait == model.Yes]
	case FieldEnd:
		out.Seen, out.Want = o.Ends(), d.End.String()
	case FieldEagain:
		out.Seen, out.Want = o.Ends(), wantedEnd(o, d)
	case FieldResult:
		out.Seen, out.Want = fmt.Sprint(o.SubmitRet), fmt.Sprint(d.Ret)
	case FieldModifier:
		out.Seen, out.Want = observe.FmodName(o.Fmod), d.Modifier.String()
	case FieldOps:
		out.Seen, out.Want = operations[o.DioOps == record.OpsOverwrite], operations[d.Overwrite]
	case FieldQueued:
		out.Seen, out.Want = "queued (-EIOCBQUEUED)", "to wait for its I/O"
	case FieldAlloc:
		out.Pos, out.Seen, out.Want = allocTexts(o, d.Variant)
	case FieldZeroed:
		out.Seen, out.Want = zeroedText(o)
	case FieldDirect:
		out.Seen, out.Want = "taken", "refused, "+string(model.RefusedFor(t.world.directFacts()))
		if len(o.Passes) == 0 {
			out.Seen, out.Want = "refused", "taken"
		}
	case FieldCopyDrain:
		out.Seen, out.Want = called[o.Buffered.Drained], called[!o.Buffered.Drained]
	case FieldMoved:
		out.Seen = fmt.Sprintf("ki_pos %d at the return, so that a write(2) that follows overwrites this one", o.PosAfter)
		out.Want = fmt.Sprint(o.PosWanted)
	case FieldCopyLock:
		out.Seen, out.Want = "shared or none", "exclusive"
	}
	return out
}

// allocTexts tells of the first mapping whose blocks were allocated with other flags than
// those of v. Where it is among those that are summed up, they begin at pos.
func allocTexts(o *observe.Observation, v model.Variant) (pos int64, seen, want string) {
	p := o.LastPass()
	for i := range o.Mappings {
		if m := &o.Mappings[i]; otherAlloc(m, p, v) {
			return m.Offset, fmt.Sprintf("flags %#x", m.AllocFlags), fmt.Sprintf("%#x", allocFlags(m, p, v))
		}
	}
	for i := range o.Summed {
		if s := &o.Summed[i]; otherSummedAlloc(s, p, v) {
			if n := len(o.Mappings) - 1; n > 0 { // the last one came behind them
				pos = o.Mappings[n-1].Offset + o.Mappings[n-1].Length
			}
			return pos, fmt.Sprintf("flags %#x in %d of the mappings from there on", s.AllocFlags, s.Count), fmt.Sprintf("%#x", summedAllocFlags(s, p, v))
		}
	}
	return 0, "", ""
}

func passesText(d *model.Decision) string {
	if d.Known() || d.Passes == model.MaxPasses {
		return fmt.Sprint(d.Passes)
	}
	return fmt.Sprintf("%d or more", d.Passes)
}

func wantedEnd(o *observe.Observation, d *model.Decision) string {
	for i := range o.Mappings {
		if d.End == model.EndDio && o.Mappings[i].Err == model.ENOTBLK {
			return "-EAGAIN from ext4_iomap_begin (N6)"
		}
	}
	if d.End == model.EndUnknown {
		return "to go on to " + d.Modifier.String()
	}
	if d.End == model.EndDio {
		return "iomap_dio_rw entered, and no -EAGAIN from ext4_iomap_begin"
	}
	if d.End.Refusal() != "" {
		return d.End.Text()
	}
	return fmt.Sprintf("%d at %s", d.Ret, d.End)
}

func queryText(q model.Query) string {
	if q.Flags == 0 {
		return fmt.Sprintf("(%d,%d)", q.Lblk, q.Len)
	}
	return fmt.Sprintf("(%d,%d,%#x)", q.Lblk, q.Len, q.Flags)
}

func seenLookups(o *observe.Observation) string {
	var passes []string
	for i := range o.Passes {
		var made []string
		for _, l := range o.Passes[i].Lookups {
			made = append(made, fmt.Sprintf("%s=%d %s", queryText(l.Query()), l.Ret, l.State()))
		}
		passes = append(passes, list(made, "none"))
	}
	return strings.Join(passes, ", then ")
}

func wantedLookups(d *model.Decision) string {
	var passes []string
	for i := range d.Passes {
		p, none := &d.Pass[i], "none"
		switch {
		case p.MayLookUp:
			none = queryText(p.Queries[0]) + " or none"
		case i > 0 && !d.Known():
			none = "not known" // there was no such pass to judge
		}
		var made []string
		for _, q := range p.Queries[:min(p.N, model.MaxQueries)] {
			made = append(made, queryText(q))
		}
		passes = append(passes, list(made, none))
	}
	return strings.Join(passes, ", then ")
}

func zeroedText(o *observe.Observation) (seen, want string) {
	ranges, _ := o.ExpectedZeroed()
	var s, w []string
	for _, z := range o.Zeroed {
		s = append(s, fmt.Sprintf("%d+%d", z.Pos, z.Len))
	}
	for _, r := range ranges {
		if r.Len > 0 {
			w = append(w, fmt.Sprintf("%d+%d", r.Pos, r.Len))
		}
	}
	return list(s, "nothing"), list(w, "nothing")
}

// list joins items; none stands for no item.
func list(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, " ")
}
