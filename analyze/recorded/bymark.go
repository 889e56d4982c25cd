package recorded

import (
	"context"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/trace/redact"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// CoverMarks is Cover, and counts by mark, too.
func CoverMarks(ctx context.Context, in *tracefile.Recording, variant string, c *coverage.Coverage, by *coverage.ByMark) error {
	marks := newMarkCount(in, by)
	err := cover(ctx, in, variant, c, marks.add)
	marks.begin()
	return err
}

// markCount counts the writes of a recording by mark.
type markCount struct {
	in    *tracefile.Recording
	by    *coverage.ByMark
	begun int                      // of its marks
	token func(name string) string // of a report that is redacted; nil for none
}

func newMarkCount(in *tracefile.Recording, by *coverage.ByMark) *markCount {
	return &markCount{in: in, by: by}
}

// begin tells of the marks that are known by now: of a file all of them at the first write.
func (m *markCount) begin() {
	more := m.in.Marks().From(m.begun)
	m.begun += len(more)
	for _, k := range more {
		m.by.Begin(m.name(k.Name))
	}
}

func (m *markCount) add(o *observe.Observation, v *judge.Verdict) {
	mark := m.in.MarkAt(o.Time)
	if m.begun == 0 && mark == "" {
		m.by.Begin("") // what comes before the first mark stands first
	}
	m.begin()
	m.by.Add(m.name(mark), o, v)
}

func (m *markCount) name(mark string) string {
	if m.token != nil {
		return m.token(mark)
	}
	return mark
}

// reportMarks counts for a report. Without a mark there is nothing to count.
func reportMarks(in *tracefile.Recording, r *redact.Redactor) *reportCount {
	c := &reportCount{*newMarkCount(in, &coverage.ByMark{})}
	if r != nil {
		c.token = r.Mark
	}
	return c
}

type reportCount struct{ markCount }

func (c *reportCount) add(o *observe.Observation, v *judge.Verdict) {
	if c.in.Marks().Len() > 0 || c.in.Places() == 0 { // those of a pipe are not known before
		c.markCount.add(o, v)
	}
}

// lines are what the report shows.
func (c *reportCount) lines() (out []report.Mark) {
	c.begin()
	if c.in.Marks().Len() == 0 {
		return nil
	}
	for _, m := range c.by.Marks() {
		out = append(out, report.Mark{
			Name: m.Name(), Writes: m.Writes, Shared: m.Shared, Exclusive: m.Exclusive, None: m.None,
			Ways: m.Taken, NewWays: len(m.New), Disagree: m.Disagree, Open: m.Open,
		})
	}
	return out
}
