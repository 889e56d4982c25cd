package validate

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode"
	"github.com/ext4dio/ext4dio-trace/workload"
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
	Theme    string   `json:"theme"`
	Scenario string   `json:"scenario"`
	Covers   []string `json:"covers"`
	Line     int      `json:"line"`  // of the scenario text
	Write    string   `json:"write"` // that line
	Status   Status   `json:"status"`
	Reason   string   `json:"reason,omitempty"` // why failed or skipped, beside Diffs
	Diffs    []Diff   `json:"diffs,omitempty"`
	// Verdict is what the model says, empty when there is none.
	Verdict string `json:"verdict,omitempty"`
	// Seen is what was seen of the write: the last one is what was compared; those
	// before it are attempts of io_uring.
	Seen []Seen `json:"-"`
}

// Report is the outcome of a run.
type Report struct {
	Config  string   `json:"config,omitempty"` // of the file system; empty for a directory of the user's
	Variant string   `json:"variant"`
	Results []Result `json:"results"`
	Passed  int      `json:"passed"`
	Failed  int      `json:"failed"`
	Skipped int      `json:"skipped"`
	// Undecided counts the passed writes on which the model had no opinion.
	Undecided int `json:"undecided"`
	// NotPossible says why the configuration cannot be tested here.
	NotPossible string `json:"not_possible,omitempty"`
	// Fsck is what e2fsck found wrong after the run, empty when nothing.
	Fsck string `json:"fsck,omitempty"`
}

func (r *Report) add(res Result) {
	r.Results = append(r.Results, res)
	switch res.Status {
	case Passed:
		r.Passed++
		if res.Verdict == decode.Undecided.String() {
			r.Undecided++
		}
	case Failed:
		r.Failed++
	default:
		r.Skipped++
	}
}

// judge compares the last thing seen with the expectation, and looks at the
// model's verdict on each: unless the scenario says otherwise it may not disagree.
func judge(want Fields, seen []Seen, out workload.Result) Result {
	res := Result{Status: Passed, Seen: seen}
	o := seen[len(seen)-1].Observation
	var reasons []string
	fail := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	if o.Incomplete != "" {
		fail("the record is incomplete: %s", o.Incomplete)
	}
	if o.Truncated {
		fail("steps did not fit into the record")
	}
	if o.Ret != out.Ret() {
		fail("the caller got %s, but %s was seen", result(out.Ret()), result(o.Ret))
	}
	if len(want) == 0 {
		fail("nothing is written down for this variant")
	}
	res.Diffs = Compare(want, o)
	for i, s := range seen {
		if s.Verdict == nil {
			continue
		}
		res.Verdict = s.Verdict.Kind.String()
		allowed := []string{decode.Agree.String(), decode.Undecided.String()}
		if v := want[verdictField]; v != nil && i == len(seen)-1 {
			allowed = v
		}
		if !slices.Contains(allowed, res.Verdict) {
			fail("the model's verdict is %s: %s", res.Verdict, strings.Join(s.Verdict.Why, "; "))
		}
	}
	res.Reason = strings.Join(reasons, "; ")
	if len(reasons) > 0 || len(res.Diffs) > 0 {
		res.Status = Failed
	}
	return res
}

// Summary is one line: "61 passed, 0 failed, 2 skipped".
func (r *Report) Summary() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", r.Passed, r.Failed, r.Skipped)
}

// WriteText writes one line for each write that did not pass (for every write
// when all is set), with its differences below it, and the summary.
func (r *Report) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	for i := range r.Results {
		if all || r.Results[i].Status != Passed {
			r.Results[i].text(&b)
		}
	}
	fmt.Fprintf(&b, "%s (variant %s", r.Summary(), r.Variant)
	if r.Undecided > 0 {
		fmt.Fprintf(&b, ", model undecided on %d", r.Undecided)
	}
	b.WriteString(")\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (res *Result) text(b *strings.Builder) {
	fmt.Fprintf(b, "%-7s %s:%d %s: %s", res.Status, res.Theme, res.Line, res.Scenario, res.Write)
	if res.Verdict != "" && res.Verdict != decode.Agree.String() {
		fmt.Fprintf(b, " [model: %s]", res.Verdict)
	}
	b.WriteByte('\n')
	if res.Reason != "" {
		fmt.Fprintf(b, "        %s\n", res.Reason)
	}
	for _, d := range res.Diffs {
		fmt.Fprintf(b, "        %s: expected %s, observed %s\n", d.Field, d.Expected, d.Observed)
	}
}
