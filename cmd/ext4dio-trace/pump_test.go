package main

import (
	"io"
	"testing"

	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
)

// replaySource hands out the same raw records over and over, n in all.
type replaySource struct {
	raws [][]byte
	n    int
	next int
}

func (s *replaySource) Next() ([]byte, error) {
	if s.next == s.n {
		return nil, record.ErrEnd
	}
	raw := s.raws[s.next%len(s.raws)]
	s.next++
	return raw, nil
}

func (s *replaySource) Losses() (record.Losses, error) { return record.Losses{}, nil }

func (s *replaySource) Stop() error { return nil }

// sharedWrites are n writes of a kernel 7.3 to one file, each at another place.
func sharedWrites(n int) [][]byte {
	var out [][]byte
	for i := range n {
		w := sharedWrite(uint64(i))
		at := uint64(i) * 4096
		w.Pos0, w.ISize0 = at, 1<<40
		w.Steps[0].A, w.Steps[0].B, w.Steps[1].A = at, 1<<40, at
		out = append(out, w.Append(nil))
	}
	return out
}

// BenchmarkPipeline is the price of one write from the ring buffer to the output:
// pump, judge, totals and a line. With GOMAXPROCS=1 it is that of one core.
func BenchmarkPipeline(b *testing.B) {
	raws := sharedWrites(4096)
	for name, o := range map[string]*liveOptions{
		"json":    {json: true, variant: "auto"},
		"text":    {variant: "auto"},
		"verdict": {variant: "auto", only: []string{"unsafe"}},
	} {
		b.Run(name, func(b *testing.B) {
			tr, err := newTrace(&probes.Facts{}, &probes.Plan{}, nil, o)
			if err != nil {
				b.Fatal(err)
			}
			defer tr.close()
			tr.sink = newLineSink(io.Discard, o.json, false)
			tr.resolver.Learn(8<<20, 14, "/mnt/file")
			b.ReportAllocs()
			p := newPump(&replaySource{raws: raws, n: b.N})
			b.ResetTimer()
			go p.run()
			if err := tr.consume(p); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			if got := tr.summary.Totals.Writes; got != uint64(b.N) {
				b.Errorf("%d writes of %d", got, b.N)
			}
		})
	}
}
