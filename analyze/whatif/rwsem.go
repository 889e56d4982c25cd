package whatif

// What the kernel's rwsem does when tasks queue.
const (
	// maxWoken is how many readers are woken together.
	maxWoken = 256
	// handoffAfter is how long the first writer in the queue is passed over, ns.
	handoffAfter = 4_000_000
)

// waiter is a job in the queue of a lock.
type waiter struct {
	job   int32
	write bool
	since int64
}

// rwsem is i_rwsem of one inode: readers and writers queue first come, first served;
// when a reader comes to the head, all readers in the queue are woken; a lock that is
// free may be taken before a writer that was woken is there, until that has waited for
// long enough and is handed the lock.
type rwsem struct {
	writer  bool
	readers int
	queue   []waiter
	// waking: the writer at the head was woken and will try at some time.
	waking  bool
	handoff bool
	shared  bool // by those who held it last for their I/O
}

func (l *rwsem) free() bool { return !l.writer && l.readers == 0 }

// take tries to get the lock at once. One that is held shared is not taken over the
// heads of those that wait; one that is free is, unless it was promised.
func (l *rwsem) take(write bool) bool {
	switch {
	case l.writer || l.handoff:
		return false
	case write && l.readers == 0:
		l.writer = true
	case !write && (l.readers == 0 || len(l.queue) == 0):
		l.readers++
	default:
		return false
	}
	return true
}

// drop gives the lock back.
func (l *rwsem) drop(write bool) {
	if write {
		l.writer = false
	} else {
		l.readers--
	}
}

// lock lets a job take the lock, or queues it.
func (s *sim) lock(j int32, write bool) {
	l := &s.locks[s.jobs[j].file]
	if l.take(write) {
		s.locked(j)
		return
	}
	l.queue = append(l.queue, waiter{j, write, s.now})
	s.readersFirst(l)
}

// unlock gives a lock back and wakes who is next. It reports whether that is a writer.
func (s *sim) unlock(file int32, write bool) (woke bool) {
	l := &s.locks[file]
	l.drop(write)
	s.wake(file)
	return l.waking && l.free()
}

// wake wakes the head of the queue of a lock that is free.
func (s *sim) wake(file int32) {
	l := &s.locks[file]
	if len(l.queue) == 0 || !l.free() {
		return
	}
	if s.readersFirst(l) || l.waking {
		return
	}
	l.waking = true
	s.at(s.now+s.wakeNs, evWoken, file)
}

// woken is the writer at the head trying to get the lock.
func (s *sim) woken(file int32) {
	l := &s.locks[file]
	l.waking = false
	head := l.queue[0]
	if l.free() {
		l.writer, l.handoff = true, false
		l.queue = l.queue[1:]
		s.granted(head)
		return
	}
	if s.now-head.since > handoffAfter {
		l.handoff = true
	}
}

// readersFirst gives the lock to all readers in the queue when one is at its head and
// no writer holds it.
func (s *sim) readersFirst(l *rwsem) bool {
	if len(l.queue) == 0 || l.queue[0].write || l.writer {
		return false
	}
	var woken []waiter
	kept := l.queue[:0:0]
	for _, w := range l.queue {
		if w.write || len(woken) == maxWoken {
			kept = append(kept, w)
			continue
		}
		woken = append(woken, w)
	}
	l.queue = kept
	l.readers += len(woken)
	for _, w := range woken {
		s.granted(w)
	}
	return true
}

// granted ends the wait of a job.
func (s *sim) granted(w waiter) {
	s.jobs[w.job].waited += s.now - w.since
	s.locked(w.job)
}
