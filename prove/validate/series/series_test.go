package series

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const stages = record.StageEntry | record.StagePass | record.StageDIO | record.StageBegin | record.StageFmod |
	record.StageReturn | record.StageAlign | record.StageLock

// write is a direct write inside a file of 1 MiB with blocks of 4 KiB, as it goes
// under the shared lock.
func write(pos, length int64, lookups ...observe.Lookup) *observe.Observation {
	return &observe.Observation{
		Caller: record.CallerSync, Stages: stages, Flags: 1 << 17, Blkbits: 12, Pos0: pos, Len0: length, ISize0: 1 << 20,
		Align0: uint32(length) & 0xffff, Align0Known: true, Dio: true, Lock: record.LockShared, Ret: length, SubmitRet: length,
		Head: observe.Head{Fmod: record.FmodKiocb}, Completed: true,
		Passes: []observe.Pass{{
			Lock: record.LockShared, Pos: pos, Count: length, ISize: 1 << 20, IDisksize: 1 << 20, Align: uint32(length) & 0xffff,
			Flags: record.PassNosec | record.PassExtents | record.PassAlign, Lookups: lookups,
		}},
		Mappings: []observe.Mapping{{Offset: pos &^ 4095, Length: (length + 8191) &^ 4095, Type: 2}},
	}
}

// nowait is the same under NOWAIT, with one mapping.
func nowait(pos, length int64, m observe.Mapping, lookups ...observe.Lookup) *observe.Observation {
	o := write(pos, length, lookups...)
	o.Flags |= model.IocbNowait
	o.Mappings = []observe.Mapping{m}
	return o
}

func lookup(lblk, n uint32, ret int32, flags uint32) observe.Lookup {
	l := observe.Lookup{Lblk: lblk, Len: n, Ret: ret, OutLen: n, ArgFlags: flags}
	if ret > 0 {
		l.MFlags = model.MapMapped
	}
	return l
}

func change(o *observe.Observation, f func(*observe.Observation)) *observe.Observation {
	f(o)
	return o
}

// text writes signs as "1+ 4-".
func (s Signs) text() string {
	var parts []string
	for n := 1; n <= model.Patches; n++ {
		if s[n] != Nothing {
			parts = append(parts, string('0'+rune(n))+map[Sign]string{With: "+", Without: "-"}[s[n]])
		}
	}
	return strings.Join(parts, " ")
}

func TestSigns(t *testing.T) {
	exclusive := func(o *observe.Observation) {
		o.Lock, o.Passes[0].Lock = record.LockExclusive, record.LockExclusive
	}
	for _, tt := range []struct {
		name string
		o    *observe.Observation
		want string
	}{
		{"aligned, nothing looked up", write(0, 4096), "3+ 5+"},
		{"aligned, looked up", write(0, 4096, lookup(0, 1, 1, 0)), "3- 5+"},
		{"aligned, exclusive from the start", change(write(0, 4096), exclusive), "5+"},
		{"aligned, security info to remove", change(write(0, 4096), func(o *observe.Observation) { o.Passes[0].Flags &^= record.PassNosec }), "5+"},
		{"aligned, extending", write(1<<20, 4096), "5+"},
		{"i_disksize behind", change(write(0, 8192), func(o *observe.Observation) { o.Passes[0].IDisksize = 4096 }), "5+"},
		{"file_modified", change(write(0, 4096), func(o *observe.Observation) { o.Fmod = record.FmodFile }), "3+ 5-"},
		{"neither was called", change(write(0, 4096), func(o *observe.Observation) { o.Stages &^= record.StageFmod }), "3+"},
		{"incomplete", change(write(0, 4096), func(o *observe.Observation) { o.Incomplete = "no return" }), ""},
		{"mappings lost", change(write(0, 4096), func(o *observe.Observation) { o.Truncated, o.Cut = true, record.CutMaps }), "3+ 5+"},

		{"inside one block", write(512, 1024, lookup(0, 1, 1, 0)), "5+"},
		{"unaligned, exclusive from the start", change(write(512, 1024), exclusive), "4- 5+"},
		{"unaligned, exclusive, ends at i_size", change(write(512, 1024), func(o *observe.Observation) { exclusive(o); o.ISize0 = 1536 }), "5+"},
		{"unaligned, seemed to extend", change(write(512, 1024), func(o *observe.Observation) { exclusive(o); o.ISize0 = 512 }), "5+"},
		{"head and tail looked up", write(512, 14336, lookup(0, 4, 1, 0), lookup(3, 1, 1, 0)), "4+ 5+"},
		{"head only", write(512, 14336, lookup(0, 4, 1, 0)), "4- 5+"},
		{"head is enough", write(512, 14336, lookup(0, 4, 4, 0)), "5+"},
		{"head not written", write(512, 14336, lookup(0, 4, 0, 0)), "5+"},
		{"tail only", write(0, 13<<10, lookup(3, 1, 1, 0)), "4+ 5+"},
		{"tail partial, all looked up", write(0, 13<<10, lookup(0, 4, 4, 0)), "4- 5+"},
		{"head partial, shared all the same", write(512, 15872, lookup(0, 4, 1, 0)), "4+ 5+"},
		{"head partial, NOWAIT refused", change(nowait(512, 15872, observe.Mapping{}, lookup(0, 4, 1, 0)), func(o *observe.Observation) {
			o.Dio, o.SubmitRet, o.Mappings = false, model.EAGAIN, nil
			o.Stages &^= record.StageFmod
		}), "4- 8-"},
		{"odd memory", change(write(0, 4096), func(o *observe.Observation) { o.Passes[0].Align |= 512 }), "4+ 5+"},
		{"odd memory, looked up", change(write(0, 4096, lookup(0, 1, 1, 0)), func(o *observe.Observation) { o.Passes[0].Align |= 512 }), "4- 5+"},

		{"fallback drains", change(write(0, 4096), func(o *observe.Observation) { o.Buffered = &observe.Buffered{Copied: true, Drained: true} }), "2+ 3+ 5+"},
		{"fallback does not", change(write(0, 4096), func(o *observe.Observation) { o.Buffered = &observe.Buffered{Copied: true} }), "2- 3+ 5+"},
		{"nothing copied", change(write(0, 4096), func(o *observe.Observation) { o.Buffered = &observe.Buffered{} }), "3+ 5+"},

		{"NOWAIT, looked up", nowait(0, 4096, observe.Mapping{LookedUp: true, LookupRet: 1}), "3+ 5+ 7-"},
		{"NOWAIT, from the cache", nowait(0, 4096, observe.Mapping{LookedUp: true, LookupRet: 1, LookupFlags: 0x800}), "3+ 5+ 7+"},
		{"NOWAIT, not in the cache", nowait(0, 4096, observe.Mapping{LookedUp: true, LookupRet: model.EAGAIN, LookupFlags: 0x800, Err: model.EAGAIN}), "3+ 5+ 6+ 7+"},
		{"NOWAIT, hole refused", nowait(0, 4096, observe.Mapping{LookedUp: true, Err: model.EAGAIN}), "1+ 3+ 5+ 7-"},
		{"NOWAIT, hole allocated", nowait(0, 4096, observe.Mapping{LookedUp: true, AllocFlags: 0x9}), "1- 3+ 5+ 7-"},
		{"allocated without NOWAIT", change(write(0, 4096), func(o *observe.Observation) { o.Mappings[0].AllocFlags = 9 }), "3+ 5+"},
		{"NOWAIT, head looked up", nowait(512, 1024, observe.Mapping{}, lookup(0, 1, 1, 0)), "5+ 8-"},
		{"NOWAIT, head from the cache", nowait(512, 1024, observe.Mapping{}, lookup(0, 1, 1, 0x800)), "5+ 8+"},
		{"NOWAIT, head not in the cache", nowait(512, 1024, observe.Mapping{}, lookup(0, 1, model.EAGAIN, 0x800)), "5+ 6+ 8+"},
	} {
		if got := Read(tt.o, 0).text(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	hidden := change(write(0, 4096), func(o *observe.Observation) { o.Buffered = &observe.Buffered{Copied: true} })
	if got := Read(hidden, record.StageDrain|record.StageLookup).text(); got != "5+" {
		t.Errorf("without the probes: %q", got)
	}
}

var sevens = []model.Variant{model.Linux73, model.SeriesV2, model.Patch4, model.Patch3, model.Base, model.Linux72}

func identify(candidates []model.Variant, os ...*observe.Observation) *Identifier {
	id := New(candidates, 0)
	for _, o := range os {
		id.Add(o)
	}
	return id
}

func answers(r *Report) string {
	var b strings.Builder
	for _, p := range r.Patches {
		b.WriteByte(map[Answer]byte{Present: '+', Absent: '-', Contradictory: '!', NotTestable: '?'}[p.Answer])
	}
	return b.String()
}

func TestIdentify(t *testing.T) {
	file := func(o *observe.Observation) { o.Fmod = record.FmodFile }
	for _, tt := range []struct {
		name       string
		id         *Identifier
		best, made string
		answers    string
		explained  bool
	}{
		{"nothing seen", identify(sevens), "linux-7.3", "linux-7.3", "????????", true},
		{"7.3", identify(sevens, write(0, 4096), write(512, 14336, lookup(0, 4, 1, 0), lookup(3, 1, 1, 0))), "linux-7.3", "linux-7.3", "??+++???", true},
		{"patch 4", identify(sevens, change(write(0, 4096), file), change(write(512, 14336, lookup(0, 4, 1, 0), lookup(3, 1, 1, 0)), file)),
			"patch4", "patch4", "??++-???", true},
		{"patch 5 for some writes only", identify(sevens, write(0, 4096), write(4096, 4096), change(write(0, 4096), file)),
			"linux-7.3", "linux-7.3", "??+?!???", false},
		{"allocates", identify(sevens, write(0, 4096), nowait(0, 4096, observe.Mapping{Length: 4096, Type: 3, Flags: 1, LookedUp: true, AllocFlags: 9})),
			"linux-7.3", "linux-7.3-patch1", "-?+?+?-?", false},
	} {
		r := tt.id.Report()
		if r.Variant.String() != tt.best || r.Made.String() != tt.made || answers(r) != tt.answers || r.Explained() != tt.explained {
			var b strings.Builder
			_ = r.WriteText(&b)
			t.Errorf("%s: best %s, made %s, %s, explained %v\n%s", tt.name, r.Variant, r.Made, answers(r), r.Explained(), b.String())
		}
	}
}

// TestOld: 6.1 with patch 2 is a known kernel.
func TestOld(t *testing.T) {
	drained := change(write(0, 4096, lookup(0, 1, 1, 0)), func(o *observe.Observation) {
		o.Fmod = record.FmodFile
		o.Buffered = &observe.Buffered{Copied: true, Drained: true}
	})
	id := identify([]model.Variant{model.Linux61}, drained)
	if got := id.Best().String(); got != "linux-6.1+patch2" {
		t.Errorf("with a drain it is %s", got)
	}
	if got := answers(id.Report()); got[:5] != "?+-?-" {
		t.Errorf("patches %s", got)
	}
	if got := identify([]model.Variant{model.Linux61}, write(0, 4096, lookup(0, 1, 1, 0))).Best().String(); got != "linux-6.1" {
		t.Errorf("without one it is %s", got)
	}
}

// TestCacheMiss: a slow symlink tells of patch 6 what no direct write does.
func TestCacheMiss(t *testing.T) {
	for again, want := range map[bool]Answer{true: Present, false: Absent} {
		id := identify(sevens, write(0, 4096))
		if got := id.Report().Patches[5]; got.Answer != NotTestable {
			t.Errorf("without a lookup patch 6 is %s: %s", got.Answer, got.Why)
		}
		id.CacheMiss(again)
		if got := id.Report().Patches[5]; got.Answer != want {
			t.Errorf("%v: patch 6 is %s: %s", again, got.Answer, got.Why)
		}
	}
}

func TestConcerns(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *observe.Observation
		want string
	}{
		{"right", write(0, 4096), " [not of the series]"},
		{"as without patch 5", change(write(0, 4096), func(o *observe.Observation) { o.Fmod = record.FmodFile }), " [patch 5]"},
		{"as without patch 3", write(0, 4096, lookup(0, 1, 1, 0)), " [patch 3]"},
		{"tail not looked at", write(512, 14336, lookup(0, 4, 1, 0)), " [patch 4]"},
		{"as nobody does", change(write(512, 1024, lookup(0, 1, 1, 0)), func(o *observe.Observation) { o.DioFlags = 1 }), " [patch 4]"},
		{"extending under the shared lock", write(1<<20, 4096), " [not of the series]"},
	} {
		if got := ConcernText(Concerns(tt.o, model.Linux73, 0)); got != tt.want {
			t.Errorf("%s: %q, want %q: %v", tt.name, got, tt.want, judge.Compare(tt.o, model.Linux73))
		}
	}
}
