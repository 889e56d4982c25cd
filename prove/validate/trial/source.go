package trial

import (
	"context"
	"errors"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// SourceTracer is a Tracer over a source of raw records, such as attached
// probes. It takes records from the source only inside Collect, so source and
// tracer belong to the goroutine of the run.
type SourceTracer struct {
	src   record.Source
	judge *judge.Judge
	id    FileID
	seen  []Seen
}

// NewSourceTracer returns a tracer that judges what comes from src by opts. The
// Seen function of opts is called as well, for every write to any inode.
func NewSourceTracer(src record.Source, opts judge.Options) *SourceTracer {
	t := &SourceTracer{src: src}
	next := opts.Seen
	opts.Seen = func(o *observe.Observation, v *judge.Verdict) {
		if t.id == (FileID{Dev: o.Dev, Ino: o.Ino}) {
			t.seen = append(t.seen, Seen{Observation: o.Clone(), Verdict: v.Clone()})
		}
		if next != nil {
			next(o, v)
		}
	}
	t.judge = judge.New(opts)
	return t
}

// Watch implements Tracer.
func (t *SourceTracer) Watch(id FileID) { t.id, t.seen = id, nil }

// Collect implements Tracer.
func (t *SourceTracer) Collect(ctx context.Context, n int) ([]Seen, error) {
	var err error
	for len(t.seen) < n && err == nil {
		if err = ctx.Err(); err == nil {
			err = t.take()
		}
	}
	out := t.seen
	t.seen = nil
	SortByTime(out)
	return out, err
}

// take moves one record from the source to the judge.
func (t *SourceTracer) take() error {
	raw, err := t.src.Next()
	switch {
	case errors.Is(err, record.ErrIdle):
		return nil
	case err != nil:
		return fmt.Errorf("read records: %w", err)
	}
	// A record that is not understood is counted by the judge; what it was about
	// then does not arrive, and the write fails as not seen.
	_ = t.judge.Feed(raw)
	return nil
}
