package whatif

// measured is what the trace itself shows of a scene.
func (sc *scene) measured() *tally {
	t := &tally{files: make([]share, len(sc.w.files)), actors: make([]share, len(sc.w.writers)), span: max(1, sc.to-sc.from)}
	for i := range sc.w.steps {
		st := &sc.w.steps[i]
		if end := st.entry + st.end - sc.begin; end < sc.from || end > sc.to {
			continue
		}
		t.add(st, &job{writer: st.writer, file: st.file, way: st.now, waited: st.waited}, st.end)
		t.depth = max(t.depth, int(st.depth))
	}
	return t
}
