package tally

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// A quantile is never below the exact one, and at most a quarter above it.
func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 10, 1000, 20_000} {
		var h Histogram
		times := make([]uint64, n)
		for i := range times {
			times[i] = uint64(rng.ExpFloat64() * float64(uint64(1)<<rng.IntN(40)))
			h.Add(times[i])
		}
		slices.Sort(times)
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
			exact := times[max(int(q*float64(n)+0.5), 1)-1]
			if got := h.Quantile(q); got < exact || float64(got) > 1.25*float64(exact) {
				t.Errorf("%d times: quantile %g is %d, exactly %d", n, q, got, exact)
			}
		}
		if h.Max() != times[n-1] || h.Len() != uint64(n) {
			t.Errorf("%d times: max %d, len %d", n, h.Max(), h.Len())
		}
		var octaves [NumOctaves]uint64
		h.Octaves(octaves[:])
		want := [NumOctaves]uint64{}
		for _, ns := range times {
			i := 0
			for i < NumOctaves-1 && ns >= 1024<<i {
				i++
			}
			want[i]++
		}
		if octaves != want {
			t.Errorf("%d times: octaves %v, want %v", n, octaves, want)
		}
	}
	var none Histogram
	if none.Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}

// Bins follow each other without gap or overlap.
func TestBins(t *testing.T) {
	for i := range numBins - 1 {
		if bin(binEnd(i)) != i || bin(binEnd(i)+1) != i+1 {
			t.Errorf("bin %d ends at %d, which is in %d, and the next in %d", i, binEnd(i), bin(binEnd(i)), bin(binEnd(i)+1))
		}
	}
	if bin(1<<63) != numBins-1 {
		t.Error("what is too long is not in the last bin")
	}
}

func TestMagnitudes(t *testing.T) {
	var h Histogram
	for _, ns := range []uint64{0, 1, 2, 3, 4, 7, 8, 1023, 1024} {
		h.Add(ns)
	}
	got := h.Magnitudes()
	for bits, want := range map[int]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 1, 5: 0, 10: 1, 11: 1} {
		if got[bits] != want {
			t.Errorf("%d times of %d bits, want %d", got[bits], bits, want)
		}
	}
}

// row is a write of a file with a lock and a reason.
func row(ino uint64, lock export.Lock, reason string) export.Row {
	return export.Row{
		Ino: ino, Pid: 7, Comm: "fio", Lock: export.Some(lock), Ret: export.Some[int64](4096), WaitNs: export.Some[uint64](1000), SubmitNs: 4000,
		Verdict: export.Some(judge.Agree), Reason: reason, TimeNs: 1e9 + ino*1e6,
	}
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		reason string
		kind   judge.Kind
		want   Class
	}{
		{"extending", judge.Agree, Extending},
		{"extending i_disksize", judge.Agree, Extending},
		{"zeroing: head not written", judge.Agree, Zeroing},
		{"zeroing: tail not written", judge.Agree, Zeroing},
		{"not overwrite", judge.Agree, NotOverwrite},
		{"nosec", judge.Agree, Security},
		{string(model.ReasonGuess), judge.Agree, FirstLock},
		{"unaligned", judge.Agree, Unaligned},
		{"unaligned, unwritten", judge.Agree, Unaligned},
		{"aligned, inside i_size", judge.Slower, Needless},
		{"overwrite", judge.Differs, Needless},
		{"aligned, inside i_size", judge.Undecided, OtherClass}, // no disagreement was found
		{"lookup missing", judge.Differs, OtherClass},
		{"", judge.Undecided, OtherClass},
	} {
		r := row(1, export.Exclusive, c.reason)
		r.Verdict = export.Some(c.kind)
		if got := classify(&r, r.ReasonText()); got != c.want {
			t.Errorf("%q, %s: %s, want %s", c.reason, c.kind, got, c.want)
		}
	}
}

// Every write is counted once by file, once by process and once by reason, and the sums
// are those of export.Totals.
func TestSums(t *testing.T) {
	tl := New(false)
	var totals export.Totals
	rows := exporttest.Rows()
	for range 3 {
		for i := range rows {
			tl.Add(&rows[i])
			totals.Add(&rows[i])
		}
	}
	p := tl.Picture(time.Second)
	for name, groups := range map[string][]Group{"files": p.Files, "processes": p.Processes, "reasons": p.Reasons} {
		var sum export.Totals
		var by uint64
		for i := range groups {
			g := &groups[i]
			sum.Writes += g.Writes
			sum.Shared += g.Shared
			sum.Exclusive += g.Exclusive
			sum.NoDIO += g.NoDIO
			sum.NoLock += g.NoLock
			sum.Restarted += g.Restarted
			sum.Drained += g.Drained
			sum.WaitNs += g.WaitNs
			sum.Bytes += g.Bytes
			for k, n := range g.Verdicts {
				sum.Verdicts[k] += n
			}
			for _, n := range g.By {
				by += n
			}
		}
		got := []uint64{sum.Writes, sum.Shared, sum.Exclusive, sum.NoDIO, sum.NoLock, sum.Restarted, sum.Drained, sum.WaitNs, sum.Bytes, by}
		want := []uint64{totals.Writes, totals.Shared, totals.Exclusive, totals.NoDIO, totals.NoLock, totals.Restarted, totals.Drained, totals.WaitNs, totals.Bytes, totals.Exclusive}
		if !slices.Equal(got, want) || sum.Verdicts != totals.Verdicts {
			t.Errorf("%s: sums %v %v, totals %v %v", name, got, sum.Verdicts, want, totals.Verdicts)
		}
	}
	found := uint64(0)
	for _, f := range p.Findings {
		found += f.Writes
	}
	if found+p.MoreFindings != totals.Disagreements() {
		t.Errorf("%d disagreements are found, of %d", found, totals.Disagreements())
	}
}

// Whatever comes, the memory is bounded, and nothing is dropped.
func TestBounds(t *testing.T) {
	tl := New(false)
	const extra = 1000
	for i := range uint64(maxGroups + extra) {
		r := row(i, export.Exclusive, "extending")
		r.Pid = uint32(i) + 1
		r.Verdict, r.Rules = export.Some(judge.Unsafe), []string{fmt.Sprint("R", i)}
		tl.Add(&r)
	}
	p := tl.Picture(time.Second)
	for name, groups := range map[string][]Group{"files": p.Files, "processes": p.Processes} {
		last := groups[len(groups)-1]
		if len(groups) != maxGroups+1 || !last.Others || last.Writes != extra || last.By[Extending] != extra {
			t.Errorf("%s: %d groups, the last with %d writes", name, len(groups), last.Writes)
		}
	}
	if len(p.Findings) != maxFindings || p.MoreFindings != maxGroups+extra-maxFindings {
		t.Errorf("%d findings and %d more", len(p.Findings), p.MoreFindings)
	}
	if p.Findings[0].Number != 1 {
		t.Errorf("the first finding is write %d", p.Findings[0].Number)
	}
}

// Rates of a kernel are those of the last second, of a recording those of all.
func TestRates(t *testing.T) {
	for _, whole := range []bool{false, true} {
		tl := New(whole)
		r := row(1, export.Shared, "")
		add := func(n int) {
			for range n {
				tl.Add(&r)
			}
		}
		add(100)
		tl.Picture(time.Second)
		add(50)
		tl.Picture(1100 * time.Millisecond) // too soon for another rate of a kernel
		want := 50.0
		if whole {
			want = 75
		}
		if got := tl.Picture(2 * time.Second).Files[0].Rate; got != want {
			t.Errorf("recording %v: rate %g, want %g", whole, got, want)
		}
	}
}

// A kernel's series forgets what is old, that of a recording keeps every write.
func TestSeries(t *testing.T) {
	const seconds = 3000
	for _, whole := range []bool{false, true} {
		tl := New(whole)
		for i := range uint64(seconds) {
			r := row(1, export.Lock(i%3), "")
			r.TimeNs = 77e9 + i*1e9
			tl.Add(&r)
		}
		s := tl.Picture(time.Second).Series
		sum := uint64(0)
		for i := range s.Spans {
			sum += uint64(s.Spans[i].Shared + s.Spans[i].Exclusive + s.Spans[i].Other)
		}
		if len(s.Spans) > numSpans {
			t.Errorf("%d spans", len(s.Spans))
		}
		end := s.Start + uint64(len(s.Spans))*s.Width
		if last := uint64(77e9 + (seconds-1)*1e9); end <= last || end > last+s.Width {
			t.Errorf("recording %v: the series ends at %d, the last write was at %d", whole, end, last)
		}
		switch {
		case whole && sum != seconds:
			t.Errorf("a recording's series has %d of %d writes", sum, seconds)
		case !whole && (sum != numSpans || s.Width != uint64(time.Second)):
			t.Errorf("a kernel's series has %d writes in spans of %d ns", sum, s.Width)
		}
	}
	// A pause longer than what is kept, and a write that began before the first.
	tl := New(false)
	for _, at := range []uint64{5e9, 9e9, 5_000e9, 3e9} {
		r := row(1, export.Shared, "")
		r.TimeNs = at
		tl.Add(&r)
	}
	if s := tl.Picture(0).Series; s.Spans[len(s.Spans)-1].Shared != 1 {
		t.Errorf("after a pause: %v", s.Spans)
	}
}

// A picture shares nothing with what goes on being counted.
func TestPictureStays(t *testing.T) {
	tl := New(false)
	r := row(1, export.Exclusive, "extending")
	r.Verdict = export.Some(judge.Slower)
	tl.Add(&r)
	p := tl.Picture(time.Second)
	tl.Add(&r)
	if p.Files[0].Writes != 1 || p.Findings[0].Writes != 1 || p.Series.Spans[0].Exclusive != 1 {
		t.Error("a picture changes")
	}
}

func BenchmarkAdd(b *testing.B) {
	rows := exporttest.Rows()
	tl := New(false)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tl.Add(&rows[i%len(rows)])
	}
}

// BenchmarkPicture is what each tenth of a second costs with as many files as are kept.
func BenchmarkPicture(b *testing.B) {
	tl := New(false)
	for i := range uint64(maxGroups) {
		r := row(i, export.Exclusive, "extending")
		tl.Add(&r)
	}
	b.ReportAllocs()
	for b.Loop() {
		tl.Picture(time.Second)
	}
}
