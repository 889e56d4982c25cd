package observe

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// queuedPair is a queued write and its completion.
type queuedPair struct {
	w record.Write
	c record.Complete
}

func queuedWrite() *queuedPair {
	return &queuedPair{
		w: record.Write{Stages: record.StageEntry | record.StageReturn, ID: 1, T0: 1000, Ret: eiocbqueued},
		c: record.Complete{ID: 1, T: 5000},
	}
}

func (s *queuedPair) raw() [][]byte { return [][]byte{s.w.Append(nil), s.c.Append(nil)} }

func feed(t *testing.T, ob *Observer, raws ...[]byte) {
	t.Helper()
	for _, raw := range raws {
		if err := ob.Feed(raw); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBounds: neither lost completions nor lost writes grow the memory.
func TestBounds(t *testing.T) {
	n := 0
	ob := NewObserver(func(*Observation) { n++ })
	s := queuedWrite()
	for i := range maxPending + 100 {
		s.w.ID, s.c.ID = uint64(2*i), uint64(2*i+1)
		feed(t, ob, s.raw()...)
	}
	if n != 100 || ob.Pending() != maxPending || ob.Unpaired != 100 {
		t.Errorf("%d handed out, %d pending, %d unpaired", n, ob.Pending(), ob.Unpaired)
	}
	if len(ob.early) != maxPending || ob.Orphans != 100 {
		t.Errorf("%d early completions, %d orphans", len(ob.early), ob.Orphans)
	}
	ob.Flush()
	if ob.Unpaired != maxPending+100 || ob.Orphans != maxPending+100 {
		t.Errorf("after Flush: %d unpaired, %d orphans", ob.Unpaired, ob.Orphans)
	}
}

// TestQueueStaysSmall: one write that never completes does not make the queue of
// ids grow behind it.
func TestQueueStaysSmall(t *testing.T) {
	ob := NewObserver(func(*Observation) {})
	s := queuedWrite()
	s.w.ID = 1 << 40
	feed(t, ob, s.raw()[0])
	for i := range 50_000 {
		s.w.ID, s.c.ID = uint64(i), uint64(i)
		feed(t, ob, s.raw()...)
	}
	if len(ob.queue.ids) > 4096 || len(ob.earlyQ.ids) > 4096 {
		t.Errorf("queues hold %d and %d ids for one write", len(ob.queue.ids), len(ob.earlyQ.ids))
	}
	ob.Flush()
	if ob.Unpaired != 1 {
		t.Errorf("%d unpaired", ob.Unpaired)
	}
}
