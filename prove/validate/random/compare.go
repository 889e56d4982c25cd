package random

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const (
	none   = "none"
	direct = "direct I/O"
)

// differences compares a prediction with what was observed.
func (k *knowledge) differences(out *model.Outcome, z zeroes) []trial.Diff {
	var diffs []trial.Diff
	o := k.o
	differ := func(field, want, got string) {
		if want != got {
			diffs = append(diffs, trial.Diff{Field: field, Expected: want, Observed: got})
		}
	}
	if n := len(o.Passes); n > 0 && k.first {
		differ("i_size", fmt.Sprint(k.before.size), fmt.Sprint(o.Passes[n-1].ISize))
	}
	differ("passes", predictedPasses(out), seenPasses(o))
	if !k.unprobed.Has(record.StageLookup) && !o.Lacks(record.CutChecks) {
		for i := range min(out.Passes, len(o.Passes), len(out.Pass)) {
			if want, got := predictedLookups(&out.Pass[i]), seenLookups(&o.Passes[i]); want != got && !(out.Pass[i].MayLookUp && got == none) {
				differ("lookups", want, got)
			}
		}
	}
	end := predictedEnd(out)
	if !k.odd() || !o.Dio || out.End != model.EndDio {
		differ("end", end, seenEnd(o))
		differ("ret", fmt.Sprint(out.Result), fmt.Sprint(o.Ret))
	}
	if !o.Dio || out.End != model.EndDio {
		return diffs
	}
	differ("lock", out.Mode.String(), observe.LockName(o.Lock))
	if !k.unprobed.Has(record.StageDrain) && out.Drain != model.Unknown {
		differ("drain", out.Drain.String(), model.AnswerOf(o.Drain != nil).String())
	}
	if out.ForceWait != model.Unknown {
		differ("force-wait", out.ForceWait.String(), model.AnswerOf(o.DioFlags&model.DioForceWait != 0).String())
	}
	seen := seenZeroed(o)
	if !k.unprobed.Has(record.StageZero) && !o.Lacks(record.CutMaps|record.CutZeroed) && end == direct && !k.odd() && !z.allow(seen) {
		differ("zeroed", z.String(), (&zeroes{must: seen, may: seen}).String())
	}
	return diffs
}

// odd reports whether the device cannot take the write. At which mapping that is
// noticed differs between kernels.
func (k *knowledge) odd() bool {
	return (k.step.at(k.before.size)|k.step.Len)%k.sector != 0
}

func predictedPasses(out *model.Outcome) string {
	s := ""
	for i := range out.Passes {
		s += out.Pass[i].Mode.String()[:1]
	}
	return cmp.Or(s, none)
}

func seenPasses(o *observe.Observation) string {
	s := ""
	for i := range o.Passes {
		s += observe.LockName(o.Passes[i].Lock)[:1]
	}
	return cmp.Or(s, none)
}

func predictedLookups(p *model.Pass) string {
	n := min(p.N, len(p.Queries))
	if p.MayLookUp && n == 0 {
		n = 1
	}
	return lookupsText(p.Queries[:n])
}

func seenLookups(p *observe.Pass) string {
	var asked []model.Query
	for _, l := range p.Lookups {
		asked = append(asked, model.Query{Lblk: l.Lblk, Len: l.Len, Flags: l.ArgFlags})
	}
	return lookupsText(asked)
}

func lookupsText(asked []model.Query) string {
	s := ""
	for _, q := range asked {
		s += fmt.Sprintf("(%d,%d,%#x)", q.Lblk, q.Len, q.Flags)
	}
	return cmp.Or(s, none)
}

// allow reports whether all that has to be zeroed was, and nothing else than what
// may be.
func (z *zeroes) allow(seen []model.Range) bool {
	must := 0
	for _, r := range seen {
		if !slices.Contains(z.may, r) {
			return false
		}
		if slices.Contains(z.must, r) {
			must++
		}
	}
	return must == len(z.must) && len(seen) <= len(z.may)
}

// String lists the pieces, with a "?" behind those that only may be zeroed.
func (z *zeroes) String() string {
	s := ""
	for _, r := range z.may {
		s += fmt.Sprintf("(%d,%d)", r.Pos, r.Len)
		if !slices.Contains(z.must, r) {
			s += "?"
		}
	}
	return cmp.Or(s, none)
}

func seenZeroed(o *observe.Observation) []model.Range {
	var out []model.Range
	for _, z := range o.Zeroed {
		out = append(out, model.Range{Pos: z.Pos, Len: z.Len})
	}
	return out
}

// predictedEnd is where the write ends, in the model's words.
func predictedEnd(out *model.Outcome) string {
	if out.End == model.EndDio {
		return out.Ended.String()
	}
	return out.End.String()
}

// seenEnd is the same, read off an observation.
func seenEnd(o *observe.Observation) string {
	nowait := o.Flags&model.IocbNowait != 0
	if o.Dio {
		return seenDioEnd(o, nowait)
	}
	switch {
	case o.Buffered != nil && nowait:
		return model.EndN0.String()
	case o.Buffered != nil:
		return model.EndBuffered.String()
	case o.Stages.Has(record.StageFmod) && o.FmodRet == model.EAGAIN && nowait:
		return model.EndN4.String()
	case o.Stages.Has(record.StageFmod) && o.FmodRet != 0:
		return model.EndModified.String()
	case len(o.Passes) == 0 && nowait && o.SubmitRet == model.EAGAIN:
		return model.EndN1.String()
	case len(o.Passes) == 0:
		return model.EndEntry.String()
	}
	p := &o.Passes[len(o.Passes)-1]
	switch {
	case p.Count <= 0:
		return model.EndChecks.String()
	case p.Lock == record.LockShared:
		return model.EndN2.String()
	}
	return model.EndN3.String()
}

// seenDioEnd is the end of a write that came to iomap_dio_rw.
func seenDioEnd(o *observe.Observation, nowait bool) string {
	for i := range o.Mappings {
		switch err := o.Mappings[i].Err; {
		case err == model.ENOTBLK:
			return model.SubmitFallback.String()
		case err == model.EAGAIN && nowait:
			return model.SubmitN6.String()
		case err != 0:
			return model.SubmitError.String()
		}
	}
	switch {
	case o.Ret == model.EAGAIN && len(o.Mappings) == 0 && nowait:
		return model.SubmitN5.String()
	case o.Buffered != nil:
		return model.SubmitFallback.String()
	case o.Ret < 0:
		return model.SubmitError.String()
	}
	return direct
}
