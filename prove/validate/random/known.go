package random

import (
	"fmt"
	"math/bits"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// known compares each attempt of a write with what the model makes of the layout.
func (j *judgement) known(m *made, seen []trial.Seen) {
	t := &j.rep.Known
	for i := range seen {
		o := seen[i].Observation
		if why := leftOut(seen[:i+1]); why != "" {
			t.Undecided++
			j.rep.LeftOut[why]++
			continue
		}
		k := &knowledge{variant: j.r.Variant, unprobed: j.r.Unprobed, before: &m.before,
			step: &j.c.Steps[m.step], o: o, first: i == 0, worker: j.c.worker(m.step), bs: int64(j.r.dir.FS.BlockSize), sector: int64(j.r.dir.FS.Sector)}
		diffs := k.compare()
		if i == len(seen)-1 {
			diffs = append(diffs, caller(m, k.step, o)...)
		}
		if len(diffs) == 0 {
			t.Right++
			continue
		}
		t.Wrong++
		var what, names []string
		for _, d := range diffs {
			what = append(what, d.String())
			names = append(names, d.Field)
			switch d.Field {
			case "end", "passes", "lock", "drain", "force-wait":
				// A smaller case that fails in another way is another failure.
				names = append(names, d.Expected, d.Observed)
			}
		}
		j.failWrite(trial.Known, m, what, strings.Join(names, " "), &seen[i])
	}
}

// leftOut says why the last attempt is not compared, or nothing.
func leftOut(seen []trial.Seen) string {
	o := seen[len(seen)-1].Observation
	switch {
	case o.Incomplete != "":
		return "incomplete record"
	case o.Buffered != nil && len(o.Passes) == 0 && (o.Flags&model.IocbNowait == 0 || !o.Dio && o.Ret == model.EOPNOTSUPP):
		return "inode takes no direct I/O"
	}
	if n := len(o.Passes); n > 1 && o.Passes[0].IDisksize != o.Passes[n-1].IDisksize {
		return "i_disksize moved between the passes"
	}
	for _, s := range seen[:len(seen)-1] {
		for i := range s.Observation.Mappings {
			if s.Observation.Mappings[i].Err == 0 {
				return "attempt after one that submitted I/O"
			}
		}
	}
	return ""
}

// caller compares what was observed with what the caller got.
func caller(m *made, s *Step, o *observe.Observation) []trial.Diff {
	ret := m.res.Ret()
	if ret == trial.Told(s.Engine, o) {
		return nil
	}
	return []trial.Diff{{Field: "caller", Expected: fmt.Sprint(ret), Observed: fmt.Sprint(o.Ret)}}
}

// knowledge is what is known of a write, to be compared with what was observed.
type knowledge struct {
	variant    model.Variant
	unprobed   record.Stages
	before     *before
	step       *Step
	o          *observe.Observation
	first      bool // attempt
	worker     bool // another task made the write before, and may hold i_rwsem still
	bs, sector int64
}

// compare returns the differences under the assumptions that explain the most.
func (k *knowledge) compare() []trial.Diff {
	var best []trial.Diff
	for _, cached := range []bool{false, true} {
		if is := k.before.cached; is != model.Unknown && is != model.AnswerOf(cached) {
			continue
		}
		for _, assume := range assumptions {
			diffs := k.under(assume, cached)
			if len(diffs) == 0 {
				return nil
			}
			if best == nil || len(diffs) < len(best) {
				best = diffs
			}
		}
	}
	return best
}

// assumption is what is taken for granted of the extent-status tree.
type assumption struct {
	apart bool // neighbouring extents are not one entry
	cache model.Cache
}

var assumptions = [...]assumption{{}, {apart: true}, {cache: model.CacheCold, apart: true}}

// under predicts with the given assumptions and compares.
func (k *knowledge) under(a assumption, cached bool) []trial.Diff {
	in, w := k.inode(a, cached), k.write()
	var out model.Outcome
	if err := model.Predict(&out, w, in, k.variant); err != nil {
		return []trial.Diff{{Field: "facts", Expected: "facts that can be", Observed: err.Error()}}
	}
	return k.differences(&out, k.zeroed(&out, w, in))
}

// zeroes are pieces that have to be zeroed, and those that may be.
type zeroes struct{ must, may []model.Range }

// zeroed predicts the zeroed ranges. Dirty pages over unwritten blocks are written
// back before they are mapped: their blocks are written then, and the rest of their
// extents as well where ext4 zeroes a short extent rather than split it.
func (k *knowledge) zeroed(out *model.Outcome, w *model.Write, in *model.Inode) zeroes {
	z := zeroes{must: out.Zeroed, may: out.Zeroed}
	if len(k.before.dirty) == 0 || out.End != model.EndDio {
		return z
	}
	exts := in.Extents
	for _, v := range []struct {
		whole bool
		to    *[]model.Range
	}{{true, &z.must}, {false, &z.may}} {
		in.Extents = k.flushed(exts, v.whole)
		var later model.Outcome
		if err := model.Predict(&later, w, in, k.variant); err == nil {
			*v.to = later.Zeroed
		}
	}
	in.Extents = exts
	return z
}

// write is the write as the model takes it.
func (k *knowledge) write() *model.Write {
	s := k.step
	w := &model.Write{Pos: s.Off, Len: s.Len, Async: s.Engine.Async()}
	if k.o.Caller == record.CallerSync {
		w.Async = false // pwritev2 in place of a path that this kernel does not offer
	}
	if !k.first {
		w.Pos = k.o.Pos0 // RWF_APPEND moved it
	}
	at := s.Buf
	for _, n := range s.Segs {
		w.Buffer |= uint32(at)
		if len(s.Segs) > 1 {
			w.Buffer |= uint32(n)
		}
		at += n
	}
	if s.Flags&unix.RWF_NOWAIT != 0 || s.Engine.Retries() && k.o.Flags&model.IocbNowait != 0 {
		w.Flags |= model.IocbNowait
	}
	if s.Flags&unix.RWF_APPEND != 0 {
		w.Flags |= model.IocbAppend
	}
	return w
}

// inode is the inode as it was known, with what is asked of the observation.
func (k *knowledge) inode(a assumption, cached bool) *model.Inode {
	b, o := k.before, k.o
	in := model.NewInode(uint8(bits.TrailingZeros64(uint64(k.bs))), b.size, trial.Layout(b.extents, k.bs, a.apart))
	in.Cache, in.Cached, in.Indirect = a.cache, cached, b.indirect
	in.Limits.SectorSize = k.sector
	in.Stale = o.Stages.Has(record.StageFmod) && o.FmodRet == model.EAGAIN
	in.Nosec = b.nosec == model.Yes
	in.Busy = (b.worker || k.worker) && seenEnd(o) == model.EndN1.String()
	if len(o.Passes) == 0 {
		return in
	}
	p := &o.Passes[len(o.Passes)-1]
	if b.nosec == model.Unknown || !k.first && b.nosec == model.No {
		in.Nosec = o.Passes[0].Flags&record.PassNosec != 0
	}
	if b.diskLags && p.IDisksize >= 0 && p.IDisksize <= b.size {
		in.IDisksize = p.IDisksize
	}
	return in
}

// flushed is the layout with the unwritten blocks below dirty pages of the write
// written, or with the whole extents in which they lie.
func (k *knowledge) flushed(exts model.Extents, whole bool) model.Extents {
	pos := k.step.at(k.before.size)
	page := max(int64(os.Getpagesize()), k.bs)
	first := pos / page * page / k.bs
	last := ((pos+k.step.Len-1)/page*page + page - 1) / k.bs
	var out model.Extents
	at := int64(0)
	for _, e := range exts {
		dirty := func(n int64) bool {
			return e.State == model.Unwritten && k.before.dirty[n] && n >= first && n <= last
		}
		any := false
		for n := at; n < at+int64(e.Len); n++ {
			any = any || dirty(n)
		}
		for n := at; n < at+int64(e.Len); n++ {
			x := model.Extent{Len: 1, State: e.State, Apart: e.Apart && n == at}
			if dirty(n) || whole && any {
				x.State = model.Written
			}
			out = append(out, x)
		}
		at += int64(e.Len)
	}
	return out
}
