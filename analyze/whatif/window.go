package whatif

import (
	"math/rand/v2"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// Sizes of what is kept for the simulation.
const (
	windowSteps = 8192 // writes that follow on each other
	maxWindows  = 16   // of them, chosen by chance when there are more
	steadySteps = 8    // fewer writes of a task tell nothing about its pace
)

// fileID names an inode.
type fileID struct {
	dev uint32
	ino uint64
}

// task names a writer.
type task struct {
	pid, tid uint32
	comm     string
}

// window is a part of the trace: writes in the order of their completion.
type window struct {
	steps   []step
	files   []fileID
	writers []task
	fileOf  map[fileID]int32
	taskOf  map[uint32]int32
	left    int // writes that are not in it: undecided
}

func newWindow() *window {
	return &window{fileOf: map[fileID]int32{}, taskOf: map[uint32]int32{}}
}

func (w *window) reset() {
	w.steps, w.files, w.writers, w.left = w.steps[:0], w.files[:0], w.writers[:0], 0
	clear(w.fileOf)
	clear(w.taskOf)
}

// add takes up a write. One that is undecided goes down as it did: the decision part
// has counted it.
func (w *window) add(o *observe.Observation, now, then way) {
	if now.lock == Undecided {
		w.left++
		return
	}
	if then.lock == Undecided {
		w.left++
		then = now
	}
	id := fileID{o.Dev, o.Ino}
	file, ok := w.fileOf[id]
	if !ok {
		file = int32(len(w.files))
		w.fileOf[id], w.files = file, append(w.files, id)
	}
	writer, ok := w.taskOf[o.Tid]
	if !ok {
		writer = int32(len(w.writers))
		w.taskOf[o.Tid], w.writers = writer, append(w.writers, task{o.Pid, o.Tid, o.Comm})
	}
	w.steps = append(w.steps, step{writer: writer, file: file})
	w.steps[len(w.steps)-1].fill(o, now, then)
}

// sample keeps some of the windows of a trace, each with the same chance.
type sample struct {
	kept []*window
	cur  *window
	seen int
	rng  *rand.Rand
}

func newSample(seed uint64) *sample {
	return &sample{cur: newWindow(), rng: rand.New(rand.NewPCG(seed, 1))}
}

func (s *sample) add(o *observe.Observation, now, then way) {
	s.cur.add(o, now, then)
	if len(s.cur.steps) == windowSteps {
		s.close()
	}
}

// close ends a window. What is left at the end of a trace counts when it is long
// enough, or when there is nothing else.
func (s *sample) close() {
	if n := len(s.cur.steps); n == 0 || n < windowSteps/4 && s.seen > 0 {
		s.cur.reset()
		return
	}
	s.seen++
	at := len(s.kept)
	if at == maxWindows {
		if at = s.rng.IntN(s.seen); at >= maxWindows {
			s.cur.reset()
			return
		}
		s.kept[at], s.cur = s.cur, s.kept[at]
		s.cur.reset()
		return
	}
	s.kept, s.cur = append(s.kept, s.cur), newWindow()
}
