package outcome

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// What a run did not take is named, and where the way of wrong writes parts; coverage reads both files that -o
// keeps of it.
func TestCoverage(t *testing.T) {
	o := bad()
	r := coverage.None(model.Linux73)
	for i := range r.Points {
		if p := &r.Points[i]; p.State == coverage.Missing && p.Condition == "the partial block at the tail is written" {
			p.Parted = 7
		}
	}
	r.Disagree = 7
	o.Coverage = []coverage.Report{r}
	o.Conclude()
	var b strings.Builder
	if err := o.WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"coverage: 0 of 61 ways that a direct write can go (0 %), by 0 writes that agree\n  not taken: ext4_dio_write_iter: its end is beyond i_size, before any lock: yes\n",
		"\n  and 56 more: -o DIR keeps coverage.json, which coverage --html shows\n",
		"\n  7 writes part from the model at ext4_dio_needs_zeroing: the partial block at the tail is written\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in:\n%s", want, b.String())
		}
	}
	dir := t.TempDir()
	if err := o.Save(dir, false); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"coverage.json", "report.json"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var c coverage.Coverage
		err = c.Load(f, "coverage.json")
		f.Close()
		if all := c.Reports(); err != nil || len(all) != 1 || all[0].Reachable != 61 || len(all[0].Parted()) != 1 {
			t.Errorf("%s: %d reports: %v", name, len(all), err)
		}
	}
}
