package random

import (
	"context"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Failure is one way of being wrong, with the smallest case that shows it.
type Failure struct {
	Oracle   trial.Oracle `json:"oracle"`
	Seed     uint64       `json:"seed"`
	Case     int          `json:"case"`
	Step     int          `json:"step,omitempty"` // of the write, from 1
	Write    string       `json:"write,omitempty"`
	What     []string     `json:"what"`
	Layout   string       `json:"layout,omitempty"`       // before the write, by FIEMAP
	After    string       `json:"layout_after,omitempty"` // after it, when it wrote anything
	ISize    int64        `json:"i_size"`                 // before the write; bytes oracle: at the end
	Steps    []string     `json:"steps"`
	Commands string       `json:"commands"`
	Shrunk   bool         `json:"shrunk"`
	// Count is how often it happened this way.
	Count int `json:"count"`
	// Seen is the attempt that was judged; its parts are nil for Bytes.
	Seen trial.Seen `json:"-"`

	signature string
	late      bool // not seen in time; to shrink it would take too long
}

// Report is the outcome of a run.
type Report struct {
	Seed     uint64        `json:"seed"`
	Variant  model.Variant `json:"variant"`
	Cases    int           `json:"cases"`
	Writes   int           `json:"writes"`
	Attempts int           `json:"attempts"` // seen; more than Writes by the retries of io_uring
	Observed trial.Tally   `json:"observed"`
	Known    trial.Tally   `json:"known"`
	Bytes    trial.Tally   `json:"bytes"`
	// Ends counts where the attempts ended, in the words of a decision.
	Ends map[string]int `json:"ends"`
	// Remounted is the bytes oracle of Verify.
	Remounted trial.Tally                 `json:"remounted"`
	Engines   map[workload.EngineName]int `json:"engines"`
	// Skipped says which submission paths this kernel does not offer.
	Skipped map[workload.EngineName]string `json:"skipped,omitempty"`
	// LeftOut counts why the known oracle had no opinion.
	LeftOut  map[string]int `json:"left_out,omitempty"`
	Failures []Failure      `json:"failures,omitempty"`
	Shrunk   int            `json:"shrunk"` // of the failures

	kept shadow.Kept[int] // files by the numbers of their cases
}

func newReport(o *Options) *Report {
	return &Report{
		Seed: o.Seed, Variant: o.Variant, Engines: map[workload.EngineName]int{},
		Skipped: map[workload.EngineName]string{}, LeftOut: map[string]int{}, Ends: map[string]int{},
	}
}

// known counts a failure that is like one before.
func (r *Report) known(f *Failure) bool {
	for i := range r.Failures {
		if r.Failures[i].signature == f.signature {
			r.Failures[i].Count++
			return true
		}
	}
	return false
}

// Verify compares the files that Run kept with their shadows once more, after the
// caller has mounted the file system again, and removes them. Differences go to
// the report. dir is Options.Dir.
func (r *Report) Verify(ctx context.Context, dir string) error {
	return trial.Verify(ctx, dir, DirName, &r.kept, func(number int, why string) {
		if why == "" {
			r.Remounted.Right++
			return
		}
		r.Remounted.Wrong++
		f := Failure{Oracle: trial.Bytes, Seed: r.Seed, Case: number, What: []string{"after mounting again: " + why}, Count: 1, signature: "remounted"}
		if !r.known(&f) {
			r.Failures = append(r.Failures, f)
		}
	})
}

// Blocks says what FIEMAP showed before and after the write.
func (f *Failure) Blocks() string {
	s := fmt.Sprintf("blocks before: %s; i_size %d", f.Layout, f.ISize)
	if f.After != "" {
		s += "; blocks after: " + f.After
	}
	return s
}
