package decode_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// mixShare is how often each of the ordinary writes comes among sixteen.
var mixShare = map[string]int{"aligned": 8, "stripe": 3, "queued": 4, "nowait": 1}

// mix is a stream of ordinary writes as several threads make them: at random places of
// a few files of 1 TiB, each write over in its own time, completions in another order.
func mix(t testing.TB, writes int) (raws [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	var kinds []*script
	for name, n := range mixShare {
		for range n {
			kinds = append(kinds, parseScript(t, ordinary[name]))
		}
	}
	var open []record.Complete
	now := uint64(1000)
	for id := range uint64(writes) {
		s := kinds[r.IntN(len(kinds))]
		w := s.w
		now += 1000
		w.ID, w.Ino, w.T0, w.Tid = id, 12+r.Uint64N(4), now, 7+r.Uint32N(4)
		w.Latency = 20_000 + r.Uint64N(100_000)
		shift(&w, r.Int64N(1<<24)<<14)
		sizes(&w, 1<<40)
		for i := range w.NSteps {
			w.Steps[i].TUs = uint32(i)
		}
		raws = append(raws, w.Append(nil))
		if s.c != nil {
			open = append(open, record.Complete{ID: id, T: now + 50_000, Ret: s.c.Ret})
		}
		for len(open) > 32 {
			i := r.IntN(len(open))
			raws = append(raws, open[i].Append(nil))
			open[i] = open[len(open)-1]
			open = open[:len(open)-1]
		}
	}
	for i := range open {
		raws = append(raws, open[i].Append(nil))
	}
	return raws
}

const mixWrites = 1 << 14

// mixJudge is a Judge of a 7.3 kernel that has seen all of the stream before.
func mixJudge(t testing.TB) (*judge.Judge, [][]byte) {
	j := judge.New(judge.Options{Evidence: model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.Yes}})
	raws := mix(t, mixWrites)
	feedJudge(t, j, raws...)
	if s := j.Stats(); s.Kinds[judge.Agree] != mixWrites || s.Unpaired+s.Orphans+s.Overlaps.Broken() != 0 {
		t.Fatalf("%+v", s)
	}
	return j, raws
}

// TestStreamAllocations: a stream of ordinary writes costs no allocation.
func TestStreamAllocations(t *testing.T) {
	j, raws := mixJudge(t)
	if n := testing.AllocsPerRun(3, func() { feedJudge(t, j, raws...) }); n != 0 {
		t.Errorf("%v allocations for %d writes", n, mixWrites)
	}
}

// BenchmarkStream is the price of one write, from its raw records to its verdict.
func BenchmarkStream(b *testing.B) {
	j, raws := mixJudge(b)
	b.ReportAllocs()
	i, writes := 0, 0
	for b.Loop() {
		for { // the completions that come in between belong to the writes before
			raw := raws[i]
			if i++; i == len(raws) {
				i = 0
			}
			if err := j.Feed(raw); err != nil {
				b.Fatal(err)
			}
			if len(raw) != record.CompleteSize {
				writes++
				break
			}
		}
	}
	b.ReportMetric(float64(writes)/b.Elapsed().Seconds(), "writes/s")
}

// TestDoubt: a disagreement of a write in which a probe may have been skipped decides
// nothing, is not remembered for others, and rules no variant out.
func TestDoubt(t *testing.T) {
	const wrong = "entry pos=0 len=4096 isize=16384\npass exclusive\nfmod kiocb\ndio exclusive\nmap 0 4096 mapped\nreturn 4096"
	doubt := false
	var kinds []judge.Kind
	var missing string
	j := judge.New(judge.Options{
		Evidence: model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.Yes},
		Doubt:    func(from, to uint64) bool { return doubt && from < to },
		Seen:     func(_ *observe.Observation, v *judge.Verdict) { kinds, missing = append(kinds, v.Kind), v.Missing },
	})
	before := len(j.Detector().Candidates())
	for _, doubt = range []bool{true, false, true, false} {
		s := parseScript(t, wrong)
		s.w.Latency = 5000
		feedJudge(t, j, s.raw()...)
		if doubt && missing != "a probe was skipped by the kernel while the write ran" {
			t.Errorf("%q is missing", missing)
		}
	}
	if want := []judge.Kind{judge.Undecided, judge.Slower, judge.Undecided, judge.Slower}; !slices.Equal(kinds, want) {
		t.Errorf("verdicts %v, want %v", kinds, want)
	}
	doubt = true
	s := parseScript(t, ordinary["stripe"])
	s.w.Latency = 5000
	feedJudge(t, j, s.raw()...)
	if n := len(j.Detector().Candidates()); n != before {
		t.Errorf("%d variants were ruled out in doubt", before-n)
	}
	doubt = false
	feedJudge(t, j, s.raw()...)
	if n := len(j.Detector().Candidates()); n == before {
		t.Error("without doubt the same write rules nothing out: the test tests nothing")
	}
}
