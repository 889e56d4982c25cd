// Package judge compares each observation with what the reference model says that
// kernel had to decide, and finds out which kernel it is.
//
// It never guesses: an incomplete record is never judged, and lost data ends in
// "undecided", never in a disagreement.
package judge

import (
	"hash/maphash"

	"github.com/ext4dio/ext4dio-trace/decode/blame"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/request"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Options says how a Judge judges.
type Options struct {
	// Variant forces the variant; the zero value finds it from evidence.
	Variant model.Variant
	// Evidence is what is known of the kernel before any write.
	Evidence model.Evidence
	// Detector holds what earlier writes told of the kernel; nil: nothing yet. It is not
	// changed. Evidence and Variant mean nothing beside it.
	Detector *Detector
	// Unprobed are the stages whose probes could not be attached. What they would
	// have seen is not judged.
	Unprobed record.Stages
	// Doubt reports whether probes may have been skipped from one instant to another,
	// ns of CLOCK_MONOTONIC. It is asked about writes that seem to disagree, and
	// before variants are ruled out. Nil: none were.
	Doubt func(from, to uint64) bool
	// Anew has every write decided anew, and no verdict kept for others of the same
	// facts: slower, and the same verdicts.
	Anew bool
	// Seen is called for every write with its verdict. Both are valid during the
	// call only.
	Seen func(*observe.Observation, *Verdict)
	// Holders says that holders of i_rwsem are recorded that make no recorded writes.
	Holders bool
	// Sampled says that only some of the writes come: what two of them did together is not
	// looked at, as that of most pairs is not seen.
	Sampled bool
	// Held is called for everybody else who held i_rwsem, before the writes that waited for
	// that come. The Hold is valid during the call only; nil for nothing.
	Held func(*observe.Hold)
}

// Stats counts what a Judge has handed out.
type Stats struct {
	Writes     uint64 // observations
	Kinds      [Unsafe + 1]uint64
	Incomplete uint64 // of the undecided ones
	Queued     uint64
	Unpaired   uint64 // queued writes handed out without their completion
	Orphans    uint64 // completions whose write was never seen
	Malformed  uint64 // raw records that could not be parsed
	// Hazards counts writes that broke a rule that the variant does not promise, by
	// the number of the rule.
	Hazards [rules.Last + 1]uint64
	// Overlaps counts what two writes did together.
	Overlaps overlap.Stats
	// Requests counts tries, and ties those of one request.
	Requests request.Stats
}

// Disagree is the number of writes in which kernel and model disagree.
func (s Stats) Disagree() uint64 { return s.Kinds[Slower] + s.Kinds[Differs] + s.Kinds[Unsafe] }

// Judge turns a stream of raw records into observations and verdicts. It is not
// safe for concurrent use.
type Judge struct {
	opts Options
	ob   *observe.Observer
	det  *Detector
	cmp  comparer
	// other judges the candidates that are not reported.
	other    comparer
	known    *known // nil: every write is decided anew
	overlaps *overlap.Finder
	requests *request.Tracker
	blame    *blame.Finder
	stats    Stats
	number   uint64 // of the last write
	fit      []model.Variant
}

// New returns a Judge over an empty stream.
func New(opts Options) *Judge {
	j := &Judge{opts: opts, overlaps: overlap.NewFinder(), requests: request.New(), blame: blame.NewFinder(opts.Holders)}
	if !opts.Anew {
		j.known = &known{seed: maphash.MakeSeed()}
	}
	switch {
	case opts.Detector != nil:
		j.det = opts.Detector.again()
	case opts.Variant != 0:
		j.det = Forced(opts.Variant)
	default:
		j.det = NewDetector(opts.Evidence)
	}
	j.cmp.unprobed, j.other.unprobed = opts.Unprobed, opts.Unprobed
	j.ob = observe.NewObserver(j.observe)
	j.ob.Arrived = j.blame.Add
	j.ob.Held = func(h *observe.Hold) {
		j.blame.Hold(h)
		if opts.Held != nil {
			opts.Held(h)
		}
	}
	return j
}

// Feed takes one raw record. The error wraps record.ErrShort or record.ErrKind
// when it is not understood; it is counted and the Judge can be used further.
func (j *Judge) Feed(raw []byte) error {
	err := j.ob.Feed(raw)
	if err != nil {
		j.stats.Malformed++
	}
	return err
}

// Flush hands out the writes that wait for a completion. It is called at the end.
func (j *Judge) Flush() { j.ob.Flush() }

// Expire hands out the writes that began before t, ns of CLOCK_MONOTONIC, and
// still wait for a completion.
func (j *Judge) Expire(t uint64) { j.ob.Expire(t) }

// Pending is the number of queued writes that were fed and wait for their completion.
func (j *Judge) Pending() int { return j.ob.Pending() }

// EachPending calls f with the queued writes that wait for their completion, in no order.
func (j *Judge) EachPending(f func(*observe.Observation)) { j.ob.EachPending(f) }

// Detector is the search for the variant.
func (j *Judge) Detector() *Detector { return j.det }

// Stats counts what was handed out so far.
func (j *Judge) Stats() Stats {
	s := j.stats
	s.Unpaired, s.Orphans = j.ob.Unpaired, j.ob.Orphans
	s.Overlaps, s.Requests = j.overlaps.Stats, j.requests.Stats
	return s
}

// NumberFrom says how many writes there were before those that come: of a part of a stream.
func (j *Judge) NumberFrom(before uint64) { j.number = before }

func (j *Judge) observe(o *observe.Observation) {
	j.requests.Add(o)
	ver := j.judge(o)
	j.stats.Writes++
	j.number++
	ver.Seq = j.number
	j.blame.Number(o, j.number)
	j.blame.Explain(o)
	j.stats.Kinds[ver.Kind]++
	if o.Incomplete != "" && !o.Inside {
		j.stats.Incomplete++
	}
	if o.Queued {
		j.stats.Queued++
	}
	if j.opts.Seen != nil {
		j.opts.Seen(o, ver)
	}
}

// judge gives the verdict on o: the one that a write of the same facts got before, or
// that of the model. What o did together with other writes is looked at in any case.
func (j *Judge) judge(o *observe.Observation) *Verdict {
	var e *knownVerdict
	if j.known != nil {
		e = j.known.find(o, j.det)
	}
	if e == nil {
		return j.decide(o)
	}
	if found := j.together(o, e.conditions); len(found) > 0 {
		best := j.det.Best()
		ver := j.conclude(o, best, j.cmp.judge(o, best), found)
		ver.Provisional = j.det.Provisional()
		return ver
	}
	j.countHazards(e.verdict.Hazards)
	return &e.verdict
}

// together is what o did together with writes that came before.
func (j *Judge) together(o *observe.Observation, conditions rules.Conditions) []overlap.Pair {
	if j.opts.Sampled {
		return nil
	}
	return j.overlaps.Add(o, conditions)
}

// decide compares o with every variant that is still possible. A write that
// agrees with some of them narrows the choice to those; one that agrees with none
// is a disagreement with the best of them, and narrows nothing. One in doubt is not
// kept for others of the same facts.
func (j *Judge) decide(o *observe.Observation) *Verdict {
	j.cmp.drains, j.other.drains = j.det.drains, j.det.drains
	best := j.det.Best()
	out := j.cmp.judge(o, best)
	doubt := out.kind.Disagrees() && j.doubtful(o)
	if doubt {
		out = outcome{missing: skippedProbe}
	}
	if !j.det.forced && !doubt {
		if doubt = j.learn(o, out); j.det.Best() != best {
			j.det.judgedBefore(j.stats.Writes, best)
			best = j.det.Best()
			out = j.cmp.judge(o, best)
		}
	}
	var found []overlap.Pair
	conditions := rules.ConditionsOf(best, j.opts.Unprobed)
	if j.cmp.judged {
		found = j.together(o, conditions)
	}
	ver := j.conclude(o, best, out, found)
	ver.Provisional = j.det.Provisional()
	if j.known != nil && !doubt {
		j.known.keep(ver, j.det, conditions)
	}
	return ver
}

// skippedProbe is what is missing of a write that was in the kernel while that skipped
// a probe: a step that was not seen may have been made.
const skippedProbe = "a probe was skipped by the kernel while the write ran"

func (j *Judge) doubtful(o *observe.Observation) bool {
	return j.opts.Doubt != nil && j.opts.Doubt(o.Time, o.Time+o.SubmitNs)
}

// conclude makes the verdict of an outcome and of the overlaps that were found.
func (j *Judge) conclude(o *observe.Observation, v model.Variant, out outcome, found []overlap.Pair) *Verdict {
	j.cmp.addOverlaps(v, &out, found)
	j.countHazards(out.hazards)
	return j.cmp.verdict(o, v, out, found)
}

// learn takes from o what it tells of the kernel. It reports whether o would tell
// something and is in doubt.
func (j *Judge) learn(o *observe.Observation, best outcome) (doubt bool) {
	if !j.det.final && len(j.det.candidates) > 1 && j.narrows(o, best) {
		if j.doubtful(o) {
			return true
		}
		j.det.keep(j.fit, o)
	}
	if drained, news := j.det.newDrain(o); news {
		if j.doubtful(o) {
			return true
		}
		j.det.drains = drained
		j.det.learned++
	}
	return false
}

func (j *Judge) countHazards(hazards rules.Set) {
	for r := range hazards.Rules() {
		j.stats.Hazards[r.Number()]++
	}
}

// narrows reports whether o rules some candidates out, and leaves the others in j.fit.
func (j *Judge) narrows(o *observe.Observation, best outcome) bool {
	if best.kind == Undecided && o.Incomplete != "" || best.kind == Agree && !telling(o, j.det.candidates) {
		return false
	}
	fit, agree := j.fit[:0], best.kind == Agree
	for i, v := range j.det.candidates {
		out := best
		if i > 0 {
			out = j.other.judge(o, v)
		}
		if out.kind == Agree || out.kind == Undecided {
			fit = append(fit, v)
			agree = agree || out.kind == Agree
		}
	}
	j.fit = fit
	return agree && len(fit) < len(j.det.candidates)
}

// telling reports whether o can tell the candidates apart. Where they differ only
// under NOWAIT, other writes need not be judged more than once.
func telling(o *observe.Observation, candidates []model.Variant) bool {
	const nowaitOnly = model.NowaitNoAlloc | model.CachedMissEagain | model.NowaitCachedBegin | model.NowaitCachedZeroing
	const fallback = model.DrainFallback
	all, any := ^model.Behaviours(0), model.Behaviours(0)
	for _, v := range candidates {
		all &= v.Behaviours()
		any |= v.Behaviours()
	}
	differ := any &^ all
	if differ&^(nowaitOnly|fallback) != 0 {
		return true
	}
	return differ&nowaitOnly != 0 && o.Flags&model.IocbNowait != 0 || differ&fallback != 0 && o.Buffered != nil
}
