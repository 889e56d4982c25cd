package walk

// walkB34 is section 1.7, base with patches 3 and 4 (and here with patches 1 and 2).
func (w *walk) walkB34() {
	in := w.in
	if !w.entry7() { // 1.
		return
	}
	shared := !(in.Pos+in.Len > in.GuessISize) // 2.
	if !w.lock(shared) {                       // 3. N1
		return
	}
	if !w.sudUpTo72() { // 4.
		w.buffered()
		return
	}
	nz := false // Set once, before the first pass.
	var extend bool
	for {
		if !w.gwc() { // 6.
			return
		}
		extend = w.extends()
		if w.unaligned() { // An aligned pass keeps the nz of the pass before.
			nz = w.nz(0)
		}
		if shared && (!in.Nosec || extend || nz) { // 7.
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
	if !shared && (nz || extend) { // 8. Unaligned alone does not make it wait.
		if in.Nowait {
			w.stop("N3", eagain)
			return
		}
		drain = nz
		forceWait = true
	}
	w.out.Fmod = "file_modified"      // 9.
	w.out.Orphan = extend             // 10.
	w.dioRW(shared, drain, forceWait) // 11.
}

// walkK73 is section 1.8, kernel 7.3.4.
func (w *walk) walkK73() {
	in := w.in
	if !w.entry7() { // 1.
		return
	}
	shared := !(in.Pos+in.Len > in.GuessISize) // 2.
	if !w.lock(shared) {                       // 3. N1
		return
	}
	if !w.sud73() { // 4.
		w.buffered()
		return
	}
	nz := false // Set once, before the first pass.
	var extend bool
	for {
		if !w.gwc() { // 6.
			return
		}
		extend = w.extends()
		if w.unaligned() { // An aligned pass keeps the nz of the pass before.
			nz = w.nz(0)
		}
		if shared && (!in.Nosec || extend || nz) { // 7.
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
	if !shared && (nz || extend) { // 8.
		if in.Nowait {
			w.stop("N3", eagain)
			return
		}
		drain = nz
		forceWait = true
	}
	w.out.Fmod = "kiocb_modified" // 9. and 1.9
	if in.Nowait && in.Stale {
		w.stop("N4", eagain)
		return
	}
	w.out.Orphan = extend             // 10.
	w.dioRW(shared, drain, forceWait) // 11.
}

// walkV2 is the whole series, patches 1 to 8, or K73 with some of the patches 6 to 8: section 1.8 with cache-only lookups under
// NOWAIT [inferred]. An nz of an unaligned first pass is kept over an aligned second one, as in K73.
func (w *walk) walkV2() {
	in := w.in
	if !w.entry7() { // 1.
		return
	}
	shared := !(in.Pos+in.Len > in.GuessISize) // 2.
	if !w.lock(shared) {                       // 3. N1
		return
	}
	if !w.sud73() { // 4.
		w.buffered()
		return
	}
	f := uint32(0)
	if in.Patch8 && in.Nowait { // [inferred]
		f = getCachedNowait
	}
	nz := false
	var extend bool
	for {
		if !w.gwc() { // 6.
			return
		}
		extend = w.extends()
		if w.unaligned() {
			nz = w.nz(f)
		}
		if shared && (!in.Nosec || extend || nz) { // 7.
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
	if !shared && (nz || extend) { // 8.
		if in.Nowait {
			w.stop("N3", eagain)
			return
		}
		drain = nz
		forceWait = true
	}
	w.out.Fmod = "kiocb_modified" // 9. and 1.9
	if in.Nowait && in.Stale {
		w.stop("N4", eagain)
		return
	}
	w.out.Orphan = extend             // 10.
	w.dioRW(shared, drain, forceWait) // 11.
}
