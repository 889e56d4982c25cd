package whatif

import (
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const traces = "../../testdata/traces"

// Under its own variant every write of a real kernel goes down as it did, unless a fact
// is missing, which is said.
func TestOwnVariant(t *testing.T) {
	for _, v := range model.Distinct() {
		n, undecided := 0, map[string]int{}
		c := NewDecider(v)
		judged(t, filepath.Join(traces, v.String()+".e4d"), func(o *observe.Observation, reason string) {
			n++
			now := seen(o).lock
			switch out := c.Decide(o); {
			case out.Lock == Undecided && out.Missing == "":
				t.Errorf("%s: write at %d+%d is undecided for no reason", v, o.Pos0, o.Len0)
			case out.Lock == Undecided:
				undecided[out.Missing]++
			case out.Lock != now:
				t.Errorf("%s: write at %d+%d (%s, %#x): %s, decided %s for %q", v, o.Pos0, o.Len0, reason, o.Flags, now, out.Lock, out.Reason)
			}
		})
		if n < 100 {
			t.Errorf("%s: %d writes", v, n)
		}
		t.Logf("%s: %d writes, undecided %v", v, n, undecided)
	}
}

// Whatever is traced, whatever is asked for: a decision or what is missing.
func TestAllPairs(t *testing.T) {
	for _, from := range model.Distinct() {
		for _, to := range model.Distinct() {
			c, n, undecided := NewDecider(to), 0, 0
			judged(t, filepath.Join(traces, from.String()+".e4d"), func(o *observe.Observation, _ string) {
				out := c.Decide(o)
				if n++; out.Lock == Undecided {
					undecided++
				}
				if (out.Lock == Undecided) != (out.Missing != "") {
					t.Errorf("%s to %s: %s, missing %q", from, to, out.Lock, out.Missing)
				}
			})
			if undecided*4 > n {
				t.Errorf("%s to %s: %d of %d writes are undecided", from, to, undecided, n)
			}
		}
	}
}

// write2 is the write of test 2: 14336 bytes at 512 into W U U W, before the series.
func write2() *observe.Observation {
	const all = record.StageEntry | record.StagePass | record.StageLookup | record.StageFmod | record.StageDIO |
		record.StageBegin | record.StageReturn | record.StageAlign | record.StageLock
	pass := func(l record.Lock) observe.Pass {
		return observe.Pass{
			Lock: l, Pos: 512, Count: 14336, ISize: 1 << 20, IDisksize: 1 << 20, Flags: record.PassNosec | record.PassAlign,
			Lookups: []observe.Lookup{{Lblk: 0, Len: 4, Ret: 1, OutLen: 1, MFlags: model.MapMapped}},
		}
	}
	return &observe.Observation{
		Stages: all, Blkbits: 12, Pos0: 512, Len0: 14336, ISize0: 1 << 20, Align0Known: true, Caller: record.CallerSync,
		Passes: []observe.Pass{pass(record.LockShared), pass(record.LockExclusive)}, FmodKnown: true,
		Head: observe.Head{Fmod: record.FmodFile, DioFlags: model.DioForceWait},
		Dio:  true, Lock: record.LockExclusive, Ret: 14336, SubmitRet: 14336, Completed: true,
		Mappings: []observe.Mapping{
			{Offset: 0, Length: 4096, Type: model.IomapMapped},
			{Offset: 4096, Length: 8192, Type: model.IomapUnwritten},
			{Offset: 12288, Length: 4096, Type: model.IomapMapped},
		},
	}
}

func TestTailBlock(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*observe.Observation)
		lock    Lock
		from    Origin
		missing string
	}{
		{"written", func(*observe.Observation) {}, Shared, FromIomap, ""},
		{"unwritten", func(o *observe.Observation) { o.Mappings[2].Type = model.IomapUnwritten }, Exclusive, FromIomap, ""},
		{"allocated", func(o *observe.Observation) {
			o.Mappings[2].Type, o.Mappings[2].AllocFlags = model.IomapUnwritten, model.GetBlocksCreateUnwritExt
			o.Mappings[2].Flags = model.IomapFNew
		}, Exclusive, FromIomap, ""},
		{"allocated, looked up", func(o *observe.Observation) {
			o.Mappings[2].Type, o.Mappings[2].AllocFlags, o.Mappings[2].LookedUp = model.IomapMapped, model.GetBlocksCreate, true
			o.Mappings[2].Flags = model.IomapFNew
		}, Exclusive, FromIomap, ""},
		{"never mapped", func(o *observe.Observation) { o.Mappings = o.Mappings[:2] }, Undecided, FromCheck,
			"the state of the tail block, which was never looked up or mapped"},
		{"in the check phase", func(o *observe.Observation) {
			for i := range o.Passes {
				o.Passes[i].Lookups[0].Ret = 4
			}
		}, Shared, FromCheck, ""},
		{"incomplete", func(o *observe.Observation) { o.Incomplete = "return not seen" }, Undecided, FromCheck, "incomplete: return not seen"},
	} {
		o := write2()
		c.change(o)
		out := NewDecider(model.Patch4).Decide(o)
		if out.Lock != c.lock || out.Missing != c.missing || c.lock != Undecided && out.From != c.from {
			t.Errorf("%s: %s %s %q, want %s %s %q", c.name, out.Lock, out.From, out.Missing, c.lock, c.from, c.missing)
		}
	}
}

// Before the series one lookup of the whole range decides.
func TestBackwards(t *testing.T) {
	o := write2()
	o.Passes, o.Lock, o.DioFlags = o.Passes[:1], record.LockShared, 0
	o.Passes[0].Lookups = []observe.Lookup{
		{Lblk: 0, Len: 4, Ret: 1, OutLen: 1, MFlags: model.MapMapped},
		{Lblk: 3, Len: 1, Ret: 1, OutLen: 1, MFlags: model.MapMapped},
	}
	out := NewDecider(model.Base).Decide(o)
	if out.Lock != Exclusive || !out.way.again || !out.way.drain || out.Reason != model.ReasonNotOver {
		t.Errorf("%+v", out)
	}
}

func TestNowait(t *testing.T) {
	o := write2()
	o.Flags = model.IocbNowait
	if out := NewDecider(model.Patch4).Decide(o); out.Lock != Shared {
		t.Errorf("patch 4: %+v", out)
	}
	if out := NewDecider(model.Linux73).Decide(o); out.Missing == "" {
		t.Errorf("7.3 asks whether the timestamps are up to date: %+v", out)
	}
	if out := NewDecider(model.SeriesV2).Decide(o); out.Missing != "whether a block was in the extent status cache" {
		t.Errorf("v2 asks the cache: %+v", out)
	}
	o.Passes, o.Dio, o.Mappings, o.SubmitRet = nil, false, nil, model.EAGAIN
	if out := NewDecider(model.Patch4).Decide(o); out.Missing != "whether the lock would be free at a trylock" {
		t.Errorf("trylock: %+v", out)
	}
}
