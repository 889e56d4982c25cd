package races

import (
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// takes is the mode in which the writer takes i_rwsem.
func (m *machine) takes(w *writer) model.Mode {
	if w.lie {
		return model.Shared
	}
	return w.want
}

// guess reads i_size without a lock (ext4_dio_write_iter).
func (m *machine) guess(s *state, i int) {
	w := &s.w[i]
	w.facts.guess = s.isize
	m.decide(s, i)
	end := m.sc.Writes[i].Pos + m.sc.Writes[i].Len
	m.say(i, "guess: end %d %s i_size %d: %s", end, choose(end > int(s.isize), ">", "<="), s.isize, w.want)
}

// lock takes i_rwsem and makes the write checks of the pass. i_size is stable
// from here on, so nothing can come between the two.
func (m *machine) lock(s *state, i int) {
	w := &s.w[i]
	w.held = m.takes(w)
	f := &w.facts
	pass := f.nchk
	f.checks[pass] = m.check(s, i)
	if pass > 0 && m.fault == NoRecheck {
		f.checks[pass], f.looks[pass], f.nlook[pass] = f.checks[0], f.looks[0], f.nlook[0]
	}
	f.nchk++
	ck := f.checks[pass]
	m.say(i, "i_rwsem %s; write checks: %s, i_size %d", w.held, sectors(int(ck.pos), int(ck.pos+ck.count)), ck.isize)
	m.decide(s, i)
}

// check is ext4_generic_write_checks with i_size and i_disksize as they are read beside it.
func (m *machine) check(s *state, i int) checked {
	wr := m.sc.Writes[i]
	pos := wr.Pos
	if wr.Append {
		pos = int(s.isize)
	}
	return checked{
		pos: int8(pos), count: int8(min(wr.Len, m.sc.limit()-pos)),
		isize: s.isize, disksize: s.disksize, nosec: s.nosec,
	}
}

// lookup is one ext4_map_blocks of the check phase.
func (m *machine) lookup(s *state, i int) {
	w := &s.w[i]
	m.ask(i, &w.facts)
	q, pass := m.view.query, m.view.pass
	a := m.answer(s, w, pass, q)
	w.facts.looks[pass][w.facts.nlook[pass]] = a
	w.facts.nlook[pass]++
	m.say(i, "ext4_map_blocks(block %d, %d) returns %d: %s", q.Lblk, q.Len, a.n, a.kind)
	m.decide(s, i)
}

// answer is what the lookup finds, or what a planted fault makes of it.
func (m *machine) answer(s *state, w *writer, pass int, q model.Query) answer {
	a := s.look(q)
	ck := w.facts.checks[pass]
	tail := (int(ck.pos+ck.count) - 1) / m.spb
	switch {
	case m.fault == UnwrittenAsWritten && a.kind == model.Unwritten:
		a.kind = model.Written
	case m.fault == TailUnchecked && int(q.Lblk) == tail && q.Len == 1 && int(ck.pos)%m.spb == 0:
		a = answer{kind: model.Written, n: 1}
	case m.fault == TailUnchecked && int(q.Lblk) == tail && w.facts.nlook[pass] == 1:
		a = answer{kind: model.Written, n: 1}
	}
	return a
}

// ask runs the model with what the writer knows.
func (m *machine) ask(i int, f *facts) *model.Decision {
	wr := m.sc.Writes[i]
	call := model.Call{
		Pos: inBytes(wr.Pos), Len: inBytes(wr.Len), Align: alignment(wr.Len, wr.Odd),
		ISize: inBytes(int(f.guess)), Blkbits: m.sc.Blkbits, Async: model.AnswerOf(wr.Async),
	}
	if wr.Append {
		call.Flags |= model.IocbAppend
	}
	m.view = view{facts: f, odd: wr.Odd, old: !m.variant.Has(model.UnalignedShared)}
	model.Decide(&m.decision, &call, &m.view, m.variant)
	return &m.decision
}

// decide asks the model what comes next: another fact, or iomap_dio_rw.
func (m *machine) decide(s *state, i int) {
	w := &s.w[i]
	d := m.ask(i, &w.facts)
	switch {
	case m.view.asked == askedChecks:
		m.toLock(w, i, d)
	case m.view.asked == askedLookup:
		w.phase = atLookup
	case d.End == model.EndDio:
		m.settle(s, i, d)
	case d.End == model.EndChecks:
		m.say(i, "the write checks return -EFBIG; i_rwsem released")
		*w = w.rest(done)
	default:
		s.undecided = true
		*w = w.rest(done)
	}
}

// toLock makes the writer wait for i_rwsem: for its first pass, or for the second
// after it has given up the shared lock.
func (m *machine) toLock(w *writer, i int, d *model.Decision) {
	pass := m.view.pass
	w.phase, w.want = atLock, d.Pass[pass].Mode
	extends := m.sc.Writes[i].Pos+m.sc.Writes[i].Len > int(w.facts.guess)
	if pass > 0 {
		extends = d.Pass[0].Extend
		m.say(i, "%s: up_read, restart with the exclusive lock", d.Reason)
	}
	w.held = model.Unlocked
	w.lie = m.fault == ExtendingShared && w.want == model.Exclusive && extends
}

// settle keeps of a decision what the rest of the write obeys.
func (m *machine) settle(s *state, i int, d *model.Decision) {
	w := &s.w[i]
	ck := w.facts.checks[d.Passes-1]
	w.phase = atDio
	w.pos, w.end, w.next = ck.pos, ck.pos+ck.count, ck.pos
	w.drain = d.Drain == model.Yes && m.fault != NoDrain
	w.queue = d.Queue == model.Yes
	w.undrained = d.Extend && d.Drain == model.No
	if m.fault == NoForceWait {
		w.queue = m.sc.Writes[i].Async
	}
	w.facts = facts{}
	if d.Mode == model.Exclusive {
		s.nosec = true // file_modified sets S_NOSEC
	}
	w.want, w.lie = model.Unlocked, false
	m.say(i, "decided: %s (%s), %s, %s", w.held, d.Reason,
		choose(d.Drain == model.Yes, "drain", "no drain"), choose(d.ForceWait == model.Yes, "force wait", "no force wait"))
}

// choose gives one of two words to say. A constant word becomes an any at compile time,
// so that this allocates nothing in a search, which keeps no log.
func choose(yes bool, a, b any) any {
	if yes {
		return a
	}
	return b
}
