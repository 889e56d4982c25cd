package judge

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// verdict puts an outcome into words, found among them: what o did together with
// other writes. The verdict is valid until the next call.
func (c *comparer) verdict(o *observe.Observation, v model.Variant, out outcome, found []overlap.Pair) *Verdict {
	d := &c.d
	ver := &c.v
	*ver = Verdict{
		Kind: out.kind, Variant: v, Missing: out.missing,
		Why: ver.Why[:0], Rules: out.rules.AppendIDs(ver.Rules[:0]),
		Hazards: out.hazards.AppendIDs(ver.Hazards[:0]), Overlaps: found,
	}
	if d.Known() && (d.End != model.EndBuffered || out.kind == Agree) {
		c.expected = expectedOf(d)
		ver.Expected = &c.expected
	}
	ver.Why = append(ver.Why, reason(o, d, out))
	if out.kind == Agree {
		return ver
	}
	if out.missing != "" {
		ver.Why = append(ver.Why, "not decided: "+out.missing)
	}
	c.explain(o, out)
	for i := rules.First; i <= rules.Last; i++ {
		if out.rules&(1<<i) != 0 && rules.Table(i).Safety {
			ver.Why = append(ver.Why, rules.Table(i).ID+" is broken: "+rules.Table(i).Text)
		}
	}
	if out.rules&rules.R4 != 0 {
		ver.Why = appendSleeps(o, ver.Why)
	}
	for i := range found {
		if found[i].Kind.Rule()&out.rules != 0 {
			ver.Why = append(ver.Why, found[i].String())
		}
	}
	return ver
}

func expectedOf(d *model.Decision) Expected {
	e := Expected{
		Passes: d.Passes, Ret: d.Ret,
		Drained: d.Drain == model.Yes, ForceWait: d.ForceWait == model.Yes,
	}
	if d.End == model.EndDio {
		e.Lock = lockOf(d.Mode)
	}
	return e
}

func lockOf(m model.Mode) record.Lock {
	switch m {
	case model.Shared:
		return record.LockShared
	case model.Exclusive:
		return record.LockExclusive
	default:
		return record.LockUnknown
	}
}

// reason is the decision's own reason, or what stands in its place.
func reason(o *observe.Observation, d *model.Decision, out outcome) string {
	switch {
	case o.Incomplete != "":
		return "incomplete"
	case d.Reason != "":
		return string(d.Reason)
	case out.diff&diffLookups != 0:
		return "lookup missing"
	}
	return "unknown"
}

// explain adds one sentence for each difference.
func (c *comparer) explain(o *observe.Observation, out outcome) {
	d := &c.d
	for bit := diff(1); bit <= diffLast; bit <<= 1 {
		if out.diff&bit != 0 {
			c.v.Why = append(c.v.Why, c.sentence(o, d, bit))
		}
	}
	if out.kind == Unsafe && out.rules.Safety() == 0 && out.diff&diffCopyLock == 0 {
		c.v.Why = append(c.v.Why, "security info may change under the shared lock: the inode is not nosec")
	}
}

// sentence says what was observed and what was expected of one field.
func (c *comparer) sentence(o *observe.Observation, d *model.Decision, bit diff) string {
	field, seen, want := "", "", ""
	switch bit {
	case diffGuess:
		field, seen, want = "first lock", firstLock(o), d.Pass[0].Mode.String()
	case diffLock:
		field, seen, want = "lock", observe.LockName(o.Lock), d.Mode.String()
	case diffPasses:
		field, seen, want = "passes", fmt.Sprint(len(o.Passes)), passesText(d)
	case diffLookups:
		field, seen, want = "lookups", seenLookups(o), c.wantedLookups()
	case diffDrain:
		field, seen, want = "drain", called(o.Drain != nil), called(d.Drain == model.Yes)
	case diffWait:
		field = "IOMAP_DIO_FORCE_WAIT"
		seen, want = given(o.DioFlags&model.DioForceWait != 0), given(d.ForceWait == model.Yes)
	case diffEnd:
		field, seen, want = "end of the checks", o.Ends(), d.End.String()
	case diffEagain:
		field, seen, want = "-EAGAIN", o.Ends(), wantedEnd(o, d)
	case diffRet:
		field, seen, want = "result", fmt.Sprint(o.SubmitRet), fmt.Sprint(d.Ret)
	case diffModified:
		field, seen, want = "timestamps", observe.FmodName(o.Fmod), d.Modifier.String()
	case diffOps:
		field, seen, want = "operations", opsName(o.DioOps == record.OpsOverwrite), opsName(d.Overwrite)
	case diffQueued:
		field, seen, want = "result", "queued (-EIOCBQUEUED)", "to wait for its I/O"
	case diffAlloc:
		field, seen, want = c.allocText(o)
	case diffZeroed:
		field = "zeroed"
		seen, want = zeroedText(o)
	case diffDirect:
		field, seen, want = "direct I/O", "taken", "refused, "+string(model.RefusedFor(c.f.directFacts()))
		if len(o.Passes) == 0 {
			seen, want = "refused", "taken"
		}
	case diffFallback:
		field, seen, want = "drain before the buffered copy", called(true), called(false)
		if o.Buffered == nil || !o.Buffered.Drained {
			seen, want = want, seen
		}
	case diffCopyLock:
		field, seen, want = "lock of the buffered copy", "shared or none", "exclusive"
	}
	return field + ": observed " + seen + ", expected " + want
}

func firstLock(o *observe.Observation) string {
	if len(o.Passes) == 0 {
		return "none"
	}
	return observe.LockName(o.Passes[0].Lock)
}

func passesText(d *model.Decision) string {
	if d.Known() || d.Passes == model.MaxPasses {
		return fmt.Sprint(d.Passes)
	}
	return fmt.Sprintf("%d or more", d.Passes)
}

func called(b bool) string {
	if b {
		return "inode_dio_wait called"
	}
	return "not called"
}

func given(b bool) string {
	if b {
		return "given"
	}
	return "not given"
}

func opsName(overwrite bool) string {
	if overwrite {
		return "ext4_iomap_overwrite_ops"
	}
	return "ext4_iomap_ops"
}

func wantedEnd(o *observe.Observation, d *model.Decision) string {
	for i := range o.Mappings {
		if d.End == model.EndDio && o.Mappings[i].Err == model.ENOTBLK {
			return fmt.Sprintf("%d from ext4_iomap_begin, N6", model.EAGAIN)
		}
	}
	if d.End == model.EndUnknown {
		return "to go on to " + d.Modifier.String()
	}
	if d.End == model.EndDio {
		return "iomap_dio_rw entered, and no -EAGAIN from ext4_iomap_begin"
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
	var b strings.Builder
	for i := range o.Passes {
		if i > 0 {
			b.WriteString(", then ")
		}
		if len(o.Passes[i].Lookups) == 0 {
			b.WriteString("none")
		}
		for j, l := range o.Passes[i].Lookups {
			if j > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%s=%d %s", queryText(l.Query()), l.Ret, l.State())
		}
	}
	return b.String()
}

func (c *comparer) wantedLookups() string {
	var b strings.Builder
	for i := range c.d.Passes {
		if i > 0 {
			b.WriteString(", then ")
		}
		p := &c.d.Pass[i]
		switch {
		case p.N > 0:
		case p.MayLookUp:
			b.WriteString(queryText(p.Queries[0]) + " or none")
		case i > 0 && !c.d.Known():
			b.WriteString("not known") // there was no such pass to judge
		default:
			b.WriteString("none")
		}
		for j := range min(p.N, model.MaxQueries) {
			if j > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(queryText(p.Queries[j]))
		}
	}
	return b.String()
}

func (c *comparer) allocText(o *observe.Observation) (field, seen, want string) {
	p := o.LastPass()
	for i := range o.Mappings {
		m := &o.Mappings[i]
		flags := model.AllocFlags(c.d.Variant, m.Offset, p.ISize, p.Flags&record.PassExtents != 0)
		if m.Err == 0 && m.AllocFlags != 0 && m.AllocFlags != flags {
			return fmt.Sprintf("allocation at %d", m.Offset), fmt.Sprintf("flags %#x", m.AllocFlags), fmt.Sprintf("%#x", flags)
		}
	}
	return "allocation", "other flags", "those of the variant"
}

func zeroedText(o *observe.Observation) (seen, want string) {
	ranges, _ := o.ExpectedZeroed()
	var s, w []string
	for i := range o.Zeroed {
		s = append(s, fmt.Sprintf("%d+%d", o.Zeroed[i].Pos, o.Zeroed[i].Len))
	}
	for _, r := range ranges {
		if r.Len > 0 {
			w = append(w, fmt.Sprintf("%d+%d", r.Pos, r.Len))
		}
	}
	return list(s), list(w)
}

func list(items []string) string {
	if len(items) == 0 {
		return "nothing"
	}
	return strings.Join(items, " ")
}

// appendSleeps appends a sentence for each sleep for one of ext4's own causes.
func appendSleeps(o *observe.Observation, why []string) []string {
	for i := range o.Sleeps {
		if o.Sleeps[i].Cause.Ext4() {
			why = append(why, o.Sleeps[i].String())
		}
	}
	return why
}
