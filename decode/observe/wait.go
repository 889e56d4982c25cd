package observe

import "github.com/ext4dio/ext4dio-trace/record"

// Wait is one time that the write was queued for i_rwsem.
type Wait struct {
	Ns   uint64
	Lock record.Lock // the mode that it waited for; LockUnknown when the kernel does not say
	AtUs uint32      // of its end, since the entry
	// Parts say who was waited for. They are disjoint, and add up to Ns; none when nobody
	// has looked for it. They are never changed once they are there, so that copies share
	// them.
	Parts []Part
}

// Part is a part of a wait, with one cause.
type Part struct {
	Cause Cause
	// Mode is that in which the lock was held, or in which the one before in the queue
	// waited for it.
	Mode record.Lock
	// Actor is the one who held the lock, or stood before in the queue; nobody when that
	// is not known. Of several who held it shared it is the one who did so the longest.
	Actor
	With   []Actor // some of those who held it shared with him
	Others int     // how many they were, those in With included
	Ns     uint64

	// HeldNs is how long the Actor held the lock, in all; 0 when that is not known, and of
	// one in the queue. BeforeNs is how much of it, or of the time in the queue, was over when
	// the wait began, and QueuedNs how long the Actor was queued for the lock.
	HeldNs, BeforeNs, QueuedNs uint64
	// Bound says that it was not seen when the Actor took the lock, or when it let go of it:
	// it did not hold it for longer than this part, and the rest of the part is nobody's.
	Bound bool
	// The Actor itself waited so long for direct I/O in flight. DrainWrites is how many
	// writes that were, as far as they are recorded, and DrainedFor names some of them.
	DrainNs     uint64
	DrainWrites int
	DrainedFor  []Actor
	// Behind is for whom the one who stood before in the queue waited itself meanwhile, for
	// most of the time; empty when that is not known. Chain is how many wait for one another
	// so, from the Actor on to who held the lock, at most.
	Behind []Link
	Chain  int
}

// Link is for whom one waits who stands before another in the queue.
type Link struct {
	Cause Cause
	Mode  record.Lock
	Actor
	Others int // how many more held it with him
	Ns     uint64
}

// Cause is why a part of a wait took place.
type Cause uint8

// Causes of parts of a wait.
const (
	CauseUnknown Cause = iota // nobody who was seen held the lock or stood before
	CauseHeld                 // others held it
	CauseQueued               // none of them held it, but another stood before in the queue
	CauseWoken                // the last of them had let go of it, and the write did not run yet
)

var causeNames = [...]string{"unknown", "held", "queued", "woken"}

// NumCauses is how many causes there are.
const NumCauses = len(causeNames)

func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return causeNames[CauseUnknown]
}

// Actor is somebody who holds i_rwsem or waits for it.
type Actor struct {
	Op       string // what he does: OpWrite, or that of a Hold
	Comm     string // raw bytes of the kernel; escape before showing
	Pid, Tid uint32
	// Write is the number of the write among those that are judged, from 1; 0 when it has
	// none, or not yet.
	Write uint64
	ID    uint64 // of the record of the write
}

// OpWrite is the Op of a direct write.
const OpWrite = "write"

// Is reports whether both are the same.
func (a *Actor) Is(b *Actor) bool { return a.Op == b.Op && a.ID == b.ID && a.Tid == b.Tid }
