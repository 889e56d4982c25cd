package export

import (
	"fmt"
	"strings"
)

// byProcess puts the threads of a process together. It has the name of those of its threads
// that wrote most, a thread of io-wq being none of its own.
func (b *Breakdown) byProcess() []TableLine {
	processes := parts[ProcessNumber]{}
	processes.All, processes.Rest = map[ProcessNumber]*Part{}, b.processes.Rest
	threads := map[ProcessNumber][]TableLine{}
	for _, n := range list(&b.processes, describeThread) {
		if n.Name == otherParts {
			continue
		}
		p := processes.All[n.number]
		if p == nil {
			p = new(Part)
			processes.All[n.number] = p
		}
		p.Merge(&n.Part)
		threads[n.number] = append(threads[n.number], n)
	}
	return list(&processes, func(k ProcessNumber, n *TableLine) {
		of := threads[k]
		n.Pid, n.Comm = k.Pid, nameOf(of)
		n.Name = fmt.Sprintf("%s (pid %s)", n.Comm, k.Number())
		if n.Comm == "" {
			n.Name = fmt.Sprintf("pid %s, by io-wq", k.Number())
		}
		if len(of) > 1 {
			n.Threads = of
		}
	})
}

const byWorker = "by io-wq"

func describeThread(k ProcessID, n *TableLine) {
	n.number, n.Pid, n.Comm, n.Name = k.ProcessNumber, k.Pid, k.Comm, k.Comm
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
