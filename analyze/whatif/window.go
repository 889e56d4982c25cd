package whatif

import (
	"math/rand/v2"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// Sizes of what is kept for the simulation.
const (
	windowSteps = 8192            // writes that follow on each other
	windowMost  = 2 * windowSteps // with those who held the lock meanwhile
	maxWindows  = 16              // of them, chosen by chance when there are more
	steadySteps = 8               // fewer writes of a task tell nothing about its pace
)

// fileID names an inode.
type fileID struct {
	dev uint32
	ino uint64
	gen uint32
}

// task names a writer.
type task struct {
	pid  uint32
	comm string
}

// window is a part of the trace: writes, and who else held the lock, in the order of their
// completion.
type window struct {
	steps   []step
	writes  int // among them
	files   []fileID
	writers []task
	fileOf  map[fileID]int32
	taskOf  map[uint32]int32
	open    map[uint64]int32 // steps of refused writes, by their requests
}

func newWindow() *window {
	return &window{fileOf: map[fileID]int32{}, taskOf: map[uint32]int32{}, open: map[uint64]int32{}}
}

func (w *window) reset() {
	w.steps, w.files, w.writers, w.writes = w.steps[:0], w.files[:0], w.writers[:0], 0
	clear(w.fileOf)
	clear(w.taskOf)
	clear(w.open)
}

// add takes up a write. One that is undecided goes down as it did: the decision part
// has counted it.
func (w *window) add(o *observe.Observation, now way, then *ways, as part) {
	if now.lock == Undecided {
		return
	}
	var st step
	st.fill(o, now, then)
	st.part = as
	if first, ok := w.open[o.Request]; ok && now.offload {
		st.part = w.steps[first].part
		w.steps[first].again(&st)
		return
	}
	id := fileID{o.Dev, o.Ino, o.Generation}
	st.file, st.writer = placeOf(w.fileOf, id, &w.files, id), placeOf(w.taskOf, o.Thread(), &w.writers, task{o.Pid, o.Comm})
	if now.lock == Refused {
		w.open[o.Request] = int32(len(w.steps))
	}
	w.steps = append(w.steps, st)
	if as == aWrite {
		w.writes++
	}
}

// placeOf is where the one with this key stands in a list, to which it is added when it
// is new.
func placeOf[K comparable, V any](known map[K]int32, key K, list *[]V, v V) int32 {
	at, ok := known[key]
	if !ok {
		at = int32(len(*list))
		known[key], *list = at, append(*list, v)
	}
	return at
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

func (s *sample) add(o *observe.Observation, now way, then *ways, as part) {
	s.cur.add(o, now, then, as)
	s.full()
}

func (s *sample) hold(h *observe.Hold) {
	s.cur.hold(h)
	s.full()
}

// full ends a window that is.
func (s *sample) full() {
	if s.cur.writes == windowSteps || len(s.cur.steps) == windowMost {
		s.keep()
	}
}

// close ends the last window. It counts when it is long enough, or when there is nothing else.
func (s *sample) close() {
	if len(s.cur.steps) < windowSteps/4 && s.seen > 0 {
		s.cur.reset()
	}
	s.keep()
}

// keep keeps a window with the chance of any other, unless nobody writes in it.
func (s *sample) keep() {
	if s.cur.writes == 0 {
		s.cur.reset()
		return
	}
	s.seen++
	if len(s.kept) < maxWindows {
		s.kept, s.cur = append(s.kept, s.cur), newWindow()
		return
	}
	if at := s.rng.IntN(s.seen); at < maxWindows {
		s.kept[at], s.cur = s.cur, s.kept[at]
	}
	s.cur.reset()
}
