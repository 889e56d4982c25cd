package perfetto

import (
	"cmp"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// span is a part of a write.
type span struct {
	from, to uint64 // ns
	name     string
}

// write writes all that is shown of r.
func (w *Writer) write(r *export.Row) {
	back := r.TimeNs + returned(r)
	verdict := ""
	if r.Verdict.Known {
		verdict = r.Verdict.V.String()
	}
	n, task := w.inode(r), w.task(r)
	who := func() {
		w.noteText("comm", r.Comm)
		w.noteInt("tid", int64(r.Tid))
		w.noteInt("pos", r.Pos)
		w.noteInt("len", r.Len)
	}
	w.spans = appendWaits(w.spans[:0], r, back)
	for _, s := range w.spans {
		w.slice(w.lane(n, waiting, s.from, s.to), s.from, s.to, s.name, verdict, who)
	}
	w.writeTask(task, r, back, verdict)
	w.spans = appendHeld(w.spans[:0], r, back)
	for _, s := range w.spans {
		w.slice(w.lane(n, held, s.from, s.to), s.from, s.to, s.name, verdict, who)
	}
	for i := range r.Zeroed {
		z := &r.Zeroed[i]
		at := within(r, z.AtUs, back)
		w.event(w.lane(n, zeroing, at, at), at, typeInstant, "zeroing, "+modeText(z.Lock), verdict, func() {
			who()
			w.noteInt("zeroed_pos", z.Pos)
			w.noteInt("zeroed_len", z.Len)
		})
	}
	if r.Facts.Queued && r.Facts.Completed && r.LatencyNs.Known && r.TimeNs+r.LatencyNs.V > back {
		end := r.TimeNs + r.LatencyNs.V
		lane := w.lane(n, inFlight, back, end)
		w.event(lane, back, typeBegin, r.Caller.String(), verdict, who)
		w.nest(lane, appendBudget(nil, r, back, end), nil, back, verdict)
		w.event(lane, end, typeEnd, "", "", nil)
	}
	if r.Disagrees() {
		w.event(w.lane(n, disagreements, r.TimeNs, r.TimeNs), r.TimeNs, typeInstant, verdict, verdict, func() {
			who()
			w.noteText("rules", strings.Join(r.Rules, " "))
			w.noteText("why", strings.Join(r.Why, "; "))
		})
	}
}

// writeTask writes r as its task saw it. w.spans are its waits, which lie in parts of the
// budget.
func (w *Writer) writeTask(task uint64, r *export.Row, back uint64, verdict string) {
	for i := range r.Sleeps {
		if s := &r.Sleeps[i]; s.Cause != record.SleepIRwsem && s.More == 0 {
			w.spans = append(w.spans, before(r, s.AtUs, s.Ns, back, "sleep: "+s.Cause.String()))
		}
	}
	w.event(task, r.TimeNs, typeBegin, taskName(r), verdict, func() { w.annotate(r) })
	w.nest(task, appendBudget(nil, r, r.TimeNs, back), w.spans, r.TimeNs, verdict)
	w.event(task, back, typeEnd, "", "", nil)
}

func taskName(r *export.Row) string {
	if r.Lock.Known {
		return "direct write, " + lockText(r.Lock.V)
	}
	return "direct write"
}

// annotate adds what is said of a write when it is clicked at.
func (w *Writer) annotate(r *export.Row) {
	w.noteText("path", r.Path)
	w.noteText("dev", export.DevName(r.Dev))
	w.noteInt("ino", int64(r.Ino))
	w.noteInt("pos", r.Pos)
	w.noteInt("len", r.Len)
	w.noteText("flags", strings.Join(r.FlagNames(), " "))
	w.noteText("reason", r.ReasonText())
	if r.Verdict.Known {
		w.noteText("verdict", r.Verdict.V.String())
		w.noteText("rules", strings.Join(r.Rules, " "))
		w.noteText("variant", r.Variant)
	}
	if r.Passes.Known {
		w.noteInt("passes", int64(r.Passes.V))
	}
	if r.Ret.Known {
		w.noteInt("ret", r.Ret.V)
	}
	if r.WaitNs.Known {
		w.noteInt("wait_ns", int64(r.WaitNs.V))
	}
	if export.Is(r.Drained, true) {
		w.noteText("drained", "inode_dio_wait was called")
	}
	if r.Budget.Known {
		w.annotateBudget(&r.Budget.V)
	}
	if r.FallbackBytes.V > 0 {
		w.noteInt("fallback_bytes", r.FallbackBytes.V)
	}
}

// returned is the time from entry to return of the write function, ns; 0 when it is not
// known.
func returned(r *export.Row) uint64 {
	switch {
	case r.SubmitNs > 0:
		return r.SubmitNs
	case r.LatencyNs.Known && !r.Facts.Queued:
		return r.LatencyNs.V
	}
	return 0
}

// within is the time of a step. Steps are timed in microseconds.
func within(r *export.Row, us uint32, back uint64) uint64 {
	return min(r.TimeNs+uint64(us)*1000, back)
}

// before is something that lasted ns and ended at a step.
func before(r *export.Row, us uint32, ns, back uint64, name string) span {
	to := within(r, us, back)
	return span{from: max(to-min(ns, to), r.TimeNs), to: to, name: name}
}

func appendWaits(dst []span, r *export.Row, back uint64) []span {
	for _, t := range r.Waits {
		dst = append(dst, before(r, t.AtUs, t.Ns, back, "wait, "+modeText(t.Lock)))
	}
	return dst
}

// appendHeld appends when the lock was seen to be held: from each run of the checks to
// the next thing that proves that it was released, at the latest to the return.
func appendHeld(dst []span, r *export.Row, back uint64) []span {
	checks := r.Facts.Checks
	for i := range checks {
		s := span{from: within(r, checks[i].AtUs, back), to: back, name: modeText(checks[i].Lock)}
		if i+1 < len(checks) {
			s.to = within(r, checks[i+1].AtUs, back)
		} else if b := copied(r); b != nil {
			s.to = within(r, b.CopyAtUs, back)
		}
		// Nobody waits for a lock that it holds.
		for _, t := range r.Waits {
			if wait := before(r, t.AtUs, t.Ns, back, ""); wait.to > s.from && wait.to <= s.to {
				s.to = max(wait.from, s.from)
			}
		}
		dst = append(dst, s)
	}
	if b := copied(r); b != nil {
		dst = append(dst, span{from: within(r, b.CopyAtUs, back), to: back, name: modeText(b.CopyLock) + ", buffered copy"})
	}
	return dst
}

// copied is the buffered part of r, if bytes were copied in it.
func copied(r *export.Row) *observe.Buffered {
	if b := &r.Facts.Buffered; b.Known && b.V.Copied {
		return &b.V
	}
	return nil
}

func modeText(l record.Lock) string { return cmp.Or(export.ModeName(l), "mode not known") }

func lockText(l export.Lock) string {
	if l == export.NoLock {
		return "not by iomap_dio_rw"
	}
	return l.String()
}
