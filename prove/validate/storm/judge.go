package storm

import (
	"context"
	"errors"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// account takes what was seen, compares it with what was made, and asks the observed
// oracle.
func (s *session) account(ctx context.Context) error {
	l := newLedger(s.made, s.sc.appends)
	for l.open > 0 {
		// What is tried again comes on top, and is asked for in the next turn.
		seen, err := trial.Collect(ctx, s.Tracer, l.open, s.Timeout)
		for i := range seen {
			l.add(&seen[i])
			s.judge(l, &seen[i])
		}
		if errors.Is(err, trial.ErrLate) {
			break
		}
		if err != nil {
			return err
		}
	}
	wrong := map[*entry]bool{}
	for _, p := range l.close() {
		wrong[p.entry] = true
		s.fail(trial.Accounting, p.entry, p.seen, p.signature, p.what)
	}
	s.rep.Accounting.Wrong += len(wrong)
	s.rep.Accounting.Right += len(s.made) - len(wrong)
	if wrong[nil] {
		s.rep.Accounting.Right++ // it was no write of ours
	}
	return nil
}

// judge counts an attempt, and the verdict of the model that was fed with it.
func (s *session) judge(l *ledger, seen *trial.Seen) {
	o, v := seen.Observation, seen.Verdict
	s.now.Seen++
	if o.Incomplete == "" {
		s.count(o)
	}
	what, signature := s.rep.Observed.Count(v)
	switch {
	case v == nil:
		s.rep.LeftOut["no verdict"]++
		return
	case v.Kind == judge.Undecided:
		s.rep.LeftOut[v.Missing]++
	case what != nil:
		s.fail(trial.Observed, l.byKey[l.key(o.Pos0, o.Len0)], seen, signature, what...)
	}
	for _, h := range v.Hazards.IDs() {
		s.rep.Hazards[h]++
	}
	for i := range v.Overlaps {
		s.rep.Overlaps[overlapName(v.Overlaps[i].Kind)]++
	}
}

func overlapName(k overlap.Kind) string {
	switch k {
	case overlap.Zeroed:
		return "zeroed while another was in flight (R2)"
	case overlap.Unwaited:
		return "zeroed and not waited for (R3)"
	case overlap.Fallback:
		return "copied while another was in flight (R5)"
	}
	return "zeroed behind i_size beside an aligned extending write (no rule)"
}

// count counts what happened to an attempt.
func (s *session) count(o *observe.Observation) {
	for _, c := range []struct {
		n   *int
		yes bool
	}{
		{&s.now.Queued, o.Queued},
		{&s.now.Waited, o.WaitNs > 0},
		{&s.now.Restarted, len(o.Passes) > 1},
		{&s.now.Drained, o.Drain != nil && o.Drain.Waited},
		{&s.now.Zeroed, len(o.Zeroed) > 0},
		{&s.now.Fallbacks, o.Buffered != nil},
		{&s.now.Again, o.Ret == model.EAGAIN},
	} {
		if c.yes {
			*c.n++
		}
	}
	if o.Ret == model.EAGAIN {
		s.rep.Again[o.Ends()]++
	}
}

// fail notes a failure that a write has, when e is not nil.
func (s *session) fail(oracle trial.Oracle, e *entry, seen *trial.Seen, signature string, what ...string) {
	f := Failure{
		Oracle: oracle, Storm: s.now.Name, Scene: s.sc.name, Round: s.number + 1, What: what,
		Command: s.command(), signature: signature,
	}
	if e != nil {
		f.Write, f.Writer = e.text(), e.number+1
	}
	if seen != nil {
		f.Seen = *seen
	}
	s.now.Wrong++
	s.rep.add(f)
}
