package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// comparer judges observations. It owns the memory of its verdicts, so that
// judging allocates nothing when the kernel agrees.
type comparer struct {
	seen, other trial  // as the write was seen, and under the hypothesis that was tried last
	best        *trial // the one that the verdict rests on
	v           Verdict
	expected    Expected
	unprobed    record.Stages
	// drains says whether this kernel drains before a buffered fallback, where the
	// variant does not settle it: the patch was backported to stable kernels.
	drains model.Answer
	// judged is whether the last observation could be judged at all.
	judged bool
}

// outcome is a verdict before it is put into words.
type outcome struct {
	kind    Kind
	diff    fields
	rules   rules.Set
	hazards rules.Set // broken too, but not promised
	missing string
}

// Compare judges one observation under one variant.
func Compare(o *observe.Observation, v model.Variant) *Verdict { return CompareSeen(o, v, 0) }

// CompareSeen is Compare on a kernel on which the probes of some stages were not
// attached: what they would have seen is not judged.
func CompareSeen(o *observe.Observation, v model.Variant, unprobed record.Stages) *Verdict {
	c := &comparer{unprobed: unprobed}
	return c.verdict(o, v, c.judge(o, v), nil)
}

// Decide is what variant v decides about o, with the steps that lead there, and
// the verdict of that. A fact that was not seen ends the decision; it is named.
func Decide(o *observe.Observation, v model.Variant) (*model.Decision, *Verdict) {
	c := new(comparer)
	ver := c.verdict(o, v, c.judge(o, v), nil)
	return &c.best.d, ver
}

// judge compares o with what v decides: as it was seen, and where that differs and
// breaks no rule that protects something, under the hypotheses that make it lawful.
func (c *comparer) judge(o *observe.Observation, v model.Variant) outcome {
	c.best, c.judged = &c.seen, false
	if missing := o.Unjudged(); missing != "" {
		c.seen.d = model.Decision{Variant: v, Missing: missing}
		return outcome{missing: missing}
	}
	c.judged = true
	if o.EntryError() {
		c.seen.d = model.Decision{Variant: v, End: model.EndChecks, Reason: model.ReasonEntry, Ret: o.SubmitRet}
		return outcome{kind: Agree}
	}
	c.seen.decide(o, v, hypothesis{}, c.unprobed)
	d := &c.seen.d
	if _, ok := d.Contradiction(); ok {
		return outcome{missing: d.Missing}
	}
	fallback := c.fallback(o, v)
	fallback.add(FieldMoved, o.Unmoved) // nor is this a matter of a decision
	out := outcome{diff: c.seen.diff | fallback}
	direct := c.direct(v, &out)
	c.judgeRules(o, v, &out)
	switch {
	case out.rules.Safety() != 0:
		out.kind = Unsafe
	case out.diff != 0:
		if h := c.lawful(o, v, out.diff, fallback); h != nil {
			return outcome{hazards: out.hazards, missing: h.missing}
		}
		out.kind = c.disagreement(o, v, out.diff)
	case d.End == model.EndUnknown:
		out.missing = d.Missing
	case direct == model.Unknown && (d.End == model.EndBuffered || d.End == model.EndN0):
		out.missing = "why the inode takes no direct I/O"
	case unexplainedFallback(o):
		out.missing = "why the rest went buffered"
	default:
		out.kind = Agree
	}
	out.rules |= out.diff.rules()
	return out
}

// fallback compares the lock of a buffered copy, and the drain before it. Whether 6.1 and 6.12 have
// it depends on their stable releases.
func (c *comparer) fallback(o *observe.Observation, v model.Variant) (out fields) {
	b := o.Buffered
	if b == nil || !b.Copied {
		return 0
	}
	out.add(FieldCopyLock, b.CopyLock == record.LockShared)
	mayDrain := b.Drained && v.Open().Has(model.DrainFallback)
	out.add(FieldCopyDrain, !c.unprobed.Has(record.StageDrain) && !mayDrain && b.Drained != c.behaviours(v).Has(model.DrainFallback))
	return out
}

// direct compares whether direct I/O was taken with what ext4_should_use_dio says
// of the inode under v, and returns that.
func (c *comparer) direct(v model.Variant, out *outcome) model.Answer {
	taken := c.seen.world.UseDio()
	if taken == model.Unknown {
		return model.Unknown
	}
	facts := c.seen.world.directFacts()
	want := model.UseDio(&c.seen.world.call, facts, v)
	out.diff.add(FieldDirect, want != model.Unknown && want != taken)
	if taken == model.No && want == model.No {
		c.seen.d.Reason = model.RefusedFor(facts)
	}
	return want
}

// judgeRules adds the rules that o breaks on its own: to the rules of out those that
// v promises, to its hazards the others.
func (c *comparer) judgeRules(o *observe.Observation, v model.Variant, out *outcome) {
	found := rules.BrokenBy(o, rules.ConditionsOf(v, c.unprobed))
	if out.diff.has(FieldDrain) && o.Drain == nil && rules.ZeroesEmpty(o) {
		found |= rules.R2 // nothing was in flight by luck
	}
	has := c.behaviours(v)
	out.rules = found.Promised(has)
	if !rules.PromisedToStay(o, has) {
		out.rules &^= rules.R4
	}
	out.hazards = found &^ out.rules
}

// lawful finds a hypothesis under which the write is exactly what v decides.
func (c *comparer) lawful(o *observe.Observation, v model.Variant, differ, fallback fields) *hypothesis {
	if fallback != 0 {
		return nil // no decision is about it
	}
	for _, h := range lawful(o, differ) {
		if c.other.decide(o, v, h, c.unprobed); c.other.d.Known() && c.other.diff == 0 {
			c.best = &c.other
			return &h
		}
	}
	return nil
}

// disagreement tells the kinds of disagreement apart when no rule that protects
// something is broken.
func (c *comparer) disagreement(o *observe.Observation, v model.Variant, differ fields) Kind {
	if differ.has(FieldCopyLock) {
		return Unsafe // other writers and truncate can be at the same pages
	}
	if last := o.LastPass(); last != nil && o.Dio && o.Lock == record.LockShared && last.Flags&record.PassNosec == 0 {
		return Unsafe // every variant holds the lock exclusive while security info may change
	}
	if c.seen.stricter(differ) {
		return Slower
	}
	if differ.has(FieldLookups) && !c.seen.d.Known() {
		// A lookup that the model needs was not made. The mapping that the write
		// got tells whether it would have found written blocks; then the model
		// says what would have been enough.
		c.other.decide(o, v, hypothesis{assume: true}, c.unprobed)
		if c.other.d.Known() && c.other.stricter(c.other.diff) {
			return Slower
		}
	}
	return Differs
}

// unexplainedFallback reports whether bytes went buffered after direct I/O with
// neither of the known causes: a hole of an inode without extents (-ENOTBLK), or
// the page cache that could not be invalidated, which ends it before a mapping.
func unexplainedFallback(o *observe.Observation) bool {
	if !o.Dio || o.Buffered == nil || len(o.Mappings) == 0 || o.Lacks(record.CutMaps) {
		return false
	}
	return o.Mappings[len(o.Mappings)-1].Err != model.ENOTBLK
}

// behaviours is what v promises, with what was learned of this kernel.
func (c *comparer) behaviours(v model.Variant) model.Behaviours {
	has := v.Behaviours()
	if c.drains == model.Yes {
		has |= model.DrainFallback
	}
	return has
}

// verdict puts an outcome into the form in which it is handed out, found among it: what
// o did together with other writes. The verdict is valid until the next call.
func (c *comparer) verdict(o *observe.Observation, v model.Variant, out outcome, found []overlap.Pair) *Verdict {
	d, ver := &c.best.d, &c.v
	*ver = Verdict{
		Kind: out.kind, Variant: v, Reason: reason(o, d, out.diff), Diffs: ver.Diffs[:0],
		Rules: out.rules, Hazards: out.hazards, Overlaps: found, Missing: out.missing,
	}
	if ver.Reason == d.Reason {
		ver.Also = d.Also
	}
	if d.Known() && (d.End != model.EndBuffered || out.kind == Agree) {
		c.expected = Expected{
			Passes: d.Passes, Ret: d.Ret, Drained: d.Drain == model.Yes, ForceWait: d.ForceWait == model.Yes,
		}
		if d.End == model.EndDio {
			c.expected.Lock = observe.LockOf(d.Mode)
		}
		ver.Expected = &c.expected
	}
	for f := Field(0); f < numFields && out.diff != 0; f++ {
		if out.diff.has(f) {
			ver.Diffs = append(ver.Diffs, c.best.difference(f))
		}
	}
	if out.rules&rules.R4 != 0 {
		ver.Sleeps = o.Sleeps
	}
	return ver
}

// reason is the decision's own reason, or what stands in its place.
func reason(o *observe.Observation, d *model.Decision, differ fields) model.Reason {
	switch {
	case o.Incomplete != "":
		return ReasonIncomplete
	case d.Reason != "":
		return d.Reason
	case differ.has(FieldLookups):
		return ReasonLookup
	}
	return ReasonUnknown
}

// addOverlaps adds the rules that o breaks together with another write.
func (c *comparer) addOverlaps(v model.Variant, out *outcome, found []overlap.Pair) {
	var broken rules.Set
	for i := range found {
		broken |= found[i].Kind.Rule()
	}
	kept := broken.Promised(c.behaviours(v))
	out.hazards |= broken &^ kept
	if out.rules |= kept; kept != 0 {
		out.kind, out.missing = Unsafe, ""
	}
}
