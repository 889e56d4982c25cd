package record

import (
	"errors"
	"reflect"
	"testing"
)

// sample has another value in every field.
func sample() *Write {
	w := &Write{
		Stages: StageEntry | StageReturn, T0: 1, Latency: 2, ID: 3, Ino: 4, Pos0: 5, ISize0: 6,
		Tgid: 7, Tid: 8, Comm: [16]byte{'f', 'i', 'o'}, Dev: 8 << 20, KiFlags: 10, Len0: 11, Ret: -11,
		WaitNs: 13, DioUs: 14, LostBefore: 15, StepsLost: 16, Passes: 17, Blkbits: 12, Caller: CallerIOWQ,
		IterType: 19, Depth: 1, Lock: LockExclusive, DioFlags: 22, DioOps: OpsOverwrite, Fmod: FmodKiocb,
		NrSegs: 26, NSteps: 2,
	}
	w.Steps[0] = Step{Kind: StepPass, Lock: LockShared, Aux: PassNosec, TUs: 30, A: 31, B: 32, C: 33, D: 34}
	w.Steps[1] = Step{Kind: StepZero, Lock: LockExclusive, Aux: 41, TUs: 42, A: 43, B: 44, C: 45, D: 46}
	w.Size = HeadSize + 2*StepSize
	return w
}

func TestWriteRoundTrip(t *testing.T) {
	want := sample()
	raw := want.Append(nil)
	var got Write
	if err := ParseWrite(raw, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("got  %+v\nwant %+v", got, *want)
	}
}

func TestCompleteRoundTrip(t *testing.T) {
	want := Complete{ID: 1, T: 2, Ret: -5}
	var got Complete
	if err := ParseComplete(want.Append(nil), &got); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// A record that is cut anywhere, says it is longer than it is, or is of another
// kind, is refused.
func TestParseRefuses(t *testing.T) {
	raw := sample().Append(nil)
	var w Write
	for n := range raw {
		if err := ParseWrite(raw[:n], &w); !errors.Is(err, ErrShort) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for name, change := range map[string]func([]byte){
		"more steps than bytes": func(b []byte) { b[112] = 3 },
		"fewer steps":           func(b []byte) { b[112] = 1 },
		"too many steps":        func(b []byte) { b[112] = MaxSteps + 1 },
		"size beyond the end":   func(b []byte) { b[3] = 0xff },
	} {
		bad := append([]byte(nil), raw...)
		change(bad)
		if err := ParseWrite(bad, &w); !errors.Is(err, ErrShort) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ParseWrite((&Complete{}).Append(make([]byte, 0, HeadSize)), &w); !errors.Is(err, ErrKind) {
		t.Errorf("completion as write: %v", err)
	}
	var c Complete
	if err := ParseComplete(raw, &c); !errors.Is(err, ErrKind) {
		t.Errorf("write as completion: %v", err)
	}
}

// Numbers of the wire never change their meaning; new ones are added at the end.
func TestNumbers(t *testing.T) {
	for name, got := range map[string][2]int{
		"KindWrite": {int(KindWrite), 1}, "KindComplete": {int(KindComplete), 2},
		"StepPass": {int(StepPass), 1}, "StepDisksize": {int(StepDisksize), 2}, "StepLookup": {int(StepLookup), 3},
		"StepDrain": {int(StepDrain), 4}, "StepMap": {int(StepMap), 5}, "StepZero": {int(StepZero), 6},
		"StepBuffered": {int(StepBuffered), 7}, "StepCopy": {int(StepCopy), 8}, "StepWait": {int(StepWait), 9},
		"StepSleep": {int(StepSleep), 10}, "StepAlign": {int(StepAlign), 11},
		"StageLock": {int(StageLock), 1 << 15}, "PassDAX": {int(PassDAX), 1 << 7}, "MapLookup": {int(MapLookup), 1 << 2},
		"CallerKthread": {int(CallerKthread), 9}, "LockExclusive": {int(LockExclusive), 2},
		"SleepUnknown": {int(SleepUnknown), 0}, "SleepIRwsem": {int(SleepIRwsem), 1}, "SleepIDataSem": {int(SleepIDataSem), 2},
		"SleepJBD2": {int(SleepJBD2), 3}, "SleepMetadata": {int(SleepMetadata), 4}, "SleepDrain": {int(SleepDrain), 5},
		"SleepAllocator": {int(SleepAllocator), 6}, "SleepOwnIO": {int(SleepOwnIO), 7}, "SleepEndIO": {int(SleepEndIO), 8},
		"SleepMemory": {int(SleepMemory), 9}, "SleepUserPages": {int(SleepUserPages), 10}, "SleepDIOQueue": {int(SleepDIOQueue), 11},
		"SleepBlock": {int(SleepBlock), 12}, "SleepRTLock": {int(SleepRTLock), 13},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %d, was %d", name, got[0], got[1])
		}
	}
	if got := StageLock.Names(); len(got) != 1 || got[0] != "lock" {
		t.Errorf("the last stage is called %v", got)
	}
}

// Every cause of a sleep has its own name, and ext4's own are told from the others.
// A number of a newer version is unknown.
func TestSleepCauses(t *testing.T) {
	seen := map[string]bool{}
	for c := range SleepCause(NumSleepCauses) {
		if c.String() == "" || seen[c.String()] {
			t.Errorf("cause %d is called %q", c, c)
		}
		seen[c.String()] = true
		if own := c > SleepUnknown && c < SleepOwnIO; c.Ext4() != own {
			t.Errorf("%s: ext4's own is %v", c, c.Ext4())
		}
	}
	if got := SleepCause(NumSleepCauses); got.String() != "unknown" || got.Ext4() {
		t.Errorf("cause %d is called %q", got, got)
	}
}

func TestLosses(t *testing.T) {
	var l Losses
	if l.Any() || l.Lost() != 0 || l.String() != "none lost" {
		t.Errorf("nothing lost: %v, %s", l.Any(), l)
	}
	// Each of these is a write that is missing.
	for name, l := range map[string]Losses{
		"ring":   {Counters: Counters{LostRing: 1}},
		"map":    {Counters: Counters{LostMap: 1}},
		"return": {Counters: Counters{LostReturn: 1}},
		"depth":  {Counters: Counters{LostDepth: 1}},
		"entry":  {MissedEntry: 1},
		"bytes":  {Malformed: 1},
	} {
		if l.Lost() != 1 || !l.Any() || l.String() == "none lost" {
			t.Errorf("%s: lost %d, %s", name, l.Lost(), l)
		}
	}
	// These are no missing writes, but nothing is proven any more.
	for _, l := range []Losses{{Counters: Counters{LostComplete: 1}}, {MissedInner: 1}, {MissedReturn: 1}} {
		if l.Lost() != 0 || !l.Any() || l.String() == "none lost" {
			t.Errorf("no lost write, but a loss: %+v, %s", l, l)
		}
	}
}

// Parsing never panics, and gives an error or a value that encodes to the same.
func FuzzParse(f *testing.F) {
	f.Add(sample().Append(nil))
	f.Add((&Complete{ID: 7}).Append(nil))
	f.Add([]byte{1, 0, 0x80})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var w Write
		if ParseWrite(raw, &w) == nil {
			again := w.Append(nil)
			var v Write
			if err := ParseWrite(again, &v); err != nil || !reflect.DeepEqual(v, w) {
				t.Fatalf("%v: %+v is not %+v", err, v, w)
			}
		}
		var c Complete
		if ParseComplete(raw, &c) == nil && len(c.Append(nil)) != CompleteSize {
			t.Fatal("completion of another size")
		}
	})
}

func BenchmarkParseWrite(b *testing.B) {
	raw := sample().Append(nil)
	var w Write
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if err := ParseWrite(raw, &w); err != nil {
			b.Fatal(err)
		}
	}
}
