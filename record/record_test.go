package record

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
)

// fill sets each number and array under v to another value.
func fill(v reflect.Value, next *byte) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case v.CanInt():
		*next++
		v.SetInt(-int64(*next))
	default:
		*next++
		v.SetUint(uint64(*next))
	}
}

// sample has another value in every field.
func sample() *Write {
	w, next := &Write{}, byte(0)
	v := reflect.ValueOf(w).Elem()
	for i := range v.NumField() - 1 {
		fill(v.Field(i), &next)
	}
	w.NSteps = 2
	for i := range w.NSteps {
		fill(v.FieldByName("Steps").Index(i), &next)
	}
	w.Head, w.Size = HeadSize, HeadSize+2*StepSize
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
	var got, want Complete
	fill(reflect.ValueOf(&want).Elem(), new(byte))
	if err := ParseComplete(want.Append(nil), &got); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// Each field is read from where the C compiler has laid it, whole and nothing else.
func TestLayout(t *testing.T) {
	check := func(f Field, v any, err error) {
		got := reflect.ValueOf(v).Elem().FieldByName(f.Go)
		if err != nil || got.CanInt() && got.Int() != -1 || got.CanUint() && got.Uint() != math.MaxUint64>>(64-8*f.Width) {
			t.Errorf("%T: %s at %d is %v, error %v", v, f.Go, f.At, got, err)
		}
	}
	ones := bytes.Repeat([]byte{0xff}, 16)
	var w Write
	for _, f := range Fields[Write]() {
		raw := (&Write{}).Append(nil)
		if at := f.At; at == AtSize || at == AtNSteps || at == AtHead {
			continue // other values are refused, see the round trip
		}
		copy(raw[f.At:], ones[:f.Width])
		err := ParseWrite(raw, &w)
		check(f, &w, err)
	}
	for _, f := range Fields[Step]() {
		raw := (&Write{NSteps: 1}).Append(nil)
		copy(raw[HeadSize+f.At:], ones[:f.Width])
		err := ParseWrite(raw, &w)
		check(f, &w.Steps[0], err)
	}
	for _, f := range Fields[Complete]() {
		raw, c := new(Complete).Append(nil), Complete{}
		copy(raw[f.At:], ones[:f.Width])
		err := ParseComplete(raw, &c)
		check(f, &c, err)
	}
	for _, f := range Fields[Counters]() {
		var n [NumCounters]uint64
		n[f.At/8] = math.MaxUint64
		c := CountersFrom(n)
		check(f, &c, nil)
	}
}

// A head of an older version has fewer fields, which are not there then; one of a newer
// version has more, which are skipped. The steps are behind both.
func TestHeads(t *testing.T) {
	for head := minHead; head <= HeadSize+3*StepSize; head++ {
		want := sample()
		want.Head = uint16(head)
		raw := want.Append(nil)
		for i := HeadSize; i < head; i++ {
			raw[i] = 0xee
		}
		var got Write
		got.NrSegs = 0xbad
		if err := ParseWrite(raw, &got); err != nil {
			t.Fatalf("head of %d bytes: %v", head, err)
		}
		want.Size = uint16(len(raw))
		for _, f := range Fields[Write]() {
			known := f.At+f.Width <= head
			if got.Has(f.At) != known {
				t.Errorf("head of %d bytes has %s: %v", head, f.Go, !known)
			}
			if field := reflect.ValueOf(want).Elem().FieldByName(f.Go); !known && f.At < head {
				field.Set(reflect.ValueOf(got).FieldByName(f.Go)) // cut, so that it is not looked at
			} else if !known {
				field.SetZero()
			}
		}
		if !reflect.DeepEqual(&got, want) || got.Surplus() != max(head-HeadSize, 0) {
			t.Errorf("head of %d bytes: surplus %d\ngot  %+v\nwant %+v", head, got.Surplus(), got, *want)
		}
	}
	first := sample()
	first.Head = FirstHead
	old := first.Append(nil)
	old[AtHead], old[AtHead+1] = 0, 0
	var got Write
	if err := ParseWrite(old, &got); err != nil || got.Head != FirstHead {
		t.Errorf("head without a length: %d bytes, error %v", got.Head, err)
	}
	if (&Write{}).Has(HeadSize) {
		t.Error("there is a field behind the head")
	}
}

// What is asked of raw records is what parsing them gives; nothing of what is cut off.
func TestAsked(t *testing.T) {
	w, c := sample(), Complete{ID: 7, T: 9}
	raw, done := w.Append(nil), c.Append(nil)
	id, ok := FileOf(raw)
	if want := (NameID{FileID{w.Dev, w.Ino, w.Generation}, w.Name}); !ok || id != want {
		t.Errorf("file %+v, %v; want %+v", id, ok, want)
	}
	if _, ok := FileOf(done); ok {
		t.Error("a completion has a file")
	}
	for _, r := range []struct {
		raw              []byte
		id, began, ended uint64
	}{{raw, w.ID, w.T0, w.T0 + w.Latency}, {done, 7, 9, 9}} {
		id, ok := IDOf(r.raw)
		began, ended, timed := TimesOf(r.raw)
		if id != r.id || began != r.began || ended != r.ended || !ok || !timed {
			t.Errorf("id %d, from %d to %d, want %+v", id, began, ended, r)
		}
		cut := r.raw[:min(len(r.raw), HeadSize)-1]
		_, ok = IDOf(cut)
		if _, _, timed := TimesOf(cut); ok || timed || HeadOf(cut) != 0 {
			t.Errorf("%d bytes of a record have an id or a time", len(cut))
		}
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
		"more steps than bytes": func(b []byte) { b[AtNSteps] = 3 },
		"fewer steps":           func(b []byte) { b[AtNSteps] = 1 },
		"too many steps":        func(b []byte) { b[AtNSteps] = MaxSteps + 1 },
		"size beyond the end":   func(b []byte) { b[AtSize+1] = 0xff },
		"head without a length": func(b []byte) { b[AtHead] = minHead - 1 },
		"head beyond the end":   func(b []byte) { b[AtHead+1] = 0xff },
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
	// Nor does this change what is known of any write: it is said.
	l.LostHold = 2
	if l.Lost() != 0 || l.Any() || l.String() == "none lost" {
		t.Errorf("lost holders: %v, %s", l.Any(), l)
	}
	if l := (Losses{Counters: Counters{LostBudget: 1}}); l.Lost() != 0 || l.Any() || l.String() == "none lost" {
		t.Errorf("lost budgets: %v, %s", l.Any(), l)
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
