package tracefile

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// sample makes records as a mixed workload gives them.
func sample(n int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var out [][]byte
	t := uint64(1e12)
	seq := [2]uint64{}
	for i := range n {
		t += rnd.Uint64N(40000)
		cpu := rnd.IntN(2)
		w := record.Write{
			Stages: 0x8c33, T0: t, Latency: 20000 + rnd.Uint64N(1<<18), ID: uint64(cpu)<<48 | seq[cpu],
			Ino: 12 + rnd.Uint64N(4), Pos0: uint64(i) * 8192, ISize0: 32 << 20, Tgid: 700, Tid: 700 + uint32(rnd.IntN(4)),
			Dev: 8 << 20, KiFlags: 1 << 17, Len0: 8192, Ret: 8192, DioUs: 5 + uint32(rnd.IntN(5)), Passes: 1, Blkbits: 12,
			Caller: 1, IterType: 0, Lock: 1, DioOps: 1, Fmod: 2,
		}
		copy(w.Comm[:], "fio")
		seq[cpu]++
		w.NSteps = 2
		w.Steps[0] = record.Step{Kind: record.StepPass, Lock: 1, Aux: 15, TUs: 3, A: w.Pos0, B: w.ISize0, C: w.Len0}
		w.Steps[1] = record.Step{Kind: record.StepMap, TUs: 8, A: w.Pos0, B: 8192, C: 2}
		if i%7 == 0 {
			w.Len0, w.Ret = 512, -11
			w.Steps[2] = record.Step{Kind: record.StepZero, Lock: 2, TUs: 9, A: w.Pos0, B: 512, C: 1}
			w.NSteps = 3
		}
		out = append(out, w.Append(nil))
		if i%5 == 0 {
			c := record.Complete{ID: w.ID, T: t + 100000, Ret: 8192}
			out = append(out, c.Append(nil))
		}
	}
	return out
}

func written(t testing.TB, recs [][]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{Release: "7.3"})
	if err != nil {
		t.Fatal(err)
	}
	var l record.Losses
	for _, r := range recs {
		if err := w.Append(r, &l); err != nil {
			t.Fatal(err)
		}
	}
	l.LostRing = 7
	if err := w.Close(&l); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// What is read is what was written, in its order.
func TestRoundTrip(t *testing.T) {
	recs := sample(10000)
	later := []byte{9, 0, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8} // a kind of a later version
	file := written(t, append(recs[:len(recs):len(recs)], later))
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range recs {
		got, err := r.Next()
		if err != nil {
			t.Fatalf("record %d: %v (%v)", i, err, r.Missing())
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("record %d:\n%x\nwant\n%x", i, got, want)
		}
	}
	if _, err := r.Next(); !errors.Is(err, record.ErrEnd) || r.Missing() != nil {
		t.Errorf("at the end: %v, %v", err, r.Missing())
	}
	if r.Unknown() != 1 {
		t.Errorf("%d unknown records", r.Unknown())
	}
	if l, _ := r.Losses(); l.LostRing != 7 {
		t.Errorf("losses: %+v", l)
	}
	t.Logf("%.1f bytes a record", float64(len(file))/float64(len(recs)))
}

func BenchmarkWrite(b *testing.B) {
	recs := sample(10000)
	var n, size int
	var l record.Losses
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, r := range recs {
			if err := w.Append(r, &l); err != nil {
				b.Fatal(err)
			}
		}
		n += len(recs)
		size += buf.Len()
		buf.Reset()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
	b.ReportMetric(float64(size)/float64(n), "bytes/record")
}

func BenchmarkRead(b *testing.B) {
	recs := sample(100000)
	file := written(b, recs)
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		r.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(recs)), "ns/record")
}
