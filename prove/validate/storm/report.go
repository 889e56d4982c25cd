package storm

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Oracle is what judged.
type Oracle uint8

// The three oracles.
const (
	Observed   Oracle = iota // the model fed with what was observed
	Bytes                    // what is in the file
	Accounting               // what was made against what was seen
)

func (o Oracle) String() string {
	return [...]string{"observed", "bytes", "accounting"}[min(o, Accounting)]
}

// MarshalText writes the name.
func (o Oracle) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Tally counts what an oracle said: Observed of attempts, Accounting of writes, and
// Bytes of readings of a file.
type Tally = validate.Tally

// Failure is one way of being wrong in a storm, with the first write that showed it.
type Failure struct {
	Oracle Oracle   `json:"oracle"`
	Storm  string   `json:"storm"`
	Scene  string   `json:"scene"`
	Round  int      `json:"round"` // of the scene, from 1
	Writer int      `json:"writer,omitempty"`
	Write  string   `json:"write,omitempty"`
	What   []string `json:"what"`
	// Command repeats the storm with the same writes; in which order they come
	// together is up to the machine.
	Command string `json:"command"`
	// Count is how often it happened this way.
	Count int `json:"count"`
	// Seen is the attempt that was judged; its parts are nil where there is none.
	Seen validate.Seen `json:"-"`

	signature string
}

// Storm is what happened in one storm. The counts from Queued on are of attempts.
type Storm struct {
	Name string `json:"name"`
	// Skipped says why the storm, or one of its scenes, could not run here.
	Skipped []string `json:"skipped,omitempty"`
	Scenes  int      `json:"scenes"` // that ran
	Rounds  int      `json:"rounds"`
	Writes  int      `json:"writes"`   // made
	Seen    int      `json:"attempts"` // more than Writes by the retries of io_uring
	Wrong   int      `json:"wrong"`    // by all oracles

	Queued    int `json:"queued"`    // went on after their submission
	Waited    int `json:"waited"`    // for i_rwsem
	Restarted int `json:"restarted"` // checked more than once: upgrade + restart
	Drained   int `json:"drained"`   // waited in inode_dio_wait
	Zeroed    int `json:"zeroed"`    // zeroed a part of a block
	Fallbacks int `json:"fallbacks"` // went through the page cache
	Again     int `json:"again"`     // ended with -EAGAIN

	Seconds float64 `json:"seconds"` // it took
}

// Report is the outcome of a run.
type Report struct {
	Seed       uint64        `json:"seed"`
	Variant    model.Variant `json:"variant"`
	Storms     []Storm       `json:"storms"`
	Observed   Tally         `json:"observed"`
	Bytes      Tally         `json:"bytes"`
	Accounting Tally         `json:"accounting"`
	// LeftOut counts why verdicts are undecided.
	LeftOut map[string]int `json:"left_out,omitempty"`
	// Again counts where attempts ended with -EAGAIN.
	Again map[string]int `json:"again,omitempty"`
	// Hazards counts rules that were broken and that the variant does not promise.
	Hazards map[string]int `json:"hazards,omitempty"`
	// Overlaps counts what two writes did together to one block.
	Overlaps map[string]int `json:"overlaps,omitempty"`
	// Missing says which submission paths this kernel does not offer.
	Missing  map[workload.EngineName]string `json:"missing,omitempty"`
	Failures []Failure                      `json:"failures,omitempty"`
}

func newReport(o *Options) *Report {
	return &Report{
		Seed: o.Seed, Variant: o.Variant, LeftOut: map[string]int{}, Again: map[string]int{},
		Hazards: map[string]int{}, Overlaps: map[string]int{},
	}
}

// Writes is how many were made.
func (r *Report) Writes() int {
	n := 0
	for i := range r.Storms {
		n += r.Storms[i].Writes
	}
	return n
}

// add notes a failure; one that is like one before is counted only.
func (r *Report) add(f Failure) {
	for i := range r.Failures {
		old := &r.Failures[i]
		if old.Oracle == f.Oracle && old.Storm == f.Storm && old.signature == f.signature {
			old.Count++
			return
		}
	}
	f.Count = 1
	r.Failures = append(r.Failures, f)
}

// OK reports whether no oracle found anything wrong.
func (r *Report) OK() bool { return len(r.Failures) == 0 }

// WriteText writes each failure with its reproducer, a table of the storms, and the
// counts.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for i := range r.Failures {
		r.Failures[i].text(&b)
	}
	fmt.Fprintf(&b, "storms: %d writes by %d tasks at once, seed %d, variant %s\n", r.Writes(), Writers, r.Seed, r.Variant)
	r.table(&b)
	for _, t := range []struct {
		name  string
		tally Tally
	}{
		{"observed (model fed with what was observed)", r.Observed},
		{"bytes (files read back)", r.Bytes},
		{"accounting (made against seen)", r.Accounting},
	} {
		fmt.Fprintf(&b, "  %-44s %d right, %d wrong, %d undecided\n", t.name, t.tally.Right, t.tally.Wrong, t.tally.Undecided)
	}
	counts(&b, "observed, undecided", r.LeftOut)
	counts(&b, "-EAGAIN", r.Again)
	counts(&b, "broken, not promised by this variant", r.Hazards)
	counts(&b, "two writes in one block", r.Overlaps)
	for _, e := range slices.Sorted(maps.Keys(r.Missing)) {
		fmt.Fprintf(&b, "  no %s: %s\n", e, r.Missing[e])
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// table writes a line for each storm that ran, and why others did not.
func (r *Report) table(b *strings.Builder) {
	fmt.Fprintf(b, "  %-22s %7s %7s %7s %7s %8s %7s %7s %8s %7s %6s %8s\n",
		"", "writes", "seen", "queued", "waited", "restart", "drained", "zeroed", "fallback", "EAGAIN", "wrong", "seconds")
	for i := range r.Storms {
		s := &r.Storms[i]
		if s.Scenes > 0 {
			fmt.Fprintf(b, "  %-22s %7d %7d %7d %7d %8d %7d %7d %8d %7d %6d %8.1f\n", s.Name, s.Writes, s.Seen, s.Queued,
				s.Waited, s.Restarted, s.Drained, s.Zeroed, s.Fallbacks, s.Again, s.Wrong, s.Seconds)
		}
		for _, why := range s.Skipped {
			fmt.Fprintf(b, "  %-22s skipped: %s\n", s.Name, why)
		}
	}
}

func counts(b *strings.Builder, what string, n map[string]int) {
	for _, k := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(b, "  %s: %s: %d\n", what, k, n[k])
	}
}

func (f *Failure) text(b *strings.Builder) {
	fmt.Fprintf(b, "wrong: %s: storm %s, %s, round %d", f.Oracle, f.Storm, f.Scene, f.Round)
	if f.Write != "" {
		fmt.Fprintf(b, ", writer %d: %s", f.Writer, f.Write)
	}
	if f.Count > 1 {
		fmt.Fprintf(b, " (%d times this way)", f.Count)
	}
	b.WriteByte('\n')
	for _, w := range f.What {
		fmt.Fprintf(b, "        %s\n", w)
	}
	fmt.Fprintf(b, "        %s\n", f.Command)
}
