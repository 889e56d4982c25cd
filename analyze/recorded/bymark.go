package recorded

import (
	"context"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// CoverMarks is Cover, and counts by mark, too.
func CoverMarks(ctx context.Context, in *tracefile.Recording, variant string, c *coverage.Coverage, by *coverage.ByMark) error {
	marks := newMarkCount(in, by)
	_, err := replay.Judge(ctx, in, variant, func(*session.Kernel) session.Seen {
		return func(o *observe.Observation, v *judge.Verdict) {
			c.Add(o, v)
			marks.add(o, v)
		}
	})
	marks.begin()
	return err
}

// markCount counts the writes of a recording by mark.
type markCount struct {
	in    *tracefile.Recording
	by    *coverage.ByMark
	begun int // of its marks
}

func newMarkCount(in *tracefile.Recording, by *coverage.ByMark) *markCount {
	return &markCount{in: in, by: by}
}

// begin tells of the marks that are known by now: of a file all of them at the first write.
func (m *markCount) begin() {
	more := m.in.Marks().From(m.begun)
	m.begun += len(more)
	for _, k := range more {
		m.by.Begin(k.Name)
	}
}

func (m *markCount) add(o *observe.Observation, v *judge.Verdict) {
	mark := m.in.MarkAt(o.Time)
	if m.begun == 0 && mark == "" {
		m.by.Begin("") // what comes before the first mark stands first
	}
	m.begin()
	m.by.Add(mark, o, v)
}
