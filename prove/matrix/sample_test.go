package matrix

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// sampled: of what testdata/loss/loss.sh wrote under --sample 1/4 --seed 3 just the writes of
// the sample were seen, the others were counted, and every refused try has its repetition.
func (r *result) sampled(t *testing.T) {
	t.Helper()
	if got := r.status(t, "sample"); got != 0 {
		t.Fatalf("live --sample ended with %d:\n%s", got, r.read(t, "sample.err"))
	}
	var s struct {
		Seen, Lost, Requests, Retried uint64
		Sample                        struct {
			record.Sample
			Made uint64
		}
		LeftOut   map[string]uint64 `json:"left_out"`
		Abandoned uint64            `json:"refused_for_good"`
	}
	r.json(t, "sample.json", &s)
	if s.Sample.OneIn != 4 || s.Sample.Seed != 3 || s.Lost != 0 || s.Seen+s.LeftOut["sample"] != s.Sample.Made {
		t.Errorf("the counts do not fit: %+v", s)
	}
	if s.Sample.Made < 240 || s.Seen < s.Sample.Made/16 || s.Seen > s.Sample.Made/2 {
		t.Errorf("of %d writes %d were seen", s.Sample.Made, s.Seen)
	}
	if s.Retried == 0 || s.Abandoned != 0 {
		t.Errorf("%d refused tries were made again, and %d were not seen again", s.Retried, s.Abandoned)
	}
	type row struct{ Ino, Pos, Len uint64 }
	for _, w := range writes[row](t, r.read(t, "sample.lines")) {
		if !s.Sample.Takes(w.Ino, w.Pos, w.Len, false) {
			t.Errorf("inode %d, position %d, %d bytes is not in the sample", w.Ino, w.Pos, w.Len)
		}
	}
}
