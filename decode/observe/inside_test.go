package observe

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// A record without a return, of a write that waits for the lock, is one that is inside; what
// it has waited so far is a wait.
func TestInside(t *testing.T) {
	w := record.Write{
		T0: 1e9, Latency: 5e6, ID: 7, Stages: record.StageEntry | record.StageAlign | record.StageLock, Blkbits: 12, Len0: 4096, NSteps: 1,
	}
	w.Steps[0] = record.Step{Kind: record.StepInside, Aux: uint16(record.InsideWait), TUs: 5000, A: 4e6, C: 4}
	var got []*Observation
	ob := NewObserver(func(o *Observation) { got = append(got, o.Clone()) })
	if err := ob.Feed(w.Append(nil)); err != nil {
		t.Fatal(err)
	}
	w.Steps[0].Kind, w.Stages, w.Ret = record.StepDrain, w.Stages|record.StageReturn, -5
	if err := ob.Feed(w.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Fatalf("%d observations", len(got))
	}
	o := got[0]
	if !o.Inside || o.InsideAt != record.InsideWait || o.Completed || o.Queued || o.LatencyNs != 5e6 || o.WaitNs != 4e6 ||
		len(o.Waits) != 1 || o.Waits[0].Ns != 4e6 || o.Waits[0].Lock != record.LockExclusive || !strings.Contains(o.Incomplete, "waiting for i_rwsem") {
		t.Errorf("%+v", o)
	}
	if got[1].Inside {
		t.Error("the next write is inside, too")
	}
	// Both cannot be.
	w.Steps[0].Kind = record.StepInside
	if err := ob.Feed(w.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if o := got[2]; o.Inside || o.Incomplete == "" {
		t.Errorf("%+v", o)
	}
}
