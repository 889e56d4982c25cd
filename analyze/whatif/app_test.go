package whatif

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// What is read is written the same, and what is no change says why.
func TestParseApp(t *testing.T) {
	for text, want := range map[string]string{
		"align": "align", "align=4k": "align=4k", "align=512": "align=512", "align=4096,prewritten": "align=4k,prewritten",
		"nosec, no-nowait": "no-nowait,nosec", "isize-ahead,alone": "isize-ahead,alone",
	} {
		if a, err := ParseApp(text); err != nil || a.String() != want {
			t.Errorf("%s: %s, %v", text, a, err)
		}
	}
	for text, want := range map[string]string{
		"": "is none of align, prewritten", "align=3k": "no power of two", "align=": "no power of two", "align=2m": "no power of two", "nosec=1": "is none of",
		"prewriten": `"prewriten" is none of`, "one-fd": "i_rwsem belongs to the inode", "align,one-writer": "one-writer is not simulated",
	} {
		if _, err := ParseApp(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// unaligned is 4096 bytes at 512 into two unwritten blocks, on 7.3.
func unaligned() *observe.Observation {
	o := write2()
	o.Len0, o.Lock, o.Fmod = 4096, record.LockExclusive, record.FmodKiocb
	o.Passes = o.Passes[:1]
	p := &o.Passes[0]
	p.Count, p.Lock, p.Lookups = 4096, record.LockExclusive, []observe.Lookup{{Lblk: 0, Len: 1, Ret: 1, OutLen: 1, MFlags: model.MapUnwritten}}
	o.Mappings = []observe.Mapping{{Offset: 0, Length: 8192, Type: model.IomapUnwritten}}
	return o
}

// appending is an aligned write at i_size, into blocks that it allocates.
func appending() *observe.Observation {
	o := write2()
	o.Flags, o.Pos0, o.Len0, o.ISize0, o.Lock, o.Fmod = model.IocbAppend, 0, 4096, 8192, record.LockExclusive, record.FmodKiocb
	o.Passes = o.Passes[:1]
	p := &o.Passes[0]
	p.Pos, p.Count, p.Lock, p.Lookups, p.ISize, p.IDisksize = 8192, 4096, record.LockExclusive, nil, 8192, 8192
	o.Mappings = []observe.Mapping{{Offset: 8192, Length: 4096, Type: model.IomapMapped, AllocFlags: model.GetBlocksCreate, Flags: model.IomapFNew, LookedUp: true}}
	return o
}

// A change of the application changes the facts that the kernel decides by, and no others.
func TestAppDecides(t *testing.T) {
	shared := func(o *observe.Observation) *observe.Observation {
		o.Lock, o.Passes[0].Lock = record.LockShared, record.LockShared
		return o
	}
	odd := func() *observe.Observation { // 100 bytes at the end of a file that ends in the block
		o := unaligned()
		o.Pos0, o.Len0, o.ISize0 = 500, 100, 500
		p := &o.Passes[0]
		p.Pos, p.Count, p.ISize, p.IDisksize, p.Lookups = 500, 100, 500, 500, nil
		return o
	}
	nosec := func() *observe.Observation {
		o := unaligned()
		o.Pos0, o.Len0 = 0, 4096
		o.Passes[0].Pos, o.Passes[0].Flags, o.Passes[0].Lookups = 0, record.PassAlign, nil
		return o
	}
	for _, c := range []struct {
		name    string
		o       *observe.Observation
		v       model.Variant
		app     string
		lock    Lock
		reason  model.Reason
		touched bool
	}{
		{"aligned", unaligned(), model.Linux73, "align", Shared, model.ReasonAligned, true},
		{"aligned to more", unaligned(), model.Linux73, "align=8k", Shared, model.ReasonAligned, true},
		{"aligned to too little", unaligned(), model.Linux73, "align=512", Exclusive, "", false},
		{"written before", unaligned(), model.Linux73, "prewritten", Shared, model.ReasonWritten, true},
		{"inside i_size already", unaligned(), model.Linux73, "isize-ahead", Exclusive, "", false},
		{"without NOWAIT already", unaligned(), model.Linux73, "no-nowait", Exclusive, "", false},
		{"over a border before the series", write2(), model.Base, "align", Exclusive, model.ReasonNotOver, true},
		{"written before, before the series", write2(), model.Base, "prewritten", Shared, model.ReasonOverwrite, true},
		{"aligned, and the newer kernel", write2(), model.Linux73, "align", Shared, model.ReasonAligned, true},
		{"i_size ahead", appending(), model.Linux73, "isize-ahead", Shared, model.ReasonAligned, true},
		{"i_size ahead before the series: unwritten blocks are overwritten", appending(), model.Base, "isize-ahead", Shared, model.ReasonOverwrite, true},
		{"written and i_size ahead", appending(), model.Linux73, "prewritten", Shared, model.ReasonAligned, true},
		{"an appending one, aligned already", appending(), model.Linux73, "align", Exclusive, "", false},
		{"in the last block", odd(), model.Linux73, "align", Shared, model.ReasonAligned, true},
		{"in the last block, i_size ahead", odd(), model.Linux73, "isize-ahead", Exclusive, model.ReasonHead, true},
		{"in the last block, written", odd(), model.Linux73, "prewritten", Shared, model.ReasonWritten, true},
		{"privileges", nosec(), model.Linux73, "nosec", Shared, model.ReasonAligned, true},
		{"no privileges", unaligned(), model.Linux73, "nosec", Exclusive, "", false},
		{"shared already", shared(nosec()), model.Linux73, "align,prewritten", Shared, "", false},
	} {
		app, err := ParseApp(c.app)
		if err != nil {
			t.Fatal(err)
		}
		out := NewChanged(Change{App: app}, c.v).decider.Decide(c.o)
		if out.Lock != c.lock || out.asSeen == c.touched || c.touched && out.Reason != c.reason {
			t.Errorf("%s: %s %q, as seen %v, missing %q", c.name, out.Lock, out.Reason, out.asSeen, out.Missing)
		}
	}
}

// A block that a larger alignment takes in, and of which nothing is known, leaves it undecided.
func TestAppUndecided(t *testing.T) {
	o := unaligned()
	o.Flags, o.Passes[0].Flags = model.IocbNowait, record.PassNosec|record.PassAlign
	o.Mappings = nil
	out := NewChanged(Change{App: App{Align: AlignBlock}}, model.Linux73).decider.Decide(o)
	if out.Lock != Undecided || out.Missing != "whether a NOWAIT write would have to allocate" {
		t.Errorf("%s, %q", out.Lock, out.Missing)
	}
}

// refusedThenWritten is a write that NOWAIT refused and that its thread made again.
func refusedThenWritten(n uint64, caller record.Caller) (first, second *observe.Observation) {
	at := 1e9 + n*6_000_000
	first, second = overwrite(7, at, 10_000, record.LockShared), overwrite(7, at+20_000, 5_000_000, record.LockShared)
	first.Caller, second.Caller = caller, caller
	first.Flags, first.Dio, first.Mappings, first.Ret, first.SubmitRet = model.IocbNowait, false, nil, model.EAGAIN, model.EAGAIN
	first.Fmod, first.FmodRet, second.Fmod = record.FmodKiocb, model.EAGAIN, record.FmodKiocb
	first.Request, second.Request, first.Try, second.Try = n+1, n+1, 1, 2
	return first, second
}

// Without NOWAIT the refused tries and what came between vanish; io_uring still hands the
// write to a thread.
func TestNoNowait(t *testing.T) {
	for _, c := range []struct {
		caller record.Caller
		hop    bool
	}{{record.CallerSync, false}, {record.CallerIOUring, true}} {
		p := New(Options{App: App{NoNowait: true}, Seed: 1})
		p.Traced(model.Linux73)
		for n := range uint64(100) {
			a, b := refusedThenWritten(n, c.caller)
			p.Add(a, "refused")
			p.Add(b, "overwrite")
		}
		d := p.counters[0].Decisions()
		if d.Writes != 100 || d.Retried != 100 || d.count(Shared, Shared) != 100 || d.undecided() != 0 {
			t.Errorf("%s: %+v", c.caller, d)
		}
		for _, st := range p.sample.cur.steps {
			if !st.now.offload || st.then[0].offload != c.hop || st.then[0].lock != Shared {
				t.Fatalf("%s: now %+v, then %+v", c.caller, st.now, st.then[0])
			}
		}
	}
}

// Who holds the lock and does not write is not there when the writes are alone.
func TestAlone(t *testing.T) {
	near(t, "beside a reader", simulated(readerTurns(), runOptions{then: true}).perSecond(), 500)
	near(t, "alone", simulated(readerTurns(), runOptions{then: true, alone: true}).perSecond(), 909)
	near(t, "shared, beside fallocate", simulated(fallocateTurns(), runOptions{then: true}).perSecond(), 1500)
	near(t, "shared, alone", simulated(fallocateTurns(), runOptions{then: true, alone: true}).perSecond(), 2727)
}

// A table has what changes something, the best first, and nothing that is no better than a
// part of it.
func TestTable(t *testing.T) {
	p := New(Options{All: true, Seed: 1})
	p.Traced(model.Linux73)
	for n := range uint64(400) { // four tasks, one at a time
		o := unaligned()
		o.Pid, o.Tid, o.Dev, o.Ino = 1, uint32(n%4), 1, 12
		o.Time, o.LatencyNs, o.SubmitNs, o.WaitNs = 1e9+n*5_000_000, 20_000_000, 20_000_000, 15_000_000
		o.Waits = []observe.Wait{{AtUs: 15_000, Ns: 15_000_000}}
		o.Passes[0].AtUs, o.Mappings[0].AtUs, o.Request = 15_000, 15_000, n+1
		p.Add(o, "zeroing: head not written")
	}
	r, err := p.Predict(context.Background(), Trace{})
	if err != nil || r.Refused != "" {
		t.Fatal(err, r.Refused)
	}
	var names []string
	for i := range r.Remedies {
		names = append(names, r.Remedies[i].Name())
		near(t, names[i], r.Remedies[i].Times, 4)
	}
	if !slices.Equal(names, []string{"align", "prewritten"}) {
		t.Errorf("%v", names)
	}
	if !strings.HasPrefix(r.Sentence, "With align all of the exclusive writes would be shared: about 4.1 times") || r.Costs == "" {
		t.Errorf("%q, costs %q", r.Sentence, r.Costs)
	}
}

// Where no change helps, that is said.
func TestNothingHelps(t *testing.T) {
	p := New(Options{All: true, Seed: 1})
	p.Traced(model.Linux73)
	for n := range uint64(200) {
		o := overwrite(uint32(n%2), 1e9+n/2*5_100_000, 5_000_000, record.LockShared)
		o.Fmod = record.FmodKiocb
		p.Add(o, "aligned, inside i_size")
	}
	r, err := p.Predict(context.Background(), Trace{})
	if err != nil || len(r.Remedies) != 0 || !r.Proven() || !strings.HasPrefix(r.Sentence, "No change that whatif knows") {
		t.Errorf("%v, refused %q: %q", err, r.Refused, r.Sentence)
	}
}
