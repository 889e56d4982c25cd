package storm

import (
	"context"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// account takes what was seen, compares it with what was made, and asks the observed
// oracle.
func (s *session) account(ctx context.Context) error {
	entries := make([]entry, len(s.pieces))
	for n, p := range s.pieces {
		entries[n] = entry{w: &s.round.writers[p.writer], piece: p.piece, result: s.results[n]}
	}
	l := newLedger(entries, s.sc.appends)
	late, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	for l.open > 0 {
		// What is tried again comes on top, and is asked for in the next turn.
		seen, err := s.Tracer.Collect(late, s.f.id, l.open)
		for i := range seen {
			l.add(&seen[i])
			s.judge(l, &seen[i])
		}
		if err != nil && (ctx.Err() != nil || late.Err() == nil) {
			return fmt.Errorf("collect what was seen: %w", err)
		}
		if err != nil || len(seen) == 0 {
			break
		}
	}
	wrong := map[*entry]bool{}
	for _, p := range l.close() {
		wrong[p.entry] = true
		s.fail(Accounting, p.entry, p.seen, p.signature, p.what)
	}
	s.rep.Accounting.Wrong += len(wrong)
	s.rep.Accounting.Right += len(entries) - len(wrong)
	if wrong[nil] {
		s.rep.Accounting.Right++ // it was no write of ours
	}
	return nil
}

// judge counts an attempt, and the verdict of the model that was fed with it.
func (s *session) judge(l *ledger, seen *validate.Seen) {
	o, v := seen.Observation, seen.Verdict
	s.now.Seen++
	if o.Incomplete == "" {
		s.count(o)
	}
	t := &s.rep.Observed
	switch {
	case v == nil:
		t.Undecided++
		s.rep.LeftOut["no verdict"]++
		return
	case v.Kind == judge.Agree:
		t.Right++
	case v.Kind == judge.Undecided:
		t.Undecided++
		s.rep.LeftOut[v.Missing]++
	default:
		t.Wrong++
		what := append([]string{"the model's verdict is " + v.Kind.String()}, v.Why...)
		s.fail(Observed, l.byKey[l.key(o.Pos0, o.Len0)], seen, v.Kind.String()+" "+strings.Join(v.Rules, " "), what...)
	}
	for _, h := range v.Hazards {
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
func (s *session) fail(oracle Oracle, e *entry, seen *validate.Seen, signature string, what ...string) {
	f := Failure{
		Oracle: oracle, Storm: s.now.Name, Scene: s.sc.name, Round: s.number + 1, What: what,
		Command: s.command(), signature: signature,
	}
	if e != nil {
		f.Write = e.w.text(e.piece)
		for i := range s.round.writers {
			if &s.round.writers[i] == e.w {
				f.Writer = i + 1
			}
		}
	}
	if seen != nil {
		f.Seen = *seen
	}
	s.now.Wrong++
	s.rep.add(f)
}
