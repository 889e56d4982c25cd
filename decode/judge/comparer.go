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
	f        facts
	d        model.Decision
	v        Verdict
	expected Expected
	unprobed record.Stages
	// drains says whether this kernel drains before a buffered fallback, where the
	// variant does not settle it: the patch was backported to stable kernels.
	drains model.Answer
	// judged is whether the last observation could be judged at all.
	judged bool
}

// outcome is a verdict before it is put into words.
type outcome struct {
	kind    Kind
	diff    diff
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

// judge compares o with what v decides. It leaves the decision in c.d and the
// facts in c.f.
func (c *comparer) judge(o *observe.Observation, v model.Variant) outcome {
	c.f.reset(o)
	c.judged = false
	if missing := o.Unjudged(); missing != "" {
		c.d = model.Decision{Variant: v, Missing: missing}
		return outcome{missing: missing}
	}
	c.judged = true
	if o.EntryError() {
		c.d = model.Decision{Variant: v, End: model.EndChecks, Reason: model.ReasonEntry, Ret: o.SubmitRet}
		return outcome{kind: Agree}
	}
	model.Decide(&c.d, &c.f.call, &c.f, v)
	if _, ok := c.d.Contradiction(); ok {
		return outcome{missing: c.d.Missing}
	}
	out := outcome{diff: compareAll(&c.f, &c.d, c.unprobed)}
	out.diff |= c.fallback(o, v)
	direct := c.direct(v, &out)
	c.judgeRules(o, v, &out)
	switch {
	case out.rules.Safety() != 0:
		out.kind = Unsafe
	case out.diff == 0 && c.d.End == model.EndUnknown:
		out.missing = c.d.Missing
	case out.diff == 0 && direct == model.Unknown && (c.d.End == model.EndBuffered || c.d.End == model.EndN0):
		out.missing = "why the inode takes no direct I/O"
	case out.diff == 0 && unexplainedFallback(o):
		out.missing = "why the rest went buffered"
	case out.diff == 0:
		out.kind = Agree
	case c.raced(o, v):
		out = outcome{hazards: out.hazards, missing: "i_disksize: it may have grown between the checks and the decision"}
	case out.diff&diffGuess != 0 && c.moved(o, v):
		out = outcome{hazards: out.hazards, missing: "i_size: it may have moved and come back while the write waited for the lock"}
	default:
		c.classify(o, v, &out)
	}
	for i := range ruleOf {
		if out.diff&ruleOf[i].diff != 0 {
			out.rules |= ruleOf[i].rule
		}
	}
	return out
}

// direct compares whether direct I/O was taken with what ext4_should_use_dio says
// of the inode under v, and returns that.
func (c *comparer) direct(v model.Variant, out *outcome) model.Answer {
	taken := c.f.UseDio()
	if taken == model.Unknown {
		return model.Unknown
	}
	facts := c.f.directFacts()
	want := model.UseDio(&c.f.call, facts, v)
	if want != model.Unknown && want != taken {
		out.diff |= diffDirect
	}
	if taken == model.No && want == model.No {
		c.d.Reason = model.RefusedFor(facts)
	}
	return want
}

// judgeRules adds the rules that o breaks on its own: to the rules of out those that
// v promises, to its hazards the others.
func (c *comparer) judgeRules(o *observe.Observation, v model.Variant, out *outcome) {
	found := rules.BrokenBy(o, rules.ConditionsOf(v, c.unprobed))
	if out.diff&diffDrain != 0 && o.Drain == nil && rules.ZeroesEmpty(o) {
		found |= rules.R2 // nothing was in flight by luck
	}
	has := c.behaviours(v)
	out.rules = found.Promised(has)
	if !rules.PromisedToStay(o, has) {
		out.rules &^= rules.R4
	}
	out.hazards = found &^ out.rules
}

// addOverlaps adds the rules that o breaks together with another write.
func (c *comparer) addOverlaps(v model.Variant, out *outcome, found []overlap.Pair) {
	var broken rules.Set
	for i := range found {
		broken |= found[i].Kind.Rule()
	}
	if broken == 0 {
		return
	}
	kept := broken.Promised(c.behaviours(v))
	out.hazards |= broken &^ kept
	if out.rules |= kept; kept != 0 {
		out.kind, out.missing = Unsafe, ""
	}
}

// unexplainedFallback reports whether bytes went buffered after direct I/O with
// neither of the known causes: a hole of an inode without extents (-ENOTBLK), or
// the page cache that could not be invalidated, which ends it before a mapping.
func unexplainedFallback(o *observe.Observation) bool {
	if !o.Dio || o.Buffered == nil || len(o.Mappings) == 0 {
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

// fallback compares the lock of a buffered copy, and the drain before it. Whether 6.1 and 6.12 have
// it depends on their stable releases.
func (c *comparer) fallback(o *observe.Observation, v model.Variant) diff {
	b := o.Buffered
	if b == nil || !b.Copied {
		return 0
	}
	var out diff
	if b.CopyLock == record.LockShared {
		out = diffCopyLock
	}
	want := c.behaviours(v).Has(model.DrainFallback)
	switch {
	case c.unprobed.Has(record.StageDrain), b.Drained == want:
	case b.Drained && (v.Named() == model.Linux61 || v.Named() == model.Linux612):
	default:
		out |= diffFallback
	}
	return out
}

// raced reports whether the write is exactly what v decides when i_disksize had
// grown, in one pass or in both, after it was read.
func (c *comparer) raced(o *observe.Observation, v model.Variant) bool {
	var can uint8
	for i := range min(len(o.Passes), model.MaxPasses) {
		p := &o.Passes[i]
		end := p.Pos + p.Count
		if p.Count > 0 && end <= p.ISize && end > p.IDisksize {
			can |= 1 << i
		}
	}
	for try := uint8(1); try < 1<<model.MaxPasses; try++ {
		if try&^can != 0 {
			continue
		}
		c.f.again(try, false)
		model.Decide(&c.d, &c.f.call, &c.f, v)
		if c.d.Known() && compareAll(&c.f, &c.d, c.unprobed)|c.fallback(o, v) == 0 {
			return true
		}
	}
	if can != 0 {
		c.f.again(0, false)
		model.Decide(&c.d, &c.f.call, &c.f, v)
	}
	return false
}

// moved reports whether the write is exactly what v decides when the guess saw
// another i_size than the entry and the first pass, which saw the same. Nobody else
// can change i_size and change it back unless this write waits for the lock.
func (c *comparer) moved(o *observe.Observation, v model.Variant) bool {
	if len(o.Passes) == 0 || !o.Stages.Has(record.StageWait) {
		return false
	}
	was := c.f.call.ISize
	c.f.call.ISize = sizeFor(o, o.Passes[0].Lock == record.LockExclusive)
	c.f.again(0, false)
	model.Decide(&c.d, &c.f.call, &c.f, v)
	if c.d.Known() && compareAll(&c.f, &c.d, c.unprobed)|c.fallback(o, v) == 0 {
		return true
	}
	c.f.call.ISize = was
	c.f.again(0, false)
	model.Decide(&c.d, &c.f.call, &c.f, v)
	compareAll(&c.f, &c.d, c.unprobed)
	return false
}

// classify tells the kinds of disagreement apart when no safety rule is broken.
func (c *comparer) classify(o *observe.Observation, v model.Variant, out *outcome) {
	out.kind = Differs
	if out.diff&diffCopyLock != 0 {
		out.kind = Unsafe // other writers and truncate can be at the same pages
		return
	}
	last := o.LastPass()
	if last != nil && o.Dio && o.Lock == record.LockShared && last.Flags&record.PassNosec == 0 {
		// Every variant holds the lock exclusive while security info may change.
		out.kind = Unsafe
		return
	}
	if c.stricter(o, out.diff, &c.d) {
		out.kind = Slower
		return
	}
	if out.diff&diffLookups != 0 && !c.d.Known() {
		// A lookup that the model needs was not made. The mapping that the write
		// got tells whether it would have found written blocks; then the model
		// says what would have been enough.
		c.f.again(0, true)
		var d model.Decision
		model.Decide(&d, &c.f.call, &c.f, v)
		if d.Known() && c.stricter(o, compareAll(&c.f, &d, c.unprobed), &d) {
			out.kind = Slower
		}
		c.f.again(0, false)
		model.Decide(&c.d, &c.f.call, &c.f, v)
		compareAll(&c.f, &c.d, c.unprobed)
	}
}

// stricter reports whether o differs from d only in that the kernel serialised
// more than d asks for.
func (c *comparer) stricter(o *observe.Observation, out diff, d *model.Decision) bool {
	const may = diffGuess | diffLock | diffPasses | diffLookups | diffDrain | diffWait | diffOps | diffFallback
	if d.End != model.EndDio && d.End != model.EndBuffered || out&^may != 0 {
		return false
	}
	if out&diffLookups != 0 && !c.f.assume {
		return false
	}
	more := false
	check := func(bit diff, stricter bool) bool {
		if out&bit == 0 {
			return true
		}
		more = more || stricter
		return stricter
	}
	ok := check(diffLock, o.Lock == record.LockExclusive) &&
		check(diffGuess, len(o.Passes) > 0 && o.Passes[0].Lock == record.LockExclusive) &&
		check(diffPasses, len(o.Passes) > d.Passes) &&
		check(diffDrain, o.Drain != nil) &&
		check(diffWait, o.DioFlags&model.DioForceWait != 0) &&
		check(diffFallback, o.Buffered != nil && o.Buffered.Drained)
	return ok && more
}
