package export

import (
	"fmt"
	"strings"
)

// byProcess puts the threads of a process together. It has the name of those of its threads
// that wrote most, a thread of io-wq being none of its own.
func (b *Breakdown) byProcess() []TableLine {
	processes := parts[uint32]{}
	processes.All, processes.Rest = map[uint32]*Part{}, b.processes.Rest
	threads := map[uint32][]TableLine{}
	for _, n := range list(&b.processes, describeThread) {
		if n.Name == otherParts {
			continue
		}
		p := processes.All[n.Pid]
		if p == nil {
			p = new(Part)
			processes.All[n.Pid] = p
		}
		p.Merge(&n.Part)
		threads[n.Pid] = append(threads[n.Pid], n)
	}
	return list(&processes, func(pid uint32, n *TableLine) {
		of := threads[pid]
		n.Pid, n.Comm = pid, nameOf(of)
		n.Name = fmt.Sprintf("%s (pid %d)", n.Comm, pid)
		if n.Comm == "" {
			n.Name = fmt.Sprintf("pid %d, by io-wq", pid)
		}
		if len(of) > 1 {
			n.Threads = of
		}
	})
}

const byWorker = "by io-wq"

func describeThread(k ProcessID, n *TableLine) {
	n.Pid, n.Comm, n.Name = k.Pid, k.Comm, k.Comm
	if k.Worker {
		n.Name = byWorker
		if !IsWorkerName(k.Comm) {
			n.Name += " for " + k.Comm
		}
	}
}

// IsWorkerName reports whether a name is that of a thread of io-wq: in traces of before
// they had that of their process.
func IsWorkerName(comm string) bool { return strings.HasPrefix(comm, "iou-wrk-") }

// nameOf is the name of a process, by its threads, those with the most writes first;
// empty when none of them tells it.
func nameOf(threads []TableLine) string {
	best, writes := "", uint64(0)
	for i := range threads {
		if t := &threads[i]; !IsWorkerName(t.Comm) && t.Writes > writes {
			best, writes = t.Comm, t.Writes
		}
	}
	return best
}
