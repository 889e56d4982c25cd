package walk

// walk61 is docs/kernel.md#linux-61, kernel 6.1.192.
func (w *walk) walk61() {
	in := w.in
	if !w.entry6() { // 1.
		return
	}
	// 2. Before any lock and any write check, from the position and the iter as they came. Never computed again.
	unal := (in.Pos|w.alignment(in.Len))&w.mask != 0
	shared := !unal
	if in.Pos+in.Len > in.GuessISize {
		shared = false
	}
	if !w.lock(shared) { // 3. N1
		return
	}
	if !w.useDioUpTo72() { // 4.
		w.buffered()
		return
	}
	extend := false
	for {
		if !w.checks() { // 5.
			return
		}
		if w.extends() { // 6. Sticky: no later pass takes it back.
			extend = true
		}
		// 7. In this order: the lookup is made only with NOSEC and when not extending.
		if shared && (!in.Nosec || extend || !w.overwrite61()) {
			if in.Nowait {
				w.stop("N2", eagain)
				return
			}
			shared = false
			continue
		}
		break
	}
	w.out.Fmod = "file_modified"       // 8. Blocking even under NOWAIT.
	if in.Nowait && (unal || extend) { // 9. N3, after file_modified
		w.stop("N3", eagain)
		return
	}
	// 10. The inline-data state bit cannot be seen here.
	drain := unal               // 11.
	w.out.Orphan = extend       // 12.
	w.out.OverwriteOps = shared // 13.
	w.dioRW(shared, drain, unal || extend)
}

// walk612 is docs/kernel.md#linux-612, kernel 6.12.107.
func (w *walk) walk612() {
	in := w.in
	if !w.entry6() { // 1.
		return
	}
	shared := !(in.Pos+in.Len > in.GuessISize) // 2.
	if !w.lock(shared) {                       // 3. N1
		return
	}
	if !w.useDioUpTo72() { // 4.
		w.buffered()
		return
	}
	// 5. The inline-data state bit cannot be seen here.
	var unal, extend, overwrite, unwritten bool
	for {
		if !w.checks() { // 6.
			return
		}
		unal = w.unaligned()
		extend = w.extends()
		overwrite, unwritten = w.overwriteIO()                                    // In every pass, in either mode, aligned or not.
		if shared && (!in.Nosec || extend || !overwrite || (unal && unwritten)) { // 7.
			if in.Nowait {
				w.stop("N2", eagain)
				return
			}
			shared = false
			continue
		}
		break
	}
	drain, forceWait := false, false
	if !shared && (unal || extend) { // 8.
		if in.Nowait {
			w.stop("N3", eagain)
			return
		}
		if unal && (!overwrite || unwritten) {
			drain = true
		}
		forceWait = true
	}
	w.out.Fmod = "file_modified" // 9.
	w.out.Orphan = extend        // 10.
	w.out.OverwriteOps = shared && !unwritten
	w.dioRW(shared, drain, forceWait) // 11.
}
