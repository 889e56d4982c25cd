package decode_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const asyncWrite = `
entry pos=0 len=4096 isize=16384 caller=libaio id=%d
pass shared
fmod kiocb
dio shared
map 0 4096 mapped
return -529
complete 4096 %s`

// collect returns an Observer and the observations that it hands out.
func collect() (*observe.Observer, *[]*observe.Observation) {
	var got []*observe.Observation
	return observe.NewObserver(func(o *observe.Observation) { got = append(got, o.Clone()) }), &got
}

func feed(t testing.TB, ob *observe.Observer, raws ...[]byte) {
	t.Helper()
	for _, raw := range raws {
		if err := ob.Feed(raw); err != nil {
			t.Fatal(err)
		}
	}
}

// TestObservation: every field of a record finds its place.
func TestObservation(t *testing.T) {
	s := parseScript(t, `
entry pos=512 len=1024 isize=16384 id=9 nowait
pass shared disksize=8192 mem=0x200 align0=0x1ff
lookup 0 1 = 1 unwritten flags=0x800
pass exclusive pos=512 insecure
lookup 0 1 = 1 written
drain waited
fmod kiocb ret=-5
dio exclusive wait ops=overwrite
map 0 4096 unwritten new alloc=0x3 at=17
map error=-28 at=18
zero 0 512 exclusive unwritten count=2 at=19
sleep 700
buffered 1024 512
drain buffered
copy count=3 at=21
return 1536 at=30`)
	s.w.WaitNs, s.w.Depth, s.w.NrSegs, s.w.LostBefore, s.w.Dev = 77, 1, 3, 4, 8<<20|1
	s.w.Steps[0].TUs = 12
	s.w.Generation, s.w.Name = 5, 6
	ob, got := collect()
	feed(t, ob, s.raw()...)
	o := (*got)[0]
	if o.Incomplete != "" {
		t.Fatalf("incomplete: %s", o.Incomplete)
	}
	want := &observe.Observation{
		Time: 1000, ID: 9, Pid: 7, Tid: 7, Comm: "writer", ForeignKnown: true, Dev: 8<<20 | 1, Ino: 12, Caller: record.CallerSync,
		Generation: 5, Name: 6, GenerationKnown: true, Stages: o.Stages, Flags: model.IocbNowait, Blkbits: 12, Pos0: 512, Len0: 1024, ISize0: 16384,
		Align0: 0x1ff, Align0Known: true, NrSegs: 3, Depth: 1,
		Passes: []observe.Pass{
			{
				Lock: record.LockShared, Pos: 512, Count: 1024, ISize: 16384, IDisksize: 8192, Align: 0x600,
				Flags: record.PassNosec | record.PassExtents | record.PassAlign, AtUs: 12,
				Lookups: []observe.Lookup{{Len: 1, ArgFlags: 0x800, Ret: 1, OutLen: 1, MFlags: model.MapUnwritten}},
			},
			{
				Lock: record.LockExclusive, Pos: 512, Count: 1024, ISize: 16384, IDisksize: 16384, Align: 0x400,
				Flags:   record.PassExtents | record.PassAlign,
				Lookups: []observe.Lookup{{Len: 1, Ret: 1, OutLen: 1, MFlags: model.MapMapped}},
			},
		},
		Head: o.Head, FmodKnown: true, Dio: true, Lock: record.LockExclusive,
		Mappings: []observe.Mapping{
			{Length: 4096, Type: model.IomapUnwritten, Flags: model.IomapFNew, AllocFlags: 3, AtUs: 17},
			{Err: -28, AtUs: 18},
		},
		Zeroed: []observe.Zeroed{{Len: 512, Lock: record.LockExclusive, DioCount: 2, Type: model.IomapUnwritten, AtUs: 19}},
		WaitNs: 77, LockNs: 12000, Sleeps: []observe.Sleep{{Phase: record.PhaseDIO, Ns: 700}},
		Ret: 1536, SubmitRet: 1536, Completed: true, LatencyNs: 30000, SubmitNs: 30000, LostBefore: 4,
	}
	want.Drain = &observe.Drain{Count: 1, Waited: true, Ns: 1000}
	want.Buffered = &observe.Buffered{Pos: 1024, Len: 512, Drained: true, Copied: true, CopyDio: 3, CopyPos: 1024, CopyAtUs: 21}
	if o.Fmod != record.FmodKiocb || o.DioFlags != 1 || o.DioOps != record.OpsOverwrite { // TestHead has all of the Head
		t.Errorf("head %+v", o.Head)
	}
	if want = want.Clone(); !reflect.DeepEqual(o, want) {
		t.Errorf("got  %+v\nwant %+v", o, want)
	}
	if o.Passes[0].Lookups[0].State() != model.Unwritten {
		t.Errorf("state %s", o.Passes[0].Lookups[0].State())
	}
}

// TestAlignAtEntry: it is known from the first pass, from its own step, or not.
func TestAlignAtEntry(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		align      uint32
		known      bool
	}{
		{"the first pass saw the same", "entry pos=0 len=4096\npass shared mem=512\ndio shared\nreturn 4096", 4608, true},
		{"it saw another", "entry pos=0 len=4096\npass shared mem=512 align0=0x11\ndio shared\nreturn 4096", 0x11, true},
		{"no pass", "entry pos=0 len=4096 nowait\nreturn -11", 0, false},
		{"not read", "entry pos=0 len=4096\npass shared mem=512 unaligned?\ndio shared\nreturn 4096\nbut without=align", 0, false},
	} {
		ob, got := collect()
		feed(t, ob, parseScript(t, tt.text).raw()...)
		o := (*got)[0]
		if o.Align0 != tt.align || o.Align0Known != tt.known {
			t.Errorf("%s: %#x, known %v", tt.name, o.Align0, o.Align0Known)
		}
	}
}

// TestAlignOfWhatIsLeft: one step tells it for all passes of a write that the checks
// made shorter, and that of the whole at the entry.
func TestAlignOfWhatIsLeft(t *testing.T) {
	s := parseScript(t, "entry pos=0 len=4096\npass shared count=1024 unaligned?\npass exclusive count=1024 unaligned?\ndio exclusive\nreturn 1024")
	s.w.Stages |= record.StageAlign
	s.w.Steps[s.w.NSteps] = record.Step{Kind: record.StepAlign, Aux: record.AlignEntry | record.AlignCut, C: 0x1000, D: 0x400}
	s.w.Steps[1], s.w.Steps[s.w.NSteps] = s.w.Steps[s.w.NSteps], s.w.Steps[1] // it comes after the first pass
	s.w.NSteps++
	ob, got := collect()
	feed(t, ob, s.raw()...)
	o := (*got)[0]
	if len(o.Passes) != 2 || o.Align0 != 0x1000 || !o.Align0Known || o.Incomplete != "" {
		t.Fatalf("%+v", o)
	}
	for i, p := range o.Passes {
		if p.Align != 0x400 || p.Flags&record.PassAlign == 0 {
			t.Errorf("pass %d: alignment %#x, flags %#x", i, p.Align, p.Flags)
		}
	}
}

// TestTwoDrains: their times add up, and one that waited makes both.
func TestTwoDrains(t *testing.T) {
	for _, text := range []string{"drain waited\ndrain", "drain\ndrain waited"} {
		ob, got := collect()
		feed(t, ob, parseScript(t, "entry pos=0 len=4096\npass shared\n"+text+"\ndio shared\nreturn 4096").raw()...)
		if d := (*got)[0].Drain; d == nil || !d.Waited || d.Ns != 2000 {
			t.Errorf("%q: %+v", text, d)
		}
	}
}

// TestReuse: what an earlier write left in an Observation does not show in a later
// one that reuses its memory.
func TestReuse(t *testing.T) {
	full := parseScript(t, `
entry pos=512 len=1024 isize=16384
pass shared
lookup 0 1 = 1 unwritten
pass exclusive
lookup 0 1 = 1 unwritten
drain
dio exclusive wait
map 0 4096 unwritten
zero 0 512 exclusive unwritten
buffered 0 4096
copy
return 1024`).raw()
	bare := parseScript(t, "entry pos=0 len=4096 isize=16384 id=2\npass shared\ndio shared\nreturn 4096").raw()
	fresh, want := collect()
	feed(t, fresh, bare...)
	used, got := collect()
	feed(t, used, append(full, bare...)...)
	if o := (*got)[1]; fmt.Sprint(o) != fmt.Sprint((*want)[0]) {
		t.Errorf("after another write: %+v\nalone: %+v", o, (*want)[0])
	}
	if o := (*got)[1]; len(o.Passes[0].Lookups) != 0 || o.Drain != nil || o.Buffered != nil {
		t.Errorf("left over: %+v", o)
	}
}

// TestPairing: a queued write and its completion meet in either order.
func TestPairing(t *testing.T) {
	for _, order := range []string{"", "early"} {
		ob, got := collect()
		raws := parseScript(t, fmt.Sprintf(asyncWrite, 1, order)).raw()
		feed(t, ob, raws[0])
		if len(*got) != 0 {
			t.Errorf("%q: handed out before its second half came", order)
		}
		feed(t, ob, raws[1])
		if len(*got) != 1 {
			t.Fatalf("%q: %d observations", order, len(*got))
		}
		o := (*got)[0]
		if !o.Queued || !o.Completed || o.Ret != 4096 || o.SubmitRet != -529 || o.LatencyNs != 4000 || o.SubmitNs != 500 {
			t.Errorf("%q: queued %v completed %v ret %d submit %d latency %d %d", order, o.Queued, o.Completed, o.Ret, o.SubmitRet, o.LatencyNs, o.SubmitNs)
		}
		ob.Flush()
		if ob.Orphans != 0 || ob.Unpaired != 0 || ob.Pending() != 0 {
			t.Errorf("%q: %d orphans, %d unpaired, %d pending", order, ob.Orphans, ob.Unpaired, ob.Pending())
		}
	}
}

// TestPairingShuffled: many writes and completions in any order pair up.
func TestPairingShuffled(t *testing.T) {
	const n = 500
	var raws [][]byte
	for i := range n {
		raws = append(raws, parseScript(t, fmt.Sprintf(asyncWrite, i+1, "")).raw()...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(raws), func(i, j int) { raws[i], raws[j] = raws[j], raws[i] })
	ob, got := collect()
	feed(t, ob, raws...)
	ob.Flush()
	seen := map[uint64]bool{}
	for _, o := range *got {
		if !o.Completed || seen[o.ID] {
			t.Fatalf("write %d: completed %v, seen before %v", o.ID, o.Completed, seen[o.ID])
		}
		seen[o.ID] = true
	}
	if len(seen) != n || ob.Orphans+ob.Unpaired != 0 {
		t.Errorf("%d of %d paired, %d orphans, %d unpaired", len(seen), n, ob.Orphans, ob.Unpaired)
	}
}

// TestSynchronousCompletion: a write that could have been queued but was over in
// time has a completion before its record; nothing is left of it.
func TestSynchronousCompletion(t *testing.T) {
	ob, got := collect()
	s := parseScript(t, "entry pos=0 len=4096 caller=libaio\npass shared\ndio shared\nreturn 4096\ncomplete 4096 early")
	feed(t, ob, s.raw()...)
	if o := (*got)[0]; o.Queued || !o.Completed || o.LatencyNs != 500 {
		t.Errorf("queued %v, completed %v, latency %d", o.Queued, o.Completed, o.LatencyNs)
	}
	ob.Flush()
	if ob.Orphans != 0 {
		t.Errorf("%d orphans", ob.Orphans)
	}
}

// TestNoCompletion: at the end, and after a while, a queued write is handed out
// without its completion; a completion without a write is counted.
func TestNoCompletion(t *testing.T) {
	ob, got := collect()
	write := func(id, t0 int) []byte {
		s := parseScript(t, fmt.Sprintf(asyncWrite, id, ""))
		s.w.T0 = uint64(t0)
		return s.raw()[0]
	}
	feed(t, ob, write(1, 100), write(2, 200), write(3, 300))
	ob.Expire(250)
	if len(*got) != 2 || (*got)[0].ID != 1 || (*got)[1].ID != 2 {
		t.Fatalf("expired %d writes", len(*got))
	}
	if o := (*got)[0]; o.Completed || !o.Queued || o.Ret != -529 {
		t.Errorf("completed %v, queued %v, ret %d", o.Completed, o.Queued, o.Ret)
	}
	feed(t, ob, (&record.Complete{ID: 99, T: 1, Ret: 1}).Append(nil))
	ob.Flush()
	if len(*got) != 3 || ob.Unpaired != 3 || ob.Orphans != 1 {
		t.Errorf("%d handed out, %d unpaired, %d orphans", len(*got), ob.Unpaired, ob.Orphans)
	}
}

// TestOneOfTwoCompletes: the other is still handed out at the end.
func TestOneOfTwoCompletes(t *testing.T) {
	ob, got := collect()
	first, second := parseScript(t, fmt.Sprintf(asyncWrite, 1, "")).raw(), parseScript(t, fmt.Sprintf(asyncWrite, 2, "")).raw()
	feed(t, ob, first[0], second[0], first[1])
	ob.Flush()
	if len(*got) != 2 || (*got)[1].ID != 2 || (*got)[1].Completed {
		t.Errorf("%d observations, the last %+v", len(*got), (*got)[len(*got)-1])
	}
}

// TestComm: a command name ends at its NUL, or fills its 16 bytes.
func TestComm(t *testing.T) {
	for _, name := range []string{"", "a", "fifteen letters", "sixteen letters!"} {
		ob, got := collect()
		s := parseScript(t, ordinary["aligned"])
		s.w.Comm = [16]byte{}
		copy(s.w.Comm[:], name)
		feed(t, ob, s.raw()...)
		if c := (*got)[0].Comm; c != name {
			t.Errorf("%q became %q", name, c)
		}
	}
}

// TestMalformed: a bad record is refused and counted, the next is taken.
func TestMalformed(t *testing.T) {
	j := judge.New(judge.Options{Variant: model.Linux73})
	good := parseScript(t, "entry pos=0 len=4096 isize=16384\npass shared\nfmod kiocb\ndio shared\nmap 0 4096 mapped\nreturn 4096").raw()[0]
	for _, bad := range [][]byte{nil, good[:4], good[:100], good[:len(good)-1], {9, 0, 8, 0, 0, 0, 0, 0}} {
		err := j.Feed(bad)
		if !errors.Is(err, record.ErrShort) && !errors.Is(err, record.ErrKind) {
			t.Errorf("%d bytes: error %v", len(bad), err)
		}
	}
	if err := j.Feed(good); err != nil {
		t.Fatal(err)
	}
	if s := j.Stats(); s.Malformed != 5 || s.Writes != 1 || s.Kinds[judge.Agree] != 1 {
		t.Errorf("stats %+v", s)
	}
}

const zeroingWrite = `
entry pos=512 len=1024 isize=16384
pass shared disksize=8192
lookup 0 1 = 1 unwritten
pass exclusive
lookup 0 1 = 1 unwritten
drain
fmod kiocb
dio exclusive wait
map 0 4096 unwritten
zero 0 512 exclusive unwritten
zero 1536 2560 exclusive unwritten
return 1024`

// TestTruncatedSteps: a write is judged when the steps up to iomap_dio_rw fit, and not
// otherwise. A record says which did not fit; an old one by its last step.
func TestTruncatedSteps(t *testing.T) {
	s := parseScript(t, zeroingWrite)
	const late = record.CutMaps | record.CutZeroed
	first := slices.IndexFunc(s.w.Steps[:s.w.NSteps], func(st record.Step) bool { return st.Kind == record.StepMap })
	for n := range s.w.NSteps + 1 {
		w := s.w
		w.NSteps, w.StepsLost = n, uint8(s.w.NSteps-n)
		for _, tt := range []struct {
			cut  uint8
			seen bool
		}{{0, n > first}, {record.CutChecks, n == s.w.NSteps}, {late, n >= first}} {
			want := judge.Undecided
			if tt.seen {
				want = judge.Agree
			}
			if w.Cut = tt.cut; w.StepsLost == 0 {
				w.Cut = 0
			}
			if kind := kindOf(t, &w); kind != want {
				t.Errorf("%d steps, cut %d: %s, want %s", n, tt.cut, kind, want)
			}
		}
	}
}

// TestManySteps: whatever the decision's own steps are worth is known of a write in part,
// and no more is said of it.
func TestManySteps(t *testing.T) {
	const wrong = "entry pos=512 len=1024 isize=16384\npass shared\nlookup 0 1 = 1 unwritten\ndio shared\nmap 0 4096 unwritten\nreturn 1024\nbut lost=1 cut=6"
	s := parseScript(t, wrong)
	if kind := kindOf(t, &s.w); kind != judge.Differs && kind != judge.Unsafe {
		t.Errorf("a wrong lock before the steps that are lost: %s", kind)
	}
	ob, got := collect()
	feed(t, ob, s.raw()...)
	if o := (*got)[0]; !o.InPart() || !o.Truncated || o.Incomplete != "" {
		t.Errorf("%+v", o)
	}
}

// TestMissingKind: when all steps of a kind are missing and nothing says so, the
// stages do, and the write is not judged.
func TestMissingKind(t *testing.T) {
	s := parseScript(t, zeroingWrite)
	for _, kind := range []record.StepKind{
		record.StepPass, record.StepDisksize, record.StepLookup, record.StepDrain, record.StepMap, record.StepZero,
	} {
		w := s.w
		w.NSteps = 0
		for i := range s.w.NSteps {
			if s.w.Steps[i].Kind != kind {
				w.Steps[w.NSteps] = s.w.Steps[i]
				w.NSteps++
			}
		}
		if got := kindOf(t, &w); got != judge.Undecided {
			t.Errorf("without steps of kind %d: %s", kind, got)
		}
	}
}

// TestStepsOutOfPlace: steps in an order that no kernel makes are not judged.
func TestStepsOutOfPlace(t *testing.T) {
	for name, steps := range map[string][]record.Step{
		"lookup before the checks": {{Kind: record.StepLookup}},
		"copy without buffered":    {{Kind: record.StepCopy}},
		"drain without buffered":   {{Kind: record.StepDrain, Aux: record.DrainBuffered}},
		"failed without an error":  {{Kind: record.StepMap, Aux: record.MapFailed, A: 1}},
		"unknown kind":             {{Kind: 200}},
	} {
		w := parseScript(t, "entry pos=0 len=4096 isize=16384\nreturn -5").w
		w.NSteps = copy(w.Steps[:], steps)
		if got := kindOf(t, &w); got != judge.Undecided {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func kindOf(t testing.TB, w *record.Write) judge.Kind {
	t.Helper()
	kind := judge.Unsafe
	j := judge.New(judge.Options{Variant: model.Linux73, Seen: func(_ *observe.Observation, v *judge.Verdict) { kind = v.Kind }})
	if err := j.Feed(w.Append(nil)); err != nil {
		t.Fatal(err)
	}
	return kind
}
