package walk

// walk72 is docs/kernel.md#linux-72, kernel 7.2.13. base is the same but for the drain of the buffered fallback.
func (w *walk) walk72() {
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
	var unal, extend, overwrite, unwritten bool
	for {
		if !w.checks() { // 6.
			return
		}
		unal = w.unaligned()
		extend = w.extends()
		overwrite, unwritten = w.overwriteIO()
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

// walkPatch3 is docs/kernel.md#stage-patch3, base with patch 3, inferred (and here with patches 1 and 2, which do not touch
// the checks).
func (w *walk) walkPatch3() {
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
	var unal, extend, overwrite, unwritten bool
	for {
		if !w.checks() { // 6.
			return
		}
		unal = w.unaligned()
		extend = w.extends()
		overwrite, unwritten = false, false
		// ext4_overwrite_io is not called for an aligned write that does not extend. Whether it is called, its result unused, for
		// an aligned write beyond i_disksize only is [uncertain]; taken as no.
		if unal {
			overwrite, unwritten = w.overwriteIO()
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
	if !shared && (unal || extend) { // 8. As 7.2.
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
