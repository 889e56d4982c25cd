package whatif

// transfers reports whether a job has I/O, rather than only the lock.
func (s *sim) transfers(j *job) bool {
	return (j.way.lock == Shared || j.way.lock == Exclusive) && s.sc.w.steps[j.step].part != aHold
}

// submit starts the I/O of a job.
func (s *sim) submit(n int32) {
	j := &s.jobs[n]
	if !s.transfers(j) {
		s.at(s.now, evComplete, n)
		return
	}
	st := &s.sc.w.steps[j.step]
	dev := s.sc.w.files[j.file].dev
	s.disks[dev]++
	s.flying[j.file]++
	took := int64(float64(j.device) * s.sc.disk.scale(s.disks[dev], int(j.depth)))
	if st.writes() {
		s.out.depth = max(s.out.depth, s.disks[dev])
	}
	if j.way.queued {
		tail := int64(0)
		if st.now.queued {
			tail = min(st.tail, took)
		}
		s.at(s.now+tail, evReturn, n)
	}
	s.at(s.now+took, evComplete, n)
}

// complete ends the I/O of a job, and the job.
func (s *sim) complete(n int32) {
	j := s.jobs[n]
	if s.transfers(&j) {
		s.disks[s.sc.w.files[j.file].dev]--
		s.landed(j.file)
	}
	woke := false
	if !j.way.queued {
		switch j.way.lock {
		case Shared, Exclusive, Buffered:
			s.locks[j.file].shared = j.way.lock == Shared
			woke = s.unlock(j.file, j.way.lock != Shared)
		}
	}
	s.unused = append(s.unused, n)
	if s.sc.w.steps[j.step].part == aWrite {
		s.out.add(&j, s.now-j.begun)
	}
	s.actors[j.writer].flying--
	alone := j.way.queued && j.way.lock != Refused && j.way.lock != Ended // the writer went on before
	if !alone && !j.way.offload {
		s.returned(j.writer, woke)
	} else if a := &s.actors[j.writer]; a.stuck {
		a.stuck = false
		s.goOn(j.writer, false)
	}
}

// landed counts an I/O less in flight, and lets those go on that wait for the last.
func (s *sim) landed(file int32) {
	s.flying[file]--
	if s.flying[file] > 0 {
		return
	}
	waiting := s.drains[file]
	s.drains[file] = nil
	for _, n := range waiting {
		s.at(s.now+s.sc.w.steps[s.jobs[n].step].submit, evSubmit, n)
	}
}

// returned is a writer coming back from the write function.
func (s *sim) returned(writer int32, woke bool) {
	a := &s.actors[writer]
	if a.flying >= a.pace.depth {
		a.stuck = true
		return
	}
	s.goOn(writer, woke)
}

// goOn schedules a writer's next write.
func (s *sim) goOn(writer int32, woke bool) {
	a := &s.actors[writer]
	s.at(s.now+s.gap(a, woke), evEnter, writer)
}
