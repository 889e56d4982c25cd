package random

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Oracle is what judged.
type Oracle uint8

// The three oracles.
const (
	Observed Oracle = iota // the model fed with what was observed
	Known                  // the model fed with the known layout
	Bytes                  // the shadow of the file
)

func (o Oracle) String() string { return [...]string{"observed", "known", "bytes"}[min(o, Bytes)] }

// MarshalText writes the name.
func (o Oracle) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Tally counts what an oracle said: of attempts at writes, for Bytes of files.
type Tally = validate.Tally

// Failure is one way of being wrong, with the smallest case that shows it.
type Failure struct {
	Oracle   Oracle   `json:"oracle"`
	Seed     uint64   `json:"seed"`
	Case     int      `json:"case"`
	Step     int      `json:"step,omitempty"` // of the write, from 1
	Write    string   `json:"write,omitempty"`
	What     []string `json:"what"`
	Layout   string   `json:"layout,omitempty"`       // before the write, by FIEMAP
	After    string   `json:"layout_after,omitempty"` // after it, when it wrote anything
	ISize    int64    `json:"i_size"`                 // before the write; bytes oracle: at the end
	Steps    []string `json:"steps"`
	Commands string   `json:"commands"`
	Shrunk   bool     `json:"shrunk"`
	// Count is how often it happened this way.
	Count int `json:"count"`
	// Seen is the attempt that was judged; its parts are nil for Bytes.
	Seen validate.Seen `json:"-"`

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
	Observed Tally         `json:"observed"`
	Known    Tally         `json:"known"`
	Bytes    Tally         `json:"bytes"`
	// Ends counts where the attempts ended, in the words of a decision.
	Ends map[string]int `json:"ends"`
	// Remounted is the bytes oracle of Verify.
	Remounted Tally                       `json:"remounted"`
	Engines   map[workload.EngineName]int `json:"engines"`
	// Skipped says which submission paths this kernel does not offer.
	Skipped map[workload.EngineName]string `json:"skipped,omitempty"`
	// LeftOut counts why the known oracle had no opinion.
	LeftOut  map[string]int `json:"left_out,omitempty"`
	Failures []Failure      `json:"failures,omitempty"`
	Shrunk   int            `json:"shrunk"` // of the failures

	kept shadow.Kept
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

// OK reports whether no oracle found anything wrong.
func (r *Report) OK() bool { return len(r.Failures) == 0 }

// Verify compares the files that Run kept with their shadows once more, after the
// caller has mounted the file system again, and removes them. Differences go to
// the report. dir is Options.Dir.
func (r *Report) Verify(ctx context.Context, dir string) error {
	for _, name := range r.kept.Names() {
		if err := ctx.Err(); err != nil {
			return err
		}
		why := r.kept.Differs(filepath.Join(dir, DirName), name)
		if why == "" {
			r.Remounted.Right++
			continue
		}
		r.Remounted.Wrong++
		number := 0
		_, _ = fmt.Sscanf(name, workload.FileName(fileNames), &number) // as it was named
		f := Failure{Oracle: Bytes, Seed: r.Seed, Case: number, What: []string{"after mounting again: " + why}, Count: 1, signature: "remounted"}
		if !r.known(&f) {
			r.Failures = append(r.Failures, f)
		}
	}
	d, err := workload.OpenDir(dir, DirName)
	if err != nil {
		return err
	}
	return d.Close(false)
}

// WriteText writes the counts, and each failure with its reproducer.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for i := range r.Failures {
		r.Failures[i].text(&b)
	}
	fmt.Fprintf(&b, "generated: %d writes, %d files, seed %d, variant %s\n", r.Writes, r.Cases, r.Seed, r.Variant)
	for _, t := range []struct {
		name  string
		tally Tally
	}{
		{"observed (model fed with what was observed)", r.Observed},
		{"known (model fed with the known layout)", r.Known},
		{"bytes (files against their shadows)", r.Bytes},
		{"bytes, mounted again", r.Remounted},
	} {
		if t.tally == (Tally{}) {
			continue
		}
		fmt.Fprintf(&b, "  %-44s %d right, %d wrong, %d undecided\n", t.name, t.tally.Right, t.tally.Wrong, t.tally.Undecided)
	}
	if len(r.Ends) > 0 {
		var ends []string
		for _, e := range slices.Sorted(maps.Keys(r.Ends)) {
			ends = append(ends, fmt.Sprintf("%s %d", e, r.Ends[e]))
		}
		fmt.Fprintf(&b, "  ends: %s\n", strings.Join(ends, ", "))
	}
	for _, why := range slices.Sorted(maps.Keys(r.LeftOut)) {
		fmt.Fprintf(&b, "  known, left out: %s: %d\n", why, r.LeftOut[why])
	}
	for _, e := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(&b, "  no %s: %s\n", e, r.Skipped[e])
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return errors.Join(errors.New("write report"), err)
	}
	return nil
}

// Blocks says what FIEMAP showed before and after the write.
func (f *Failure) Blocks() string {
	s := fmt.Sprintf("blocks before: %s; i_size %d", f.Layout, f.ISize)
	if f.After != "" {
		s += "; blocks after: " + f.After
	}
	return s
}

func (f *Failure) text(b *strings.Builder) {
	fmt.Fprintf(b, "wrong: %s: seed %d, case %d", f.Oracle, f.Seed, f.Case)
	if f.Write != "" {
		fmt.Fprintf(b, ", step %d: %s", f.Step, f.Write)
	}
	if f.Count > 1 {
		fmt.Fprintf(b, " (%d times this way)", f.Count)
	}
	b.WriteByte('\n')
	for _, w := range f.What {
		fmt.Fprintf(b, "        %s\n", w)
	}
	if f.Layout != "" {
		fmt.Fprintf(b, "        %s\n", f.Blocks())
	}
	if !f.Shrunk && f.Commands != "" {
		fmt.Fprintf(b, "        # --seed %d --case %d, not shrunk\n", f.Seed, f.Case)
		return
	}
	for line := range strings.Lines(f.Commands) {
		b.WriteString("        " + line)
	}
}
