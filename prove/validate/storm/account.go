package storm

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// key tells the writes of a round apart, whoever carries them out: a task of io_uring
// can do it in place of the writer. No two writes of a round have the same position
// and length, and no two appends the same length; the position of an append changes
// between two attempts.
type key struct{ off, len int64 }

// entry is one write of a round in the books.
type entry struct {
	w      *writer
	number int // of the writer in the round, from 0
	i      int // of the piece
	result workload.Result
	last   *trial.Seen // the last attempt; nil until it was seen
}

func (e *entry) piece() *piece { return &e.w.pieces[e.i] }

func (e *entry) text() string { return e.w.text(e.i) }

// problem is something that the books do not balance on.
type problem struct {
	what      string
	signature string
	entry     *entry // nil when it is no write of ours
	seen      *trial.Seen
}

// ledger compares what was made with what was seen.
type ledger struct {
	entries  []entry
	byKey    map[key]*entry
	appends  bool
	open     int // writes that were not seen yet
	problems []problem
}

func newLedger(entries []entry, appends bool) *ledger {
	l := &ledger{entries: entries, byKey: map[key]*entry{}, appends: appends, open: len(entries)}
	for i := range entries {
		p := entries[i].piece()
		l.byKey[l.key(p.off, p.len)] = &entries[i]
	}
	return l
}

func (l *ledger) key(off, n int64) key {
	if l.appends {
		off = 0
	}
	return key{off, n}
}

// add books one attempt. The order does not matter.
func (l *ledger) add(s *trial.Seen) {
	o := s.Observation
	e := l.byKey[l.key(o.Pos0, o.Len0)]
	switch {
	case e == nil:
		l.fail("stray", nil, s, "a write at %d+%d was seen that was not made", o.Pos0, o.Len0)
	case trial.Retried(e.w.engine, e.piece().flags, o):
	case e.last != nil:
		l.fail("twice", e, s, "it was seen a second time, with result %d after %d", o.Ret, e.last.Observation.Ret)
	default:
		e.last = s
		l.open--
		if got := e.result.Ret(); o.Incomplete == "" && got != trial.Told(e.w.engine, o) {
			l.fail("result", e, s, "its caller got %d, and %d was seen", got, o.Ret)
		}
	}
}

// close says what was not seen, and which results are not those of a write that is
// right.
func (l *ledger) close() []problem {
	for i := range l.entries {
		e := &l.entries[i]
		if e.last == nil {
			l.fail("not seen", e, nil, "it was made, with result %d, and not seen", e.result.Ret())
		}
		if why := e.refused(); why != "" {
			l.fail("refused", e, e.last, "%s", why)
		}
	}
	return l.problems
}

// refused says why the result of a write is none that it may have, or nothing. All
// bytes is right; a NOWAIT write may end with an error, or with what it had done.
func (e *entry) refused() string {
	ret, want := e.result.Ret(), e.piece().len
	nowait := e.piece().flags&unix.RWF_NOWAIT != 0
	if ret == want || nowait && (ret == model.EAGAIN || ret == model.EOPNOTSUPP || ret > 0 && ret < want) {
		return ""
	}
	return fmt.Sprintf("its result is %d of %d bytes", ret, want)
}

func (l *ledger) fail(signature string, e *entry, s *trial.Seen, format string, args ...any) {
	l.problems = append(l.problems, problem{fmt.Sprintf(format, args...), signature, e, s})
}

// account takes what was seen, compares it with what was made, and asks the observed
// oracle. After an error what was found out before it counts, and what is missing does not.
func (s *session) account(ctx context.Context) error {
	l := newLedger(s.made, s.sc.appends)
	err := s.collect(ctx, l)
	for i := range s.made {
		err = cmp.Or(err, trial.DiskError(s.made[i].result.Err))
	}
	problems := l.problems
	if err == nil {
		problems = l.close()
	}
	wrong := map[*entry]bool{}
	for _, p := range problems {
		wrong[p.entry] = true
		s.fail(trial.Accounting, p.entry, p.seen, p.signature, p.what)
	}
	s.rep.Accounting.Wrong += len(wrong)
	if err != nil {
		return err
	}
	s.rep.Accounting.Right += len(s.made) - len(wrong)
	if wrong[nil] {
		s.rep.Accounting.Right++ // it was no write of ours
	}
	return nil
}

// collect books the writes that are seen until none is open, or none comes any more.
func (s *session) collect(ctx context.Context, l *ledger) error {
	for l.open > 0 {
		// What is tried again comes on top, and is asked for in the next turn.
		seen, err := trial.Collect(ctx, s.Tracer, l.open, s.Timeout)
		for i := range seen {
			l.add(&seen[i])
			s.judge(l, &seen[i])
		}
		if errors.Is(err, trial.ErrLate) {
			return nil
		}
		if err != nil {
			return err
		}
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
		s.rep.Overlaps[overlapNames[v.Overlaps[i].Kind]]++
	}
}

var overlapNames = map[overlap.Kind]string{
	overlap.Zeroed:   "zeroed while another was in flight (R2)",
	overlap.Unwaited: "zeroed and not waited for (R3)",
	overlap.Fallback: "copied while another was in flight (R5)",
	overlap.EOF:      "zeroed behind i_size beside an aligned extending write (no rule)",
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
