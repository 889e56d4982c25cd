package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Detector finds the variant of the traced kernel, from evidence alone: symbols
// and types first, then every decision that is seen. It never looks at a version
// number. A variant that was excluded stays excluded, so that a kernel that
// decides wrongly cannot make the Detector follow it.
type Detector struct {
	candidates []model.Variant // best first
	forced     bool
	evidence   []string
	// learned counts how often a write changed what is known of the kernel.
	learned int
	// drains is whether buffered fallbacks drain, as far as seen.
	drains model.Answer
	// final: all writes were looked at before, and what they tell is known.
	final bool
	// before are variants that writes were judged as before those were ruled out, in words.
	before []string
}

// NewDetector starts from static evidence.
func NewDetector(e model.Evidence) *Detector {
	d := &Detector{candidates: candidates(e)}
	d.evidence = append(d.evidence, told(e)+" ("+names(d.candidates)+")")
	return d
}

// told is static evidence in words.
func told(e model.Evidence) string {
	switch {
	case e.OverwriteBegin == model.Yes && e.IovMember == model.Yes:
		return "symbol ext4_iomap_overwrite_begin and iov_iter.iov: the 6.1 logic"
	case e.OverwriteBegin == model.Yes && e.IovMember == model.No:
		return "symbol ext4_iomap_overwrite_begin and iov_iter.__iov: the 6.12 logic"
	case e.OverwriteBegin == model.Yes:
		return "symbol ext4_iomap_overwrite_begin: 6.x"
	case e.OverwriteBegin == model.No && e.IomapNext == model.Yes:
		return "no ext4_iomap_overwrite_begin, but ext4_iomap_next: 7.3 or later"
	case e.OverwriteBegin == model.No && e.IomapNext == model.No:
		return "neither ext4_iomap_overwrite_begin nor ext4_iomap_next: 7.x before 7.3"
	case e.OverwriteBegin == model.No:
		return "no ext4_iomap_overwrite_begin: 7.x"
	default:
		return "no symbols known: every variant is possible"
	}
}

// candidates are the variants that e does not exclude, the best first. No write tells
// apart those that decide alike.
func candidates(e model.Evidence) []model.Variant {
	out := slices.DeleteFunc(model.Distinct(), func(v model.Variant) bool { return !e.Fits(v) })
	slices.SortStableFunc(out, func(a, b model.Variant) int {
		if against := e.Against(a); against != e.Against(b) {
			if against {
				return 1
			}
			return -1
		}
		return a.Preference() - b.Preference()
	})
	return out
}

// Forced returns a Detector that has settled on v.
func Forced(v model.Variant) *Detector {
	return &Detector{candidates: []model.Variant{v}, forced: true, evidence: []string{"chosen by the user: " + v.String()}}
}

// Final returns a Detector that knows what d knows, and by which no variant is ruled out
// any more: for another pass over the same writes, in which the first is judged as the last.
func (d *Detector) Final() *Detector {
	c := d.again()
	c.final = true
	return c
}

// again is a copy of d for writes that are judged once more from the first on.
func (d *Detector) again() *Detector {
	c := *d
	c.candidates, c.evidence, c.before = slices.Clone(d.candidates), slices.Clone(d.evidence), nil
	return &c
}

// Provisional reports whether a write that is still to come may rule out the variant that
// writes are judged as now.
func (d *Detector) Provisional() bool { return !d.forced && !d.final && len(d.candidates) > 1 }

// Learnt reports whether no write can change how others are judged: one variant is left,
// and whether that drains before a buffered fallback is told by the variant or was seen.
func (d *Detector) Learnt() bool {
	return d.Settled() && (d.drains == model.Yes || !d.Best().Open().Has(model.DrainFallback))
}

// Candidates lists the variants that are still possible, the best first.
func (d *Detector) Candidates() []model.Variant { return slices.Clone(d.candidates) }

// Best is the variant that verdicts are reported under. Where several remain,
// everything seen is the same in all of them, and it is the one that promises
// least beyond what was seen.
func (d *Detector) Best() model.Variant { return d.candidates[0] }

// Settled reports whether one variant is left.
func (d *Detector) Settled() bool { return len(d.candidates) == 1 }

// Evidence tells in sentences what the choice rests on, in the order in which it
// was learned.
func (d *Detector) Evidence() []string {
	out := slices.Clone(d.evidence)
	if len(d.candidates) > 1 {
		out = append(out, "so far nothing was seen that tells apart "+names(d.candidates))
	}
	if d.drains != model.Unknown {
		out = append(out, "buffered fallbacks drain direct I/O (patch 2): "+d.drains.String())
	}
	return append(out, d.before...)
}

// keep drops all candidates that are not in fit, because of o.
func (d *Detector) keep(fit []model.Variant, o *observe.Observation) {
	if len(fit) == 0 || len(fit) == len(d.candidates) {
		return
	}
	var out []model.Variant
	for _, v := range d.candidates {
		if !slices.Contains(fit, v) {
			out = append(out, v)
		}
	}
	d.evidence = append(d.evidence, fmt.Sprintf("write at %d+%d: %s; not %s", o.Pos0, o.Len0, decided(o), names(out)))
	d.candidates = append(d.candidates[:0], fit...)
	d.learned++
}

// judgedBefore takes note that the first writes were judged as a variant that is ruled out
// now.
func (d *Detector) judgedBefore(writes uint64, as model.Variant) {
	if writes > 0 {
		d.before = append(d.before, fmt.Sprintf("writes 1 to %d were judged as %s", writes, as))
	}
}

// newDrain is whether a buffered fallback drained, and true when that was not known
// before. One that did shows that the kernel can; from then on it has to.
func (d *Detector) newDrain(o *observe.Observation) (model.Answer, bool) {
	b := o.Buffered
	if b == nil || !b.Copied || o.Incomplete != "" || d.drains == model.Yes {
		return d.drains, false
	}
	drained := model.AnswerOf(b.Drained)
	return drained, drained != d.drains
}

// decided says in short what the kernel did.
func decided(o *observe.Observation) string {
	if len(o.Passes) == 0 {
		return o.Ends() // no lock, pass or lookup can be named
	}
	parts := []string{"lock " + observe.LockName(o.Lock), "1 pass", "lookups " + seenLookups(o)}
	if n := len(o.Passes); n > 1 {
		parts[1] = fmt.Sprintf("%d passes", n)
	}
	if o.Stages.Has(record.StageFmod) {
		parts = append(parts, observe.FmodName(o.Fmod))
	}
	if !o.Dio {
		parts[0] = fmt.Sprintf("result %d", o.SubmitRet)
	}
	return strings.Join(parts, ", ")
}

func names(vs []model.Variant) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.String())
	}
	return strings.Join(out, ", ")
}
