package storm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
)

// afterwards is how long to look for what was seen beyond what was made.
const afterwards = 10 * time.Millisecond

// check compares the file with its shadow after a round, with O_DIRECT: that puts no
// pages into the page cache, which would make later NOWAIT writes fail.
func (s *session) check() error {
	got, err := s.f.Read(trial.Direct)
	if err != nil {
		return err
	}
	if s.sc.appends {
		if why := s.takeRecords(got); why != "" {
			s.lost(got, "records", why)
			return nil
		}
	}
	// What is neither the old nor the new byte of a write that failed shows below.
	_ = s.f.Shadow.Settle(0, got)
	if s.Fault != nil {
		s.Fault(s.sc.name, s.number+1, s.f.Shadow.Bytes)
	}
	s.compare(got, trial.Direct)
	return nil
}

func (s *session) compare(got []byte, way trial.Way) {
	at, why := s.difference(got)
	if why == "" {
		s.rep.Bytes.Right++
		return
	}
	how := "read " + string(way)
	what := []string{how + ": " + why}
	for n := range s.made {
		e := &s.made[n]
		if p := e.piece(); !s.sc.appends && at >= p.off && at < p.off+p.len {
			what = append(what, fmt.Sprintf("writer %d wrote there: %s", e.number+1, e.text()))
		}
	}
	s.lost(got, how, what...)
}

// difference names what is not as it has to be, or nothing, and where it begins; -1 when
// only i_size is wrong.
func (s *session) difference(got []byte) (at int64, why string) {
	want := s.f.Shadow.Bytes
	if len(got) != len(want) {
		return -1, fmt.Sprintf("i_size is %d, and has to be %d", len(got), len(want))
	}
	zero, old := 0, 0
	wrong := s.f.Shadow.Differing(got)
	for _, i := range wrong {
		switch {
		case i < len(s.before) && got[i] == s.before[i]:
			old++
		case got[i] == 0:
			zero++
		}
	}
	if len(wrong) == 0 {
		return 0, ""
	}
	first := wrong[0]
	return int64(first), fmt.Sprintf(
		"%d bytes are lost, the first at %d: %#x instead of %#x; %d of them are as before the round, %d are zeroes",
		len(wrong), first, got[first], want[first], old, zero)
}

// lost notes wrong bytes, and goes on with what is in the file.
func (s *session) lost(got []byte, signature string, what ...string) {
	s.rep.Bytes.Wrong++
	s.fail(trial.Bytes, nil, nil, signature, what...)
	s.f.Shadow.Bytes = slices.Clone(got)
}

// finish reads the file through the page cache, and looks whether more was seen than
// was made.
func (s *session) finish(ctx context.Context) error {
	got, err := s.f.Read(trial.Cached)
	if err != nil {
		return err
	}
	s.before = nil
	s.compare(got, trial.Cached)
	seen, err := trial.Collect(ctx, s.Tracer, 1, afterwards)
	if err != nil && !errors.Is(err, trial.ErrLate) {
		return err
	}
	for i := range seen {
		o := seen[i].Observation
		s.fail(trial.Accounting, nil, &seen[i], "stray", fmt.Sprintf("a write at %d+%d was seen that was not made", o.Pos0, o.Len0))
	}
	return nil
}
