package overlap

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// TestRepeatedPositions: writes by write(2) of a thread on a kernel that does not move
// ki_pos on are counted, and so are those that overwrite the one before.
func TestRepeatedPositions(t *testing.T) {
	v := NewFinder()
	for i := range uint64(50) {
		o := longFlight(i)
		o.Queued, o.Tid, o.Pos0 = false, 7, 8192
		o.Unmoved, o.PosAfter, o.PosWanted = true, 8192, 12288
		add(v, moved(o, 1_000_000+i*later))
	}
	if v.Stats.Unmoved != 50 || v.Stats.Repeated != 49 {
		t.Errorf("%+v", v.Stats)
	}
}

// TestRewrites: an application that writes the same block again, by pwrite or after a
// seek, raises no alarm, nor do other threads and files after a write that was wrong.
func TestRewrites(t *testing.T) {
	v := NewFinder()
	same := func(id uint64, change func(*observe.Observation)) {
		o := longFlight(id)
		o.Queued, o.Tid, o.Pos0 = false, 7, 8192
		if change != nil {
			change(o)
		}
		add(v, moved(o, 1_000_000+id*later))
	}
	for i := range uint64(50) {
		same(i, nil)
	}
	if v.Stats.Unmoved+v.Stats.Repeated != 0 {
		t.Errorf("of rewrites: %+v", v.Stats)
	}
	same(50, func(o *observe.Observation) { o.Unmoved, o.PosAfter = true, 8192 })
	same(51, func(o *observe.Observation) { o.Tid = 8 })
	same(52, func(o *observe.Observation) { o.Ino = 99 })
	same(53, func(o *observe.Observation) { o.Pos0 = 12288 })
	if v.Stats.Unmoved != 1 || v.Stats.Repeated != 0 {
		t.Errorf("of others: %+v", v.Stats)
	}
}
