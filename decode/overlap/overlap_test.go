package overlap

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestCertainlyBefore: a step is at most 999 ns later than its time, and another CPU's
// clock at most 1000 ns behind.
func TestCertainlyBefore(t *testing.T) {
	for at, want := range map[uint64]bool{5000: false, 6000: false, 6999: false, 7000: true} {
		if got := certainlyBefore(5000, at+0); got != want {
			t.Errorf("5000 before %d: %v", at, got)
		}
	}
}

const later = 10_000_000 // ns: long after both of the writes below

// longFlight is a queued write to the block that badZeroing zeroes in, in flight before
// and after it.
func longFlight(id uint64) *observe.Observation {
	return &observe.Observation{
		ID: id, Time: 900_000, Len0: 4096, ISize0: 16384, Blkbits: 12, Caller: record.CallerLibaio,
		Passes: []observe.Pass{{Lock: record.LockShared, Count: 4096, ISize: 16384, IDisksize: 16384, Flags: record.PassAlign}},
		Dio:    true, Lock: record.LockShared, Mappings: []observe.Mapping{{Length: 4096, Type: model.IomapUnwritten, AtUs: 5}},
		Queued: true, Completed: true, SubmitRet: -529, Ret: 4096, SubmitNs: 20_000, LatencyNs: 400_000,
	}
}

// badZeroing is a write that zeroes in an empty block while another one is in flight.
func badZeroing(id uint64) *observe.Observation {
	return &observe.Observation{
		ID: id, Time: 1_000_000, Pos0: 512, Len0: 1024, ISize0: 16384, Blkbits: 12, Caller: record.CallerSync,
		Passes: []observe.Pass{{Lock: record.LockExclusive, Pos: 512, Count: 1024, ISize: 16384, IDisksize: 16384, Flags: record.PassAlign, Align: 512}},
		Head:   observe.Head{DioFlags: model.DioForceWait}, Dio: true, Lock: record.LockExclusive,
		Mappings: []observe.Mapping{{Length: 4096, Type: model.IomapUnwritten, AtUs: 10}},
		Zeroed: []observe.Zeroed{
			{Len: 512, Lock: record.LockExclusive, Type: model.IomapUnwritten, DioCount: 2, AtUs: 12},
			{Pos: 1536, Len: 2560, Lock: record.LockExclusive, Type: model.IomapUnwritten, DioCount: 1, AtUs: 14},
		},
		Completed: true, SubmitRet: 1024, Ret: 1024, SubmitNs: 500_000, LatencyNs: 500_000,
	}
}

// moved is the write at another instant.
func moved(o *observe.Observation, t uint64) *observe.Observation {
	o.Time = t
	return o
}

// in is the write in another file.
func in(o *observe.Observation, ino uint64) *observe.Observation {
	o.Ino = ino
	return o
}

func add(v *Finder, o *observe.Observation) []Pair { return slices.Clone(v.Add(o, rules.Conditions{})) }

// TestForgottenFlight: a write that was forgotten is not found; who may have
// overlapped with it is counted, and who did not is not.
func TestForgottenFlight(t *testing.T) {
	for extra, want := range map[int]Stats{
		maxFlights - 1: {Zeroed: 1},
		maxFlights:     {Unchecked: 1},
		maxFlights + 1: {Unchecked: 1},
	} {
		v := NewFinder()
		add(v, longFlight(1))
		for i := range extra {
			o := moved(longFlight(uint64(i+2)), later)
			o.Pos0, o.Passes[0].Pos, o.Mappings[0].Offset = 8192, 8192, 8192
			add(v, o)
		}
		want.Evicted = uint64(max(0, extra+1-maxFlights))
		if v.Stats.Evicted != want.Evicted {
			t.Errorf("after %d more: %+v", extra, v.Stats)
		}
		found := add(v, badZeroing(10_000))
		// One that came later than all can be checked.
		add(v, moved(badZeroing(10_001), 2*later))
		want.Evicted = uint64(max(0, extra+3-maxFlights)) // these two were direct writes, too
		if v.Stats != want || len(found) != int(want.Zeroed) {
			t.Errorf("after %d more: %+v, found %v", extra, v.Stats, found)
		}
	}
}

// TestForgottenZeroing is the same for zeroing that was forgotten.
func TestForgottenZeroing(t *testing.T) {
	for extra, want := range map[int]Stats{
		maxActs - 1: {Zeroed: 1},
		maxActs:     {Evicted: 1, Unchecked: 1},
	} {
		v := NewFinder()
		for i := range uint64(extra + 1) {
			add(v, moved(badZeroing(i+1), 1_000_000+i*later))
		}
		add(v, longFlight(100))
		// A later one overlaps with none, and that is certain.
		add(v, moved(longFlight(101), 100*later))
		if v.Stats != want {
			t.Errorf("after %d more: %+v", extra, v.Stats)
		}
	}
}

// TestForgottenInode: an inode that was used least recently gives way, and is known to
// have been there.
func TestForgottenInode(t *testing.T) {
	v := NewFinder()
	for ino := range uint64(maxInodes + 1) {
		add(v, in(longFlight(ino), ino))
	}
	if len(v.slots) != maxInodes || len(v.index) != maxInodes || v.Stats.Evicted != 1 {
		t.Errorf("%d slots, %d in the index, %+v", len(v.slots), len(v.index), v.Stats)
	}
	add(v, in(badZeroing(10_000), 0))
	if v.Stats.Unchecked != 1 || v.Stats.Zeroed != 0 {
		t.Errorf("the inode that was forgotten: %+v", v.Stats)
	}
	add(v, in(badZeroing(10_001), maxInodes))
	if v.Stats.Zeroed != 1 {
		t.Errorf("an inode that is still there: %+v", v.Stats)
	}
}

// TestNotPlaced: a write without the times that it needs is counted, not guessed at.
func TestNotPlaced(t *testing.T) {
	for name, change := range map[string]func(*observe.Observation){
		"no mapping":              func(o *observe.Observation) { o.Mappings = nil },
		"a step after the return": func(o *observe.Observation) { o.SubmitNs = 1000 },
		"steps that wrapped":      func(o *observe.Observation) { o.SubmitNs = maxSubmitNs },
		"a time that overflows":   func(o *observe.Observation) { o.Time = maxTime },
	} {
		v := NewFinder()
		add(v, badZeroing(100))
		o := longFlight(1)
		change(o)
		add(v, o)
		if want := (Stats{Unchecked: 1}); v.Stats != want {
			t.Errorf("%s: %+v", name, v.Stats)
		}
	}
}

// TestSameWriteTwice: a stream that holds a write twice shows no overlap of it with
// itself.
func TestSameWriteTwice(t *testing.T) {
	v := NewFinder()
	for range 2 {
		if found := add(v, badZeroing(1)); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	}
}

// TestTooManyPieces: a write that zeroed more often than any can is not fully checked,
// and that is counted.
func TestTooManyPieces(t *testing.T) {
	o := badZeroing(1)
	for range 4 {
		o.Zeroed = append(o.Zeroed, o.Zeroed[0])
	}
	v := NewFinder()
	if add(v, o); v.Stats.Unchecked != 1 {
		t.Errorf("%+v", v.Stats)
	}
}

// TestManyFound: all pairs are counted, and the first few told of.
func TestManyFound(t *testing.T) {
	v := NewFinder()
	for i := range uint64(20) {
		add(v, longFlight(i))
	}
	found := add(v, badZeroing(100))
	if v.Stats.Zeroed != 20 || len(found) != maxFound {
		t.Errorf("%d found, %+v", len(found), v.Stats)
	}
}

// BenchmarkOverlaps: one write each, to one file and to more files than are kept.
func BenchmarkOverlaps(b *testing.B) {
	o := longFlight(1)
	for _, inodes := range []uint64{1, 2, 10 * maxInodes} {
		b.Run(fmt.Sprint(inodes), func(b *testing.B) {
			v := NewFinder()
			b.ReportAllocs()
			for i := uint64(0); b.Loop(); i++ {
				o.Ino, o.ID = i%inodes, i
				v.Add(o, rules.Conditions{})
			}
		})
	}
}
