package coverage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// What a saved coverage can be instead of one.
var (
	// ErrNotCoverage says that it is something else.
	ErrNotCoverage = errors.New("no coverage: coverage --json and live --coverage --summary write one")
	// ErrOther says that it is of other points, so that its counts mean something else here.
	ErrOther = errors.New("a coverage of another version")
)

// saved is a coverage as coverage --json and the summary of live --coverage have it. Of all
// else that those hold nothing is needed.
type saved struct {
	Variants []Report `json:"variants"`
	Coverage []Report `json:"coverage"`
	savedGaps
}

// Load adds a coverage that was saved as JSON, under this name. Counts of the same points add up; one of other
// points is refused, whole.
func (c *Coverage) Load(r io.Reader, name string) error {
	var in saved
	d := json.NewDecoder(r)
	if err := d.Decode(&in); err != nil {
		return fmt.Errorf("%w (%w)", ErrNotCoverage, err)
	}
	all := append(in.Variants, in.Coverage...)
	if in.Variants == nil && in.Coverage == nil {
		return ErrNotCoverage
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w (something follows the first object)", ErrNotCoverage)
	}
	var sum Coverage
	for i := range all {
		if err := sum.load(&all[i]); err != nil {
			return err
		}
	}
	sum.Gaps = in.of(name)
	c.Take(&sum)
	return nil
}

// load adds the counts of one variant.
func (c *Coverage) load(r *Report) error {
	v, err := model.ParseVariant(r.Variant)
	if err != nil {
		return fmt.Errorf("%w: it has the variant %q, which is not known here", ErrOther, r.Variant)
	}
	if len(r.Points) != len(points) {
		return fmt.Errorf("%w: it has %d points, and here there are %d", ErrOther, len(r.Points), len(points))
	}
	n := c.of(v)
	n.writes += r.Writes
	n.disagree += r.Disagree
	n.open += r.Open
	for i := range points {
		p := &r.Points[i]
		if at := (point{p.Function, p.Condition, p.Way}); at != points[i] {
			return fmt.Errorf("%w: its point %d is %q, and here it is %q", ErrOther, i+1, at.text(), points[i].text())
		}
		if (p.State == Taken) != (p.Writes > 0) || p.Writes > r.Writes || p.Disputed > r.Disagree {
			return fmt.Errorf("%w (the counts of %q cannot be)", ErrNotCoverage, points[i].text())
		}
		n.pass(i, p.Writes, p.First, p.Disputed)
		n.parted[i].add(parting{p.Parted, p.Where})
	}
	return n.wrongs.load(r)
}

// load adds what a saved report says of wrong kernels.
func (w *wrongs) load(r *Report) error {
	switch c := r.Conditions; {
	case (w == nil) != (c == nil):
		return fmt.Errorf("%w: one of the two has no list of wrong kernels", ErrOther)
	case w == nil:
		return nil
	case len(c.Rows) != len(w.rows):
		return fmt.Errorf("%w: it has %d wrong kernels, and here there are %d", ErrOther, len(c.Rows), len(w.rows))
	case c.Repeated+c.Other > r.Writes:
		return fmt.Errorf("%w (the writes that tell of wrong kernels cannot be so many)", ErrNotCoverage)
	}
	for i, row := range w.rows {
		in := &r.Conditions.Rows[i]
		if in.Function != row.Function || in.Condition != row.Condition || in.Wrong != row.Wrong || in.Fault != row.Fault.String() {
			return fmt.Errorf("%w: its wrong kernel %d is %q, and here it is %q", ErrOther, i+1, in.Fault, row.Fault.String())
		}
		w.show(i, in.State == Noticed, in.First)
	}
	w.repeated += r.Conditions.Repeated
	w.other += r.Conditions.Other
	return nil
}

// show notes that a write shows a row.
func (w *wrongs) show(i int, shows bool, first uint64) {
	if shows && !w.shows[i] {
		w.shows[i], w.first[i] = true, first
	}
}

// take adds what another one of the same variant found.
func (w *wrongs) take(o *wrongs) {
	if w == nil || o == nil {
		return
	}
	for i := range w.rows {
		w.show(i, o.shows[i], o.first[i])
	}
	w.repeated += o.repeated
	w.other += o.other
}

func (p point) text() string { return p.fn + ": " + p.condition + ": " + p.way }

// pass adds counts of a point.
func (n *counts) pass(i int, writes, first, disputed uint64) {
	if n.taken[i] == 0 {
		n.first[i] = first
	}
	n.taken[i] += writes
	n.disputed[i] += disputed
}

// Take adds what another one counted. The first writes are of the one that had them first.
func (c *Coverage) Take(o *Coverage) {
	c.Gaps = append(c.Gaps, o.Gaps...)
	for _, from := range o.variants {
		n := c.of(from.variant)
		n.writes += from.writes
		n.disagree += from.disagree
		n.open += from.open
		for i := range points {
			n.pass(i, from.taken[i], from.first[i], from.disputed[i])
			n.parted[i].add(from.parted[i])
		}
		n.wrongs.take(from.wrongs)
	}
}

// reached keeps what is reachable under a variant: to find that takes a quarter of a second.
var reached = struct {
	sync.Mutex
	by map[model.Variant]set
}{by: map[model.Variant]set{}}

// canReach is reachable, asked once for each variant.
func canReach(v model.Variant) set {
	reached.Lock()
	defer reached.Unlock()
	s, known := reached.by[v]
	if !known {
		s = reachable(v)
		reached.by[v] = s
	}
	return s
}

// Empty reports whether no write counts.
func Empty(all []Report) bool {
	for i := range all {
		if all[i].Writes > 0 {
			return false
		}
	}
	return true
}

// None is the report of a variant of which no write was seen.
func None(v model.Variant) Report { return (&Coverage{}).of(v).report() }
