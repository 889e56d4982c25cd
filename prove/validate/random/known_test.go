package random

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// observed makes the observation that a kernel gives that does what out says.
func observed(out *model.Outcome, in *model.Inode, w *model.Write) *observe.Observation {
	locks := map[model.Mode]record.Lock{model.Shared: record.LockShared, model.Exclusive: record.LockExclusive}
	o := &observe.Observation{
		Pos0: w.Pos, Len0: w.Len, Flags: w.Flags, Blkbits: in.Blkbits, Ret: out.Result, SubmitRet: out.Ret, Completed: true,
		Caller: record.CallerSync,
	}
	if w.Async {
		o.Caller = record.CallerUnknown
	}
	for i := range out.Passes {
		p := observe.Pass{Lock: locks[out.Pass[i].Mode], Pos: w.Pos, Count: w.Len, ISize: in.ISize, IDisksize: in.IDisksize}
		if in.Nosec {
			p.Flags = record.PassNosec
		}
		for _, q := range out.Pass[i].Queries[:min(out.Pass[i].N, model.MaxQueries)] {
			p.Lookups = append(p.Lookups, observe.Lookup{Lblk: q.Lblk, Len: q.Len, ArgFlags: q.Flags})
		}
		o.Passes = append(o.Passes, p)
	}
	if out.End == model.EndN4 {
		o.Stages, o.FmodRet, o.FmodKnown = record.StageFmod, model.EAGAIN, true
	}
	if out.End != model.EndDio {
		return o
	}
	o.Dio, o.Lock = true, locks[out.Mode]
	if out.Drain == model.Yes {
		o.Drain = &observe.Drain{}
	}
	if out.ForceWait == model.Yes {
		o.DioFlags = model.DioForceWait
	}
	for _, m := range out.Mappings {
		o.Mappings = append(o.Mappings, observe.Mapping{Type: m.Type, Flags: m.Flags, Err: m.Err})
	}
	for _, z := range out.Zeroed {
		o.Zeroed = append(o.Zeroed, observe.Zeroed{Pos: z.Pos, Len: z.Len})
	}
	if out.Fallback.Len > 0 {
		o.Buffered = &observe.Buffered{Pos: out.Fallback.Pos, Len: out.Fallback.Len}
	}
	return o
}

// randomExtents is a layout as FIEMAP gives it.
func randomExtents(rnd *rand.Rand, indirect bool) []workload.Extent {
	var out []workload.Extent
	pos, phys := int64(0), int64(1<<20)
	for range 1 + rnd.IntN(6) {
		n := (1 + rnd.Int64N(4)) * 4096
		e := workload.Extent{Start: pos, Len: n, Physical: phys, State: []workload.BlockState{workload.Written, workload.Unwritten, workload.Delayed, workload.Hole}[rnd.IntN(4)]}
		if e.State == workload.Delayed {
			e.Physical = 0
		}
		if e.State != workload.Hole && (e.State != workload.Unwritten || !indirect) {
			out = append(out, e)
		}
		pos, phys = pos+n, phys+n+rnd.Int64N(2)*4096
	}
	return out
}

// TestKnownAgreesWithItself feeds the known oracle with what the model itself
// says, under each assumption that it cannot tell apart, and then with less.
func TestKnownAgreesWithItself(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	noticed := map[string]int{}
	for n := range 4000 {
		c := Generate(2, n+1, fourK)
		s := &c.Steps[len(c.Steps)-1]
		b := before{size: c.Steps[0].Len + rnd.Int64N(40)*512, state: state{indirect: n%7 == 0, nosec: model.AnswerOf(rnd.IntN(5) > 0)}, cached: model.Answer(rnd.IntN(3))}
		b.extents = randomExtents(rnd, b.indirect)
		k := &knowledge{
			variant: model.Distinct()[rnd.IntN(8)], before: &b, step: s, first: true, bs: 4096, sector: 512,
			o: &observe.Observation{Caller: record.CallerUnknown},
		}
		stale := rnd.IntN(2) == 0
		a := assumptions[rnd.IntN(len(assumptions))]
		cached := b.cached == model.Yes || b.cached == model.Unknown && rnd.IntN(2) == 0
		in, w := k.inode(a, cached), k.write()
		in.Stale = stale
		in.Nosec = b.nosec == model.Yes
		var out model.Outcome
		if err := model.Predict(&out, w, in, k.variant); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		k.o = observed(&out, in, w)
		if diffs := k.compare(); diffs != nil {
			t.Fatalf("%s under %s, %s: %+v", s, k.variant, in.Extents, diffs)
		}
		for _, d := range damage(k) {
			noticed[d]++
		}
	}
	for _, field := range []string{"i_size", "passes", "lookups", "lock", "drain", "force-wait", "end", "zeroed", "ret"} {
		if noticed[field] < 50 {
			t.Errorf("a wrong %s was noticed %d times", field, noticed[field])
		}
	}
	t.Log(noticed)
}

// damage changes one thing of the observation at a time, and lists the fields in
// which that was noticed.
func damage(k *knowledge) []string {
	good := k.o
	var out []string
	for field, change := range map[string]func(*observe.Observation){
		"ret":        func(o *observe.Observation) { o.Ret-- },
		"drain":      func(o *observe.Observation) { o.Drain = map[bool]*observe.Drain{true: {}}[o.Drain == nil] },
		"force-wait": func(o *observe.Observation) { o.DioFlags ^= model.DioForceWait },
		"zeroed":     func(o *observe.Observation) { o.Zeroed = append(o.Zeroed, observe.Zeroed{Pos: 1, Len: 511}) },
		"lock":       func(o *observe.Observation) { o.Lock = record.LockShared + record.LockExclusive - o.Lock },
		"end":        func(o *observe.Observation) { o.Dio = false },
		"passes":     func(o *observe.Observation) { o.Passes = append(o.Passes, observe.Pass{Lock: record.LockShared}) },
		"i_size": func(o *observe.Observation) {
			if n := len(o.Passes); n > 0 {
				o.Passes[n-1].ISize++
			}
		},
		"lookups": func(o *observe.Observation) {
			if n := len(o.Passes); n > 0 {
				o.Passes[n-1].Lookups = append(o.Passes[n-1].Lookups, observe.Lookup{Lblk: 77, Len: 1})
			}
		},
	} {
		k.o = good.Clone()
		change(k.o)
		for _, d := range k.compare() {
			if d.Field == field {
				out = append(out, field)
			}
		}
	}
	k.o = good
	return out
}

func TestKnownFlushesDirtyUnwrittenBlocks(t *testing.T) {
	b := before{size: 8192, extents: []workload.Extent{{Len: 8192, Physical: 4096, State: workload.Unwritten}},
		state: state{nosec: model.Yes, dirty: map[int64]bool{0: true}}, cached: model.No}
	k := &knowledge{variant: model.Linux73, before: &b, first: true, bs: 4096, sector: 512,
		step: &Step{Off: 512, Len: 512, Segs: []int{512}, Engine: workload.Pwrite}}
	k.o = &observe.Observation{
		Head: observe.Head{DioFlags: model.DioForceWait}, Len0: 512, Pos0: 512, Blkbits: 12, Ret: 512, Dio: true, Lock: record.LockExclusive, Drain: &observe.Drain{},
		Caller: record.CallerSync,
	}
	for _, l := range []record.Lock{record.LockShared, record.LockExclusive} {
		k.o.Passes = append(k.o.Passes, observe.Pass{Lock: l, Pos: 512, Count: 512, ISize: 8192, IDisksize: 8192, Lookups: []observe.Lookup{{Len: 1}}})
	}
	if diffs := k.compare(); diffs != nil {
		t.Errorf("written back first: %+v", diffs)
	}
	// The other block of the extent may have become written too, or not.
	b.dirty = map[int64]bool{1: true}
	k.step.Len, k.step.Segs = 4096, []int{4096}
	for i := range k.o.Passes {
		k.o.Passes[i].Count, k.o.Passes[i].Lookups = 4096, []observe.Lookup{{Len: 2}}
	}
	k.o.Len0, k.o.Ret = 4096, 4096
	for _, z := range [][]observe.Zeroed{nil, {{Pos: 0, Len: 512}}} {
		if k.o.Zeroed = z; k.compare() != nil {
			t.Errorf("zeroed %v: %+v", z, k.compare())
		}
	}
	k.o.Zeroed = []observe.Zeroed{{Pos: 4608, Len: 3584}}
	if diffs := k.compare(); len(diffs) != 1 || diffs[0].Field != "zeroed" || diffs[0].Expected != "(0,512)?" {
		t.Errorf("a dirty block was zeroed: %+v", diffs)
	}
	b.dirty, k.o.Zeroed = nil, nil
	if diffs := k.compare(); len(diffs) != 1 || diffs[0].Field != "zeroed" {
		t.Errorf("clean: %+v, want only zeroed", diffs)
	}
}

// TestKnownTakesTheWholeWrite compares what the model is given with what was asked.
func TestKnownTakesTheWholeWrite(t *testing.T) {
	k := &knowledge{first: true, o: &observe.Observation{Caller: record.CallerUnknown, Pos0: 77}, step: &Step{
		Off: 8192, Len: 5632, Segs: []int{4096, 1024, 512}, Buf: 4096, Engine: workload.Libaio, Flags: unix.RWF_NOWAIT | unix.RWF_APPEND,
	}}
	want := model.Write{
		Pos: 8192, Len: 5632, Buffer: 4096 | 8192 | 9216 | 4096 | 1024 | 512,
		Flags: model.IocbNowait | model.IocbAppend, Async: true,
	}
	if got := k.write(); *got != want {
		t.Errorf("%+v, want %+v", *got, want)
	}
	k.step = &Step{Off: 8192, Len: 512, Segs: []int{512}, Buf: 1024, Engine: workload.IOUring}
	k.first, k.o.Caller, k.o.Flags = false, record.CallerSync, model.IocbNowait
	want = model.Write{Pos: 77, Len: 512, Buffer: 1024, Flags: model.IocbNowait}
	if got := k.write(); *got != want {
		t.Errorf("%+v, want %+v", *got, want)
	}
}

func TestKnownBusyOnlyAfterAWorker(t *testing.T) {
	b := before{size: 8192, state: state{nosec: model.Yes}, cached: model.No}
	k := &knowledge{variant: model.Linux73, before: &b, first: true, bs: 4096, sector: 512,
		step: &Step{Len: 4096, Segs: []int{4096}, Engine: workload.Pwritev2, Flags: unix.RWF_NOWAIT}}
	k.o = &observe.Observation{Len0: 4096, Flags: model.IocbNowait, Ret: model.EAGAIN, SubmitRet: model.EAGAIN, Caller: record.CallerSync}
	if k.compare() == nil {
		t.Error("N1 with nobody else there is no difference")
	}
	if b.worker = true; k.compare() != nil {
		t.Errorf("N1 after io_uring: %+v", k.compare())
	}
}

func TestKnownLeavesOut(t *testing.T) {
	submitted := trial.Seen{Observation: &observe.Observation{Mappings: []observe.Mapping{{Type: 2}, {Err: model.EAGAIN}}}}
	refused := trial.Seen{Observation: &observe.Observation{Passes: make([]observe.Pass, 1)}}
	moved := trial.Seen{Observation: &observe.Observation{Passes: []observe.Pass{{IDisksize: 1}, {IDisksize: 2}}}}
	plain := trial.Seen{Observation: &observe.Observation{Dio: true}}
	for name, c := range map[string]struct {
		seen []trial.Seen
		want bool
	}{
		"after I/O": {[]trial.Seen{submitted, plain}, true}, "after none": {[]trial.Seen{refused, plain}, false},
		"the one with I/O": {[]trial.Seen{submitted}, false}, "moved": {[]trial.Seen{moved}, true},
		"no direct I/O": {[]trial.Seen{{Observation: &observe.Observation{Buffered: &observe.Buffered{}}}}, true},
		"incomplete":    {[]trial.Seen{{Observation: &observe.Observation{Incomplete: "x"}}}, true},
	} {
		if got := leftOut(c.seen); (got != "") != c.want {
			t.Errorf("%s: left out: %q", name, got)
		}
	}
}

func TestGroup(t *testing.T) {
	c := &Case{Steps: []Step{{Engine: workload.IOUring}, {Engine: workload.Pwrite}, {Engine: workload.IOUring, Flags: unix.RWF_NOWAIT}}}
	writes := []*made{{step: 0}, {step: 1}, {step: 2}}
	seen := func(flags uint32, ret int64) trial.Seen {
		return trial.Seen{Observation: &observe.Observation{Flags: flags, Ret: ret}}
	}
	all := []trial.Seen{seen(8, -11), seen(0, 512), seen(0, -11), seen(8, -11)}
	groups, rest := group(c, writes, all)
	if len(groups) != 3 || rest != 0 || len(groups[0]) != 2 || len(groups[1]) != 1 || len(groups[2]) != 1 {
		t.Errorf("%d groups, %d left", len(groups), rest)
	}
	if groups, _ := group(c, writes, all[:1]); len(groups) != 0 {
		t.Error("the retry is not waited for")
	}
	if _, rest := group(c, writes, append(all, all[1])); rest != 1 {
		t.Errorf("%d left, want 1", rest)
	}
}
