package validate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Status is what became of a judged write.
type Status string

// What can become of a judged write.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Result is what became of one judged write.
type Result struct {
	Theme    string       `json:"theme"`
	Scenario string       `json:"scenario"`
	Covers   []string     `json:"covers"`
	Line     int          `json:"line"`  // of the scenario text
	Write    string       `json:"write"` // that line
	Status   Status       `json:"status"`
	Reason   string       `json:"reason,omitempty"` // why failed or skipped, beside Diffs
	Diffs    []trial.Diff `json:"diffs,omitempty"`
	// Verdict is what the model says, empty when there is none.
	Verdict string `json:"verdict,omitempty"`
	// Seen is what was seen of the write: the last one is what was compared; those
	// before it are attempts of io_uring.
	Seen []trial.Seen `json:"-"`

	expect map[string]Fields // by variant
	out    workload.Result   // what the caller got
}

// Counts counts what became of judged writes.
type Counts struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
}

// Add counts one write.
func (c *Counts) Add(s Status) {
	switch s {
	case Passed:
		c.Passed++
	case Failed:
		c.Failed++
	case Skipped:
		c.Skipped++
	}
}

// Report is the outcome of a run.
type Report struct {
	Variant model.Variant `json:"variant"`
	Results []Result      `json:"results"`
	Counts
	// Elsewhere counts the writes of scenarios for blocks of another size.
	Elsewhere int `json:"elsewhere"`
	// Undecided counts the passed writes on which the model had no opinion.
	Undecided int `json:"undecided"`
	// Files counts the files that held the bytes that they had to hold; Remounted
	// those that did so again after mounting.
	Files      int         `json:"files"`
	Remounted  int         `json:"files_remounted,omitempty"`
	WrongFiles []WrongFile `json:"wrong_files,omitempty"`
	// NoExpectations says that nothing is written down for the variant: the writes were
	// compared with the model only.
	NoExpectations bool `json:"no_expectations,omitempty"`

	kept shadow.Kept[WrongFile]
}

// WrongFile is the file of a scenario that holds other bytes than it has to.
type WrongFile struct {
	Theme    string   `json:"theme"`
	Scenario string   `json:"scenario"`
	Line     int      `json:"line"`
	Why      []string `json:"why"`
}

// Verify compares the files that a Runner kept with what they have to hold once
// more, after the caller has mounted the file system again, and removes them. dir is
// what the Runner was given.
func (r *Report) Verify(ctx context.Context, dir string) error {
	return trial.Verify(ctx, dir, DirName, &r.kept, func(w WrongFile, why string) {
		if why == "" {
			r.Remounted++
			return
		}
		w.Why = []string{"after mounting again: " + why}
		r.WrongFiles = append(r.WrongFiles, w)
	})
}

// file notes how the file of a scenario compares.
func (r *Report) file(sc *Scenario, held *shadow.File, why []string, keep bool) {
	w := WrongFile{Theme: sc.Theme, Scenario: sc.Name, Line: sc.Line, Why: why}
	if len(why) > 0 {
		r.WrongFiles = append(r.WrongFiles, w)
		return
	}
	r.Files++
	// A byte that may be one or the other cannot be compared once more.
	if !keep || held.Unsure() {
		return
	}
	r.kept.Keep(workload.FileName(sc.Name), w, held.Bytes)
}

func (r *Report) add(res Result) {
	r.Results = append(r.Results, res)
	r.count(&res)
}

func (r *Report) count(res *Result) {
	r.Counts.Add(res.Status)
	if res.Status == Passed && res.Verdict == judge.Undecided.String() {
		r.Undecided++
	}
}

// Judge judges every write again under v, on a kernel on which the probes of some
// stages are not attached.
func (r *Report) Judge(v model.Variant, unprobed record.Stages) {
	r.Variant, r.NoExpectations = v, v.Written() == 0
	r.Counts, r.Undecided = Counts{}, 0
	for i := range r.Results {
		r.Results[i].judge(v, unprobed)
		r.count(&r.Results[i])
	}
}

// judge compares the last thing seen with what is written down for v, and asks the
// model about each: unless the scenario says otherwise it may not disagree. What
// was not seen at all stays as it is.
func (res *Result) judge(v model.Variant, unprobed record.Stages) {
	if res.expect == nil {
		return
	}
	res.Status, res.Reason, res.Diffs = Passed, "", nil
	o := res.Seen[len(res.Seen)-1].Observation
	var reasons []string
	fail := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	if o.Incomplete != "" {
		fail("the record is incomplete: %s", o.Incomplete)
	}
	if o.Truncated {
		fail("steps did not fit into the record")
	}
	if o.Ret != res.out.Ret() {
		fail("the caller got %s, but %s was seen", result(res.out.Ret()), result(o.Ret))
	}
	want := Fields{}
	if written := v.Written(); written != 0 {
		if want = res.expect[written.String()]; len(want) == 0 {
			fail("nothing is written down for this variant")
		}
	}
	res.Diffs = Compare(want, o)
	for i := range res.Seen {
		s := &res.Seen[i]
		if s.Verdict == nil || s.Verdict.Variant != v {
			s.Verdict = judge.CompareSeen(s.Observation, v, unprobed)
		}
		res.Verdict = s.Verdict.Kind.String()
		allowed := []string{judge.Agree.String(), judge.Undecided.String()}
		if alts := want[verdictField]; alts != nil && i == len(res.Seen)-1 {
			allowed = alts
		}
		if !slices.Contains(allowed, res.Verdict) {
			fail("the model's verdict is %s: %s", res.Verdict, strings.Join(s.Verdict.Why(), "; "))
		}
	}
	res.Reason = strings.Join(reasons, "; ")
	if len(reasons) > 0 || len(res.Diffs) > 0 {
		res.Status = Failed
	}
}

// Patches lists the patches of the series that the scenario is about: it covers what
// docs/kernel.md#the-series says of them, as patch-N.
func (res *Result) Patches() []int {
	var out []int
	for _, c := range res.Covers {
		text, ok := strings.CutPrefix(c, "patch-")
		if n, err := strconv.Atoi(text); ok && err == nil && n >= 1 && n <= model.Patches {
			out = append(out, n)
		}
	}
	return out
}

// Summary is one line: "61 passed, 0 failed, 2 skipped".
func (c Counts) Summary() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.Passed, c.Failed, c.Skipped)
}

// AppendText writes a line for the write, and what is wrong with it below.
func (res *Result) AppendText(b *strings.Builder) {
	fmt.Fprintf(b, "%-7s %s:%d %s: %s", res.Status, res.Theme, res.Line, res.Scenario, res.Write)
	if res.Verdict != "" && res.Verdict != judge.Agree.String() {
		fmt.Fprintf(b, " [model: %s]", res.Verdict)
	}
	b.WriteByte('\n')
	if res.Reason != "" {
		fmt.Fprintf(b, "        %s\n", res.Reason)
	}
	for _, d := range res.Diffs {
		fmt.Fprintf(b, "        %s\n", d)
	}
}
