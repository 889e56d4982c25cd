package walk

// walkK72 is section 1.5, kernel 7.2.13. base is the same but for BUF.
func (w *walk) walkK72() {
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
	var unal, extend, overwrite, unwritten bool
	for {
		if !w.gwc() { // 6.
			return
		}
		unal = w.unaligned()
		extend = w.extends()
		overwrite, unwritten = w.ovw()
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
	w.out.Fmod = "file_modified"      // 9.
	w.out.Orphan = extend             // 10.
	w.dioRW(shared, drain, forceWait) // 11. There are no overwrite ops any more.
}

// walkB3 is section 1.6, base with patch 3 [inferred] (and here with patches 1 and 2, which do not touch the checks).
func (w *walk) walkB3() {
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
	var unal, extend, overwrite, unwritten bool
	for {
		if !w.gwc() { // 6.
			return
		}
		unal = w.unaligned()
		extend = w.extends()
		overwrite, unwritten = false, false
		// OVW is not called for an aligned write that does not extend. Whether it is called, its result unused, for an aligned
		// write beyond i_disksize only is [uncertain]; taken as no.
		if unal {
			overwrite, unwritten = w.ovw()
		}
		if shared && (!in.Nosec || extend || (unal && (!overwrite || unwritten))) { // 7.
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
	if !shared && (unal || extend) { // 8. As K72.
		if in.Nowait {
			w.stop("N3", eagain)
			return
		}
		if unal && (!overwrite || unwritten) {
			drain = true
		}
		forceWait = true
	}
	w.out.Fmod = "file_modified"      // 9.
	w.out.Orphan = extend             // 10.
	w.dioRW(shared, drain, forceWait) // 11.
}
