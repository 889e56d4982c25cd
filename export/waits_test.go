package export

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestWaits: quantiles are nearest ranks over all writes, those that did not wait
// included, as percentile_disc of SQL has them.
func TestWaits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var w waits
		var all []uint64
		for range 1 + r.IntN(300) {
			ns := r.Uint64N(50)
			if r.IntN(3) > 0 {
				ns = 0
			}
			w.add(ns)
			all = append(all, ns)
			if len(all)%17 == 0 {
				w.quantile(0.5) // asked in between, it has to go on
			}
		}
		slices.Sort(all)
		for _, share := range []int{0, 1, 50, 99, 100} {
			want := all[max((share*len(all)+99)/100, 1)-1]
			if got := w.quantile(float64(share) / 100); got == nil || *got != want {
				t.Fatalf("%d%% of %d waits: %v, want %d", share, len(all), got, want)
			}
		}
	}
	if (&waits{}).quantile(0.5) != nil {
		t.Error("a quantile of nothing")
	}
	over := waits{writes: 5, over: true}
	if over.add(7); over.quantile(0.5) != nil || len(over.ns) > 0 || over.sum != 7 {
		t.Errorf("more waits than are kept: %+v", over)
	}
}

// TestMostSerialised: files by their writes under the exclusive lock, then by waits;
// those with none are left out.
func TestMostSerialised(t *testing.T) {
	var b Breakdown
	for ino := range uint64(15) {
		for range ino / 2 {
			b.Add(&Row{Ino: ino, Lock: Some(Exclusive), WaitNs: Some(ino)})
		}
		b.Add(&Row{Ino: ino, Lock: Some(Shared), WaitNs: Some(uint64(0))})
	}
	raw, err := b.JSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Serialised []struct{ Ino, Exclusive int } `json:"most_serialised"`
		Waits      []struct {
			Lock   string
			Writes int
			P99    *int `json:"p99_ns"`
		}
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	var inos []int
	for _, f := range got.Serialised {
		inos = append(inos, f.Ino)
	}
	if want := []int{14, 13, 12, 11, 10, 9, 8, 7, 6, 5}; !slices.Equal(inos, want) || got.Serialised[0].Exclusive != 7 {
		t.Errorf("%+v, want %v", got.Serialised, want)
	}
	if len(got.Waits) != 2 || got.Waits[0].Lock != "shared" || got.Waits[1].Writes != 49 || *got.Waits[1].P99 != 14 {
		t.Errorf("waits %+v", got.Waits)
	}
}
