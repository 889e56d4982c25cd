package session

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// Every record comes through the pump once, in order, whole, also when there are
// more than its room holds at once.
func TestPumpKeepsOrder(t *testing.T) {
	const n = 3 * batchCount * batchBytes / record.HeadSize
	s := &tracetest.Source{N: n, Lost: record.Losses{MissedInner: 3}}
	p := newPump(s)
	p.stop.Store(true)
	go p.run()
	seen := uint64(0)
	for b := range p.full {
		b.each(func(raw []byte) {
			var w record.Write
			if err := record.ParseWrite(raw, &w); err != nil {
				t.Fatalf("record %d: %v", seen, err)
			}
			if w.ID != seen {
				t.Fatalf("record %d came in place of %d", w.ID, seen)
			}
			seen++
		})
		p.free <- b
	}
	if seen != n || p.err != nil {
		t.Errorf("%d of %d records, error %v", seen, n, p.err)
	}
	if got := p.read.Load().losses.MissedInner; got != 3 {
		t.Errorf("losses at the end: %d, want 3", got)
	}
}
