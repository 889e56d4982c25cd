package whatif

// measured is what the trace itself shows of a scene.
func (sc *scene) measured() *tally {
	t := newTally(len(sc.w.files), len(sc.w.writers))
	t.span = max(1, sc.to-sc.from)
	for i := range sc.w.steps {
		st := &sc.w.steps[i]
		if st.part != aWrite {
			continue
		}
		if end := st.entry + st.end - sc.begin; end < sc.from || end > sc.to {
			continue
		}
		t.add(&job{writer: st.writer, file: st.file, way: st.now, waited: st.waited}, st.end)
		t.depth = max(t.depth, int(st.depth))
	}
	return &t
}
