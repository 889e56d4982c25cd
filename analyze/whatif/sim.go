package whatif

import "math/rand/v2"

// job is one write that is under way, or one time that somebody else holds the lock.
type job struct {
	step   int32
	writer int32 // of the simulation
	file   int32
	depth  int32 // of what its I/O was drawn from
	way    way
	again  bool // it holds, or wants, the second lock
	begun  int64
	waited int64
	device int64
}

// actor is a writer in the simulation.
type actor struct {
	pace   *pace
	next   int // index in pace.steps
	flying int
	stuck  bool // as many in flight as ever: the next write waits for one of them
}

// sim repeats the writes of a scene. It is deterministic.
type sim struct {
	runOptions
	sc  *scene
	rng *rand.Rand

	now    int64
	seq    uint64
	events agenda
	jobs   []job
	unused []int32
	actors []actor
	locks  []rwsem
	flying []int32   // direct I/O in flight of each file
	drains [][]int32 // jobs that wait until that is 0
	disks  map[uint32]int

	from int64 // counting begins
	out  tally
}

// pool is what service times are drawn from: writes of one writer and about one size.
type pool struct {
	writer int32
	class  int8
}

// runOptions are those of one run.
type runOptions struct {
	then    bool  // with the locks of a change
	change  int   // of this one
	alone   bool  // who makes no write is not there
	wakeNs  int64 // from the wake-up of a writer until it tries to lock
	seed    uint64
	writers int // of the same mix; 0: those of the scene
}

func newSim(sc *scene, o runOptions) *sim {
	s := &sim{
		runOptions: o, sc: sc, rng: rand.New(rand.NewPCG(o.seed, 2)),
		locks: make([]rwsem, len(sc.w.files)), flying: make([]int32, len(sc.w.files)), drains: make([][]int32, len(sc.w.files)),
		disks: map[uint32]int{},
	}
	for _, i := range sc.pick(o.writers, o.seed) {
		if o.alone && sc.paces[i].holds {
			continue
		}
		s.actors = append(s.actors, actor{pace: &sc.paces[i]})
	}
	s.out = newTally(len(sc.w.files), len(s.actors))
	return s
}

// run simulates a time of span ns, at most so many writes, and counts what is complete
// after a tenth of both.
func (s *sim) run(span int64, most int) *tally {
	s.start()
	warm := span / 10
	counting := false
	for len(s.events) > 0 {
		e := s.events.pop()
		if e.at > span || s.out.writes >= most {
			break
		}
		if s.now = e.at; !counting && (s.now >= warm || s.out.writes >= most/10) {
			counting = true
			s.from = s.now
			s.out.reset()
		}
		s.step(e)
	}
	s.out.span = max(1, s.now-s.from)
	return &s.out
}

// start lets the writers begin: steady ones somewhere in their sequence, the others when
// they did.
func (s *sim) start() {
	for i := range s.actors {
		a := &s.actors[i]
		if len(a.pace.steps) == 0 {
			continue // it held the lock in a pause only
		}
		at := a.pace.first
		if a.pace.steady {
			a.next = s.rng.IntN(len(a.pace.steps))
			at = a.pace.gaps[a.next]
		}
		s.at(at, evEnter, int32(i))
	}
}

func (s *sim) at(t int64, kind eventKind, of int32) {
	s.seq++
	s.events.push(event{at: t, seq: s.seq, kind: kind, of: of})
}

func (s *sim) step(e event) {
	switch e.kind {
	case evEnter:
		s.enter(e.of)
	case evLock:
		s.firstLock(e.of)
	case evChecked:
		j := &s.jobs[e.of]
		s.unlock(j.file, j.way.first == Exclusive)
		s.jobs[e.of].again = true
		s.lock(e.of, true)
	case evDrain:
		s.drain(e.of)
	case evSubmit:
		s.submit(e.of)
	case evReturn:
		j := &s.jobs[e.of]
		s.unlock(j.file, j.way.lock == Exclusive)
		if !j.way.offload {
			s.returned(j.writer, false)
		}
	case evBack:
		s.returned(e.of, false)
	case evComplete:
		s.complete(e.of)
	case evWoken:
		s.woken(e.of)
	}
}

// enter begins a writer's next write.
func (s *sim) enter(writer int32) {
	a := &s.actors[writer]
	n := a.pace.steps[a.next]
	a.next = (a.next + 1) % len(a.pace.steps)
	a.flying++
	st := &s.sc.w.steps[n]
	j := s.newJob()
	s.jobs[j] = job{step: n, writer: writer, file: st.file, way: st.now, begun: s.now}
	if s.then {
		s.jobs[j].way = st.then[s.change]
	}
	s.draw(&s.jobs[j], st)
	at := s.now + st.pre
	if s.jobs[j].way.offload {
		s.at(s.now+st.back, evBack, writer)
		at += s.hop(st)
	}
	s.at(at, evLock, j)
}

// hop is how long a write takes to the thread that makes it after it was refused. One that
// was not refused in the trace takes as long as a thread does to wake up.
func (s *sim) hop(st *step) int64 {
	if st.now.offload {
		return st.hop
	}
	return s.wakeNs
}

func (s *sim) newJob() int32 {
	if n := len(s.unused); n > 0 {
		j := s.unused[n-1]
		s.unused = s.unused[:n-1]
		return j
	}
	s.jobs = append(s.jobs, job{})
	return int32(len(s.jobs) - 1)
}

// draw gives a job the service time of one of its writer's writes of about its size.
func (s *sim) draw(j *job, st *step) {
	if j.way.lock != Shared && j.way.lock != Exclusive {
		return
	}
	from := s.sc.pools[pool{st.writer, int8(sizeClass(st.size))}]
	if len(from) == 0 {
		from = s.sc.pools[pool{-1, int8(sizeClass(st.size))}]
	}
	if len(from) == 0 || !st.writes() {
		j.device, j.depth = st.device, st.depth
		return
	}
	other := &s.sc.w.steps[from[s.rng.IntN(len(from))]]
	j.device, j.depth = other.device, other.depth
}

// firstLock is where a write comes to i_rwsem.
func (s *sim) firstLock(n int32) {
	j := &s.jobs[n]
	st := &s.sc.w.steps[j.step]
	switch j.way.lock {
	case Refused, Ended:
		s.at(s.now+st.submit, evComplete, n)
	case Buffered:
		s.lock(n, true)
	default:
		write := j.way.lock == Exclusive
		if j.way.again {
			write = j.way.first == Exclusive
		}
		s.lock(n, write)
	}
}

// locked goes on with a job that got the lock that it wanted.
func (s *sim) locked(n int32) {
	j := &s.jobs[n]
	st := &s.sc.w.steps[j.step]
	switch {
	case j.way.again && !j.again:
		s.at(s.now+st.check, evChecked, n)
	case j.way.drain && !st.writes():
		s.at(s.now+st.check, evDrain, n)
	case j.way.drain && s.flying[j.file] > 0:
		s.drains[j.file] = append(s.drains[j.file], n)
	default:
		s.at(s.now+s.others(j, st)+st.submit, evSubmit, n)
	}
}

// drain lets a job that is no write go on once no direct I/O is in flight.
func (s *sim) drain(n int32) {
	j := &s.jobs[n]
	if s.flying[j.file] > 0 {
		s.drains[j.file] = append(s.drains[j.file], n)
		return
	}
	s.at(s.now+s.sc.w.steps[j.step].submit, evSubmit, n)
}

// others is how long an exclusive write waits for holders that are not in the trace.
// Where shared holders were before it, they had the lock together with those.
func (s *sim) others(j *job, st *step) int64 {
	if j.way.lock != Exclusive || s.locks[j.file].shared || s.alone {
		return 0
	}
	j.waited += st.others
	return st.others
}
