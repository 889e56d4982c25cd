package perfetto

import (
	"cmp"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/export"
)

// kind is what a track below an inode shows, in the order in which they are shown.
type kind uint8

const (
	held kind = iota
	others
	draining
	waiting
	zeroing
	inFlight
	disagreements
	numKinds
)

// kinds are the names of the tracks of each kind, and what they show.
var kinds = [numKinds]struct{ name, text string }{
	held:          {"i_rwsem held", "From the write checks on. The release is not observed: held at the latest until the write returned."},
	waiting:       {"waiting for i_rwsem", "Queued for the lock, by the tracepoints contention_begin and contention_end."},
	zeroing:       {"zeroing", "Calls of iomap_dio_zero with a length, at the moment of the call."},
	inFlight:      {"in flight", "Asynchronous writes, from the return of the write function to their completion."},
	others:        {"i_rwsem held by others", "By those who make no recorded write: reads, fallocate, truncate, buffered writes and so on."},
	draining:      {"holders that wait for direct I/O", "In inode_dio_wait, with the lock held."},
	disagreements: {"disagreements", "Where the kernel did something else than the model says."},
}

// Bounds of what is remembered of inodes and tasks; then it is begun anew.
const (
	maxInodes = 8192
	maxTasks  = 65536
	maxLanes  = 4096 // of one kind of one inode
)

// inode is what is known of the tracks of one inode.
type inode struct {
	uuid  uint64
	path  string
	lanes [numKinds][]uint64 // when each lane is free, ns
}

// hash makes a track's number from what it is for; never 0, which is a track of its own.
func hash(parts ...uint64) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for range 8 {
			h = (h ^ p&0xff) * 1099511628211
			p >>= 8
		}
	}
	return h | 1
}

// inode returns the tracks of the inode of r, and describes them when they are new or
// their name has become known.
func (w *Writer) inode(r *export.Row) *inode {
	id := r.File()
	n := w.inodes[id]
	switch {
	case n == nil:
		if len(w.inodes) >= maxInodes {
			clear(w.inodes)
			w.generation++
		}
		n = &inode{uuid: hash('i', uint64(r.Dev), r.Ino)}
		w.inodes[id] = n
	case n.path == r.Path || r.Path == "":
		return n
	}
	n.path = r.Path
	name := fmt.Sprintf("inode %d on %s", r.Ino, export.DevName(r.Dev))
	if r.Path != "" {
		name = harmless(r.Path) + " (" + name + ")"
	}
	w.describe(n.uuid, func(m *message) {
		m.text(descriptorName, name)
		m.uint(descriptorOrdering, orderExplicit)
	})
	return n
}

// describe describes a track.
func (w *Writer) describe(uuid uint64, rest func(m *message)) {
	p := w.packet()
	d := w.buf.begin(packetDescriptor)
	w.buf.uint(descriptorUUID, uuid)
	rest(&w.buf)
	w.buf.end(d)
	w.buf.end(p)
}

// lane returns a track of n for something that lasts from begin to end. Slices of one
// track must not overlap; the reader shows tracks of one name below one parent as one.
func (w *Writer) lane(n *inode, k kind, begin, end uint64) uint64 {
	best := -1
	for i, free := range n.lanes[k] {
		if free <= begin && (best < 0 || free > n.lanes[k][best]) {
			best = i
		}
	}
	if best < 0 {
		best = len(n.lanes[k]) % maxLanes
		uuid := hash(n.uuid, uint64(k), uint64(best), w.generation)
		if len(n.lanes[k]) < maxLanes {
			n.lanes[k] = append(n.lanes[k], 0)
			w.describe(uuid, func(m *message) {
				m.uint(descriptorParent, n.uuid)
				m.text(descriptorName, kinds[k].name)
				m.text(descriptorDescription, kinds[k].text)
				m.uint(descriptorRank, uint64(k))
			})
		}
	}
	n.lanes[k][best] = max(end, n.lanes[k][best])
	return hash(n.uuid, uint64(k), uint64(best), w.generation)
}

type taskID struct{ pid, tid uint32 }

// task returns the track of the task of r, and describes it when it is new or has
// another name.
func (w *Writer) task(r *export.Row) uint64 {
	// By the numbers that no other task has.
	id := taskID{cmp.Or(r.GlobalPid, r.Pid), r.Thread()}
	uuid, process := hash('t', uint64(id.pid), uint64(id.tid)), hash('p', uint64(id.pid))
	comm, ok := w.tasks[id]
	if ok && comm == r.Comm {
		return uuid
	}
	if len(w.tasks) >= maxTasks {
		clear(w.tasks)
	}
	w.tasks[id] = r.Comm
	name := harmless(r.Comm)
	w.describe(process, func(m *message) {
		p := m.begin(descriptorProcess)
		m.uint(processPid, uint64(r.Pid))
		m.text(processName, name)
		m.end(p)
	})
	w.describe(uuid, func(m *message) {
		m.uint(descriptorParent, process)
		t := m.begin(descriptorThread)
		m.uint(threadPid, uint64(r.Pid))
		m.uint(threadTid, uint64(r.Tid))
		m.text(threadName, name)
		m.end(t)
	})
	return uuid
}
