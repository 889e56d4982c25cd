package expect

import (
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// TestSampled: by a sample nothing is proven, and broken is only what more writes could not
// mend: too many of a kind, one that took too long. A share or too few may be by chance.
func TestSampled(t *testing.T) {
	s := export.Summary{Sample: record.Sample{OneIn: 4}, Elapsed: time.Second}
	for text, want := range map[string]State{
		"exclusive=0":     Broken, // 10 of 100 are
		"exclusive<=5":    Broken,
		"exclusive<50%":   Unproven,
		"exclusive<1%":    Unproven, // broken, if these were all
		"exclusive=20":    Unproven,
		"undecided=0":     Unproven,
		"writes>=1000":    Unproven,
		"max(wait)<10us":  Broken,
		"p99(wait)<10us":  Unproven,
		"rate>=1000/s":    Unproven,
		"rate<=50/s":      Broken,
		"mean(wait)<10us": Unproven,
	} {
		policies, err := Parse("", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		w := NewWatch(policies)
		for _, r := range hundred(10, exclusive) {
			w.Add(r)
		}
		got := w.Results(WholeOf(&s, ""))
		if len(got) != 1 || got[0].State != want {
			t.Errorf("%s: %+v, want %s", text, got[0].State, want)
		}
		if want == Unproven && (got[0].Why == nil || *got[0].Why != "only a sample of the writes was seen") {
			t.Errorf("%s: it does not say that it is a sample: %v", text, got[0].Why)
		}
	}
}
