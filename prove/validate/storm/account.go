package storm

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
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
	w        *writer
	piece    int
	result   workload.Result
	attempts int            // before the last
	last     *validate.Seen // nil until it was seen
}

func (e *entry) nowait() bool { return e.w.pieces[e.piece].flags&unix.RWF_NOWAIT != 0 }

// again reports whether io_uring tries the write again, in another task.
func (e *entry) again(o *observe.Observation) bool {
	return e.w.engine.Retries() && !e.nowait() && o.Flags&model.IocbNowait != 0 &&
		(o.Ret == model.EAGAIN || o.Ret == model.EOPNOTSUPP)
}

// told is the result that the caller is given for what the file system returned:
// io_uring makes -EAGAIN of -EOPNOTSUPP.
func (e *entry) told(ret int64) int64 {
	if ret == model.EOPNOTSUPP && e.nowait() && e.w.engine.Retries() {
		return model.EAGAIN
	}
	return ret
}

// problem is something that the books do not balance on.
type problem struct {
	what      string
	signature string
	entry     *entry // nil when it is no write of ours
	seen      *validate.Seen
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
		p := &entries[i].w.pieces[entries[i].piece]
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
func (l *ledger) add(s *validate.Seen) {
	o := s.Observation
	e := l.byKey[l.key(o.Pos0, o.Len0)]
	switch {
	case e == nil:
		l.fail("stray", nil, s, "a write at %d+%d was seen that was not made", o.Pos0, o.Len0)
	case e.again(o):
		e.attempts++
	case e.last != nil:
		l.fail("twice", e, s, "it was seen a second time, with result %d after %d", o.Ret, e.last.Observation.Ret)
	default:
		e.last = s
		l.open--
		if got := e.result.Ret(); o.Incomplete == "" && got != e.told(o.Ret) {
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
	ret, want := e.result.Ret(), e.w.pieces[e.piece].len
	if ret == want || e.nowait() && (ret == model.EAGAIN || ret == model.EOPNOTSUPP || ret > 0 && ret < want) {
		return ""
	}
	return fmt.Sprintf("its result is %d of %d bytes", ret, want)
}

func (l *ledger) fail(signature string, e *entry, s *validate.Seen, format string, args ...any) {
	l.problems = append(l.problems, problem{fmt.Sprintf(format, args...), signature, e, s})
}
