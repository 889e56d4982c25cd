package coverage_test

import (
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// judged is a write of a recording with its verdict.
type judged struct {
	o *observe.Observation
	v *judge.Verdict
}

// writesOf are those of a recording of testdata.
func writesOf(t testing.TB, name string) (out []judged) {
	t.Helper()
	in, err := tracefile.OpenRecordings(filepath.Join("../../testdata/traces", name+".e4d"))
	if err != nil {
		t.Fatal(err)
	}
	defer in[0].Close()
	_, err = replay.Judge(t.Context(), in[0], "auto", func(*session.Kernel) session.Seen {
		return func(o *observe.Observation, v *judge.Verdict) { out = append(out, judged{o.Clone(), v.Clone()}) }
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// BenchmarkAdd is one write: of a shape that came before, and of one that did not.
func BenchmarkAdd(b *testing.B) {
	writes := writesOf(b, "linux-7.3")
	for _, c := range []struct {
		name string
		move int64
	}{{"known", 0}, {"new", 1}} {
		b.Run(c.name, func(b *testing.B) {
			var cov coverage.Coverage
			for i := range b.N {
				w := writes[i%len(writes)]
				w.o.Flags ^= uint32(c.move) * uint32(i/len(writes)) << 12 // bits that decide nothing
				cov.Add(w.o, w.v)
			}
		})
	}
	b.Run("ways", func(b *testing.B) { // without the list of conditions
		var cov coverage.Coverage
		for i := range b.N {
			w := writes[i%len(writes)]
			v := *w.v
			v.Seq = 1
			coverage.AddWays(&cov, w.o, &v)
		}
	})
}
