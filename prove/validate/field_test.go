package validate

import (
	"reflect"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// stripe is what 7.2 does with 14336 bytes at 512 over W U U W.
func stripe() *observe.Observation {
	look := []observe.Lookup{{Lblk: 0, Len: 4, Ret: 1, OutLen: 1, MFlags: model.MapMapped}}
	pass := func(l record.Lock) observe.Pass {
		return observe.Pass{Lock: l, Pos: 512, Count: 14336, ISize: 65536, IDisksize: 65536, Align: 14336,
			Flags: record.PassNosec | record.PassAlign | record.PassDisksize, Lookups: look}
	}
	return &observe.Observation{
		Blkbits: 12, Pos0: 512, Len0: 14336, Stages: record.StageFmod, FmodKnown: true,
		Passes: []observe.Pass{pass(record.LockShared), pass(record.LockExclusive)},
		Head:   observe.Head{DioFlags: model.DioForceWait}, Drain: &observe.Drain{}, Dio: true, Lock: record.LockExclusive,
		Mappings: []observe.Mapping{{Type: 2}, {Type: 3, AllocFlags: 3}, {Err: -15}},
		Zeroed:   []observe.Zeroed{{Pos: 0, Len: 512}, {Pos: 14848, Len: 1536}},
		Ret:      14336, Completed: true,
	}
}

func TestCompareReadsEveryField(t *testing.T) {
	want := map[string]string{
		"passes": "SE", "lock": "exclusive", "lookups": "(0,4)1w/(0,4)1w", "drain": "yes", "force-wait": "yes",
		"zeroed": "(0,512)(14848,1536)", "mappings": "w,u*,-ENOTBLK", "fallback": "none", "fallback-drain": "none", "fallback-lock": "none",
		"fmod": "0", "queued": "no", "unaligned": "yes", "extending": "no", "nosec": "yes", "ret": "14336",
	}
	if len(want) != len(fields) {
		t.Fatalf("%d fields are tested, there are %d", len(want), len(fields))
	}
	all := Fields{}
	for name, text := range want {
		p := new(parser)
		alts := p.alternatives(name, text)
		if p.wrong != "" {
			t.Fatal(p.wrong)
		}
		all[name] = alts
	}
	if diffs := Compare(all, stripe()); diffs != nil {
		t.Errorf("differences %+v", diffs)
	}
	// Each field alone notices that nothing was observed.
	var empty observe.Observation
	for name, alts := range all {
		got := fieldOf(name).read(&empty)
		if diffs := Compare(Fields{name: alts}, &empty); (diffs == nil) != (got == want[name]) {
			t.Errorf("%s: %+v with %q observed", name, diffs, got)
		}
	}
}

func TestCompareNamesTheDifference(t *testing.T) {
	o := stripe()
	o.Passes = o.Passes[:1]
	o.Lock = record.LockShared
	o.Ret = -95
	got := Compare(Fields{
		"ret": {"14336", "-EAGAIN"}, "lock": {"exclusive"}, "lookups": {"(0,4)1w/(0,4)1w"}, "drain": {"yes"},
	}, o)
	want := []trial.Diff{
		{Field: "lock", Expected: "exclusive", Observed: "shared"},
		{Field: "lookups", Expected: "(0,4)1w/(0,4)1w", Observed: "(0,4)1w"},
		{Field: "ret", Expected: "14336|-EAGAIN", Observed: "-EOPNOTSUPP"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("differences %+v\nwant %+v", got, want)
	}
}

func TestUnknownIsNeverEqual(t *testing.T) {
	o := stripe()
	o.Passes[0].Flags, o.Passes[1].Flags, o.Passes[1].Lock, o.Lock = 0, 0, 0, 0
	for name, want := range map[string]string{"passes": "S?", "lock": unknown, "unaligned": unknown} {
		if got := fieldOf(name).read(o); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestLookupWords(t *testing.T) {
	for want, l := range map[string]observe.Lookup{
		"(3,1)1w":             {Lblk: 3, Len: 1, Ret: 1, MFlags: model.MapMapped},
		"(3,2)2u":             {Lblk: 3, Len: 2, Ret: 2, MFlags: model.MapUnwritten},
		"(0,1)0h":             {Len: 1},
		"(0,1)0d":             {Len: 1, MFlags: model.MapDelayed},
		"(0,1,0x800)-EAGAINe": {Len: 1, ArgFlags: 0x800, Ret: -11},
		"(0,1)1?":             {Len: 1, Ret: 1},
	} {
		if got := lookup(l); got != want {
			t.Errorf("%+v is %s, want %s", l, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"none", "none", true}, {"none", "nonex", false}, {"nonex", "none", false}, {"", "", true},
		{"(0,4)?w", "(0,4)17w", true}, {"(0,4)?w", "(0,4)w", false}, {"(0,4)?w", "(0,4)1u", false},
		{"(0,4)?w(1,1)?u", "(0,4)3w(1,1)1u", true}, {"?", "12", true}, {"?", "", false},
	} {
		if got := match(c.pattern, c.s); got != c.want {
			t.Errorf("match(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}

func TestLayoutOf(t *testing.T) {
	exts := extentsForTest()
	if got := layoutOf(exts, 4096); got != "W3 U1 W1 H2 D1 W1" {
		t.Errorf("layout %s", got)
	}
}
