package decode_test

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestSampled: of a sample nothing is said of two writes together, as what most of them did is
// not seen; each by itself is judged as ever.
func TestSampled(t *testing.T) {
	overlaps := func(sampled bool) (stats judge.Stats) {
		for _, block := range blocks(t, "overlaps") {
			j := judge.New(judge.Options{Variant: model.Linux73, Sampled: sampled})
			for _, s := range parseScripts(t, block) {
				for _, raw := range s.raw() {
					if err := j.Feed(raw); err != nil {
						t.Fatal(err)
					}
				}
			}
			j.Flush()
			one := j.Stats()
			stats.Writes += one.Writes
			stats.Overlaps.Zeroed += one.Overlaps.Zeroed + one.Overlaps.Unwaited + one.Overlaps.Fallback + one.Overlaps.EOFOverlaps
		}
		return stats
	}
	all, some := overlaps(false), overlaps(true)
	if all.Overlaps.Zeroed == 0 || some.Overlaps.Zeroed != 0 {
		t.Errorf("%d pairs of all writes, %d of a sample", all.Overlaps.Zeroed, some.Overlaps.Zeroed)
	}
	if all.Writes == 0 || some.Writes != all.Writes {
		t.Errorf("%d writes of all, %d of a sample", all.Writes, some.Writes)
	}
}
