package bench

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/table"
)

// Report is the result of one test.
type Report struct {
	Test         string    `json:"test"`
	Tool         string    `json:"tool"`
	Kernel       string    `json:"kernel"`
	Dir          string    `json:"dir"`            // or the disk that was given up
	CPUs         int       `json:"cpus"`           // that this process may use; 0 when not known
	BlockSize    int       `json:"block_size"`     // bytes, of the file system
	ForNs        int64     `json:"for_ns"`         // limit of a step, 0 when limited by writes
	WritesPerJob int       `json:"writes_per_job"` // 0 when limited by time
	Started      time.Time `json:"started"`
	Steps        []Step    `json:"steps"`
	// CutShort is what the step saw that an error ended, if one did. It is no measurement.
	CutShort *Step `json:"cut_short,omitempty"`
}

// All are the steps with the one that did not come to its end.
func (r *Report) All() []Step {
	if r.CutShort == nil {
		return r.Steps
	}
	return append(slices.Clip(r.Steps), *r.CutShort)
}

// Step is one line of a table.
type Step struct {
	Jobs int `json:"jobs"`
	Measure
	Traced *Traced `json:"traced,omitempty"` // nil when the tracer was not on
}

// Measure is what the writers saw.
type Measure struct {
	Writes       int64   `json:"writes"`
	WallNs       int64   `json:"wall_ns"` // from the first start to the last end
	CPUNs        int64   `json:"cpu_ns"`  // CPU time of the writers, all together; 0 when not known
	IOPS         float64 `json:"iops"`    // Writes a second of WallNs
	Rounds       int     `json:"rounds"`  // how often the file was built
	CheckedBytes int64   `json:"checked_bytes"`
	WrongBytes   int64   `json:"wrong_bytes"`
	FirstWrong   string  `json:"first_wrong,omitempty"`
}

// Traced is a step that was run once more with the tracer on.
type Traced struct {
	Measure
	Locks
}

// Locks is what the tracer saw of the writes of a step.
type Locks struct {
	Seen       uint64 `json:"seen"`
	Shared     uint64 `json:"shared"`
	Exclusive  uint64 `json:"exclusive"`
	WaitNs     uint64 `json:"wait_ns"` // queued for i_rwsem, all writes together
	Lost       uint64 `json:"lost"`
	Incomplete uint64 `json:"incomplete"`
	Disagree   uint64 `json:"disagree"` // verdicts slower, unsafe and differs
	Unproven   bool   `json:"unproven"` // something is missing of what was to be seen
	Losses     string `json:"losses"`   // by cause
}

// account compares what was seen with the writes that were made: the tracer's own
// counts cannot tell of what a wrong filter kept from it.
func (l *Locks) account(writes int64) {
	if l.Seen == uint64(writes) {
		return
	}
	if l.Seen+l.Lost != uint64(writes) {
		l.Losses = fmt.Sprintf("%d writes made, %d seen, %s", writes, l.Seen, l.Losses)
		l.Lost = uint64(max(0, writes-int64(l.Seen)))
	}
	l.Unproven = true
}

// ExclusiveShare is the part of the writes with a known mode that held i_rwsem
// exclusive, 0 to 1. It is false when no mode is known.
func (l *Locks) ExclusiveShare() (float64, bool) {
	if l.Shared+l.Exclusive == 0 {
		return 0, false
	}
	return float64(l.Exclusive) / float64(l.Shared+l.Exclusive), true
}

// Wait is the time that a write waited for i_rwsem, on average. It is false when
// none was seen.
func (l *Locks) Wait() (time.Duration, bool) {
	if l.Seen == 0 {
		return 0, false
	}
	return time.Duration(l.WaitNs / l.Seen), true
}

// measures lists what was measured in a step.
func (s *Step) measures() []*Measure {
	out := []*Measure{&s.Measure}
	if s.Traced != nil {
		out = append(out, &s.Traced.Measure)
	}
	return out
}

// read is what was read back of some measures: how many bytes, how many of them were
// not what was written, and the first of those.
func read(steps []Step) (checked, wrong int64, first string) {
	for i := range steps {
		for _, m := range steps[i].measures() {
			first = cmp.Or(first, m.FirstWrong)
			checked, wrong = checked+m.CheckedBytes, wrong+m.WrongBytes
		}
	}
	return checked, wrong, first
}

// Wrong is the number of bytes that were not what was written, and the first.
func (r *Report) Wrong() (n int64, first string) {
	_, n, first = read(r.All())
	return n, first
}

// traced reports whether any step was run with the tracer on.
func (r *Report) traced() bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Traced != nil })
}

// step finds the step of so many jobs; nil when there is none.
func (r *Report) step(jobs int) *Step {
	if r == nil {
		return nil
	}
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Jobs == jobs })
	if i < 0 {
		return nil
	}
	return &r.Steps[i]
}

// MostGain is the most by which more writers can be faster than one here, by the CPU
// time of the one: CPUs busy all the time against a writer that waited for the disk.
// Where that is little, it does not matter how i_rwsem is held. It is false when
// no step with one writer tells.
func (r *Report) MostGain() (float64, bool) {
	s := r.step(1)
	if s == nil || s.CPUNs <= 0 || r.CPUs <= 0 {
		return 0, false
	}
	return float64(r.CPUs) * float64(s.WallNs) / float64(s.CPUNs), true
}

// conditions says in words what has to be the same for numbers to be compared.
func (r *Report) conditions() string {
	text := fmt.Sprintf("%s, blocks of %d bytes", r.limit(), r.BlockSize)
	if r.CPUs > 0 {
		text += fmt.Sprintf(", %d CPUs", r.CPUs)
	}
	return text
}

// limit says in words how a step was limited.
func (r *Report) limit() string {
	if r.WritesPerJob > 0 {
		return fmt.Sprintf("%s writes of each job", grouped(float64(r.WritesPerJob)))
	}
	return fmt.Sprintf("%s a step", time.Duration(r.ForNs))
}

// Text writes the report as a table, what is wrong or missing before it.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	t, err := FindTest(r.Test)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "%s: %s\n", r.Test, t.Title)
	b.WriteString(wrap(safe(r.Kernel)) + wrap(safe(r.Dir)+": "+r.conditions()))
	r.problems(&b)
	g := table.Table{Head: []string{"JOBS", "IOPS", "wall time"}, LineWidth: lineWidth}
	if r.traced() {
		g.Head = append(g.Head, "traced IOPS", "of untraced", "exclusive", "wait/write", "lost")
	}
	for i := range r.Steps {
		g.Rows = append(g.Rows, r.Steps[i].cells(r.traced()))
	}
	g.Text(&b)
	if checked, wrong, _ := read(r.Steps); wrong == 0 {
		fmt.Fprintf(&b, "bytes: %s read back, all right\n", grouped(float64(checked)))
	}
	if r.traced() {
		b.WriteString("exclusive: held i_rwsem exclusive, share of the writes whose lock is known\n" +
			"wait/write: waited for i_rwsem, average of the writes seen\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// problems writes what a reader has to know before the numbers.
func (r *Report) problems(b *strings.Builder) {
	if n, first := r.Wrong(); n > 0 {
		fmt.Fprintf(b, "WRONG BYTES: %s; %s\n", grouped(float64(n)), safe(first))
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.Traced == nil {
			continue
		}
		if s.Traced.Unproven {
			fmt.Fprintf(b, "LOST: JOBS=%d: %d writes lost, %d incomplete: %s\n", s.Jobs, s.Traced.Lost, s.Traced.Incomplete, safe(s.Traced.Losses))
		}
		if s.Traced.Disagree > 0 {
			fmt.Fprintf(b, "DISAGREE: JOBS=%d: %d writes of %d; see ext4dio-trace live\n", s.Jobs, s.Traced.Disagree, s.Traced.Seen)
		}
	}
}

// cells is the step's line of the table.
func (s *Step) cells(traced bool) []string {
	out := []string{fmt.Sprint(s.Jobs), grouped(s.IOPS), seconds(s.WallNs)}
	if !traced {
		return out
	}
	if s.Traced == nil {
		return append(out, none, none, none, none, none)
	}
	of := none
	if s.IOPS > 0 {
		of = fmt.Sprintf("%.0f%%", 100*s.Traced.IOPS/s.IOPS)
	}
	return append(out, grouped(s.Traced.IOPS), of, s.Traced.share(), s.Traced.wait(), fmt.Sprint(s.Traced.Lost))
}

// Read reads the reports of a file: JSON objects, one behind the other.
func Read(r io.Reader) ([]*Report, error) {
	var out []*Report
	for dec := json.NewDecoder(r); ; {
		rep := &Report{}
		err := dec.Decode(rep)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read report: %w", err)
		}
		if err := rep.valid(); err != nil {
			return nil, fmt.Errorf("read report: %w", err)
		}
		out = append(out, rep)
	}
	if len(out) == 0 {
		return nil, errors.New("read report: nothing in it")
	}
	return out, nil
}

// valid looks for what no report of ours holds.
func (r *Report) valid() error {
	if _, err := FindTest(r.Test); err != nil {
		return err
	}
	seen := make(map[int]bool)
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.Jobs < 1 || s.Jobs > maxJobs || seen[s.Jobs] {
			return fmt.Errorf("%s: step %d has %d jobs", r.Test, i+1, s.Jobs)
		}
		seen[s.Jobs] = true
		for _, m := range s.measures() {
			if m.Writes < 0 || m.WallNs <= 0 || m.CPUNs < 0 || m.IOPS < 0 || m.IOPS > 1e12 {
				return fmt.Errorf("%s with %d jobs: %d writes in %d ns at %g IOPS", r.Test, s.Jobs, m.Writes, m.WallNs, m.IOPS)
			}
		}
	}
	return nil
}
