package walk

// walkPatch4 is docs/kernel.md#stage-patch4, base with patches 3 and 4 (and here with patches 1 and 2).
func (w *walk) walkPatch4() {
	in := w.in
	if !w.entry7() { // 1.
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
	nz := false // Set once, before the first pass.
	var extend bool
	for {
		if !w.checks() { // 6.
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

// walk73 is docs/kernel.md#linux-73, kernel 7.3.4.
func (w *walk) walk73() {
	in := w.in
	if !w.entry7() { // 1.
		return
	}
	shared := !(in.Pos+in.Len > in.GuessISize) // 2.
	if !w.lock(shared) {                       // 3. N1
		return
	}
	if !w.useDio73() { // 4.
		w.buffered()
		return
	}
	nz := false // Set once, before the first pass.
	var extend bool
	for {
		if !w.checks() { // 6.
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
	w.out.Fmod = "kiocb_modified" // 9.
	if in.Nowait && in.Stale {
		w.stop("N4", eagain)
		return
	}
	w.out.Orphan = extend             // 10.
	w.dioRW(shared, drain, forceWait) // 11.
}

// walkSeriesV2 is the whole series, patches 1 to 8, or 7.3 with some of the patches 6 to 8: docs/kernel.md#stage-series-v2,
// with cache-only lookups under NOWAIT (inferred). An nz of an unaligned first pass is kept over an aligned second one, as in
// 7.3.
func (w *walk) walkSeriesV2() {
	in := w.in
	if !w.entry7() { // 1.
		return
	}
	shared := !(in.Pos+in.Len > in.GuessISize) // 2.
	if !w.lock(shared) {                       // 3. N1
		return
	}
	if !w.useDio73() { // 4.
		w.buffered()
		return
	}
	f := uint32(0)
	if in.Patch8 && in.Nowait { // (inferred)
		f = getCachedNowait
	}
	nz := false
	var extend bool
	for {
		if !w.checks() { // 6.
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
	w.out.Fmod = "kiocb_modified" // 9.
	if in.Nowait && in.Stale {
		w.stop("N4", eagain)
		return
	}
	w.out.Orphan = extend             // 10.
	w.dioRW(shared, drain, forceWait) // 11.
}
