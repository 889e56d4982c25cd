package storm

import (
	"fmt"

	"golang.org/x/sys/unix"

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
