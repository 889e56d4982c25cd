package coverage

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// rebuilt is the file of a recorded write as far as it was seen, and the write. It is made
// again for each write.
type rebuilt struct {
	o     *observe.Observation
	file  sketch.File
	write sketch.Write

	looked  []extent // as the check phase found the blocks
	mapped  []extent // as ext4_iomap_begin did, behind the flush of the page cache
	cold    bool     // a lookup in the cache alone missed
	refused bool     // NOWAIT found pages in the page cache
	guess            // what is taken for what was not seen
}

// guess is what the facts that were not seen may be. A fault counts as noticed when it is so
// whatever they are.
type guess struct {
	unseen byte // state of blocks that were not looked at: W, U or H
	fresh  byte // of those that ext4_iomap_alloc filled, where it does not tell: U or H
}

// extent is blocks of one state, or, of state '?', of U or H.
type extent struct {
	first, n int64
	state    byte
}

// from takes up a recorded write, and reports whether its sketch can be tried: it came to the
// checks or was refused direct I/O, all of it was recorded, and the file did not change while it ran.
func (r *rebuilt) from(o *observe.Observation) bool {
	*r = rebuilt{o: o, looked: r.looked[:0], mapped: r.mapped[:0]}
	if o.Cut != 0 || o.Flags&model.IocbAtomic != 0 || len(o.Summed) > 0 || o.Unmoved || !o.Completed || len(o.Passes) > model.MaxPasses || o.EntryError() || !o.Align0Known {
		return false
	}
	r.file = sketch.File{Blkbits: o.Blkbits, BlockSize: 1 << o.Blkbits, Size: o.ISize0, Blocks: before{r}}
	// Addresses and lengths are recorded together: the address is taken to have all their bits, so
	// that no fault shows by it.
	r.write = sketch.Write{
		Pos: o.Pos0, Len: o.Len0, Flags: o.Flags, Caller: o.Caller, Async: o.Queued, Stale: o.FmodRet != 0,
		AlignAll: int64(o.Align0), Align: int64(o.Align0), At: o.Pos0, Left: o.Len0, Checked: o.Len0,
	}
	p := o.LastPass()
	if p == nil {
		at, refused := o.Refused()
		r.file.Busy, r.file.Journalled = refused && at == observe.AtTrylock, o.Buffered != nil
		return r.file.Busy || r.file.Journalled
	}
	for i := range o.Passes {
		q := &o.Passes[i]
		if q.ISize != o.ISize0 || q.IDisksize != p.IDisksize || q.Pos != p.Pos || q.Count != p.Count || q.Flags != p.Flags || q.Align != p.Align {
			return false
		}
	}
	if p.Flags&record.PassAlign == 0 {
		return false
	}
	r.file.Disksize, r.file.Nosec, r.file.Indirect = p.IDisksize, p.Flags&record.PassNosec != 0, p.Flags&record.PassExtents == 0
	r.write.At, r.write.Checked, r.write.Align = p.Pos, p.Count, int64(p.Align)
	if p.Count > 0 {
		r.write.Left = p.Count
	}
	r.write.Buf = r.write.Align
	r.refused = o.Dio && len(o.Mappings) == 0 && o.Ret == model.EAGAIN
	r.lookups()
	return r.mappings(p.Pos)
}

// lookups takes up what the check phase found.
func (r *rebuilt) lookups() {
	for i := range r.o.Passes {
		for _, l := range r.o.Passes[i].Lookups {
			switch state := l.State(); {
			case state == model.LookupError:
				r.cold = true
			case l.Ret > 0:
				r.looked = append(r.looked, extent{int64(l.Lblk), int64(l.Ret), letters[state]})
			default: // how far a hole goes is not known of every kernel
				r.looked = append(r.looked, extent{int64(l.Lblk), 1, letters[state]})
			}
		}
	}
}

var letters = [...]byte{model.Hole: 'H', model.Written: 'W', model.Unwritten: 'U', model.Delayed: 'D'}

// mappings takes up what ext4_iomap_begin found, for a write at pos.
func (r *rebuilt) mappings(pos int64) bool {
	b := r.file.BlockSize
	for i := range r.o.Mappings {
		m := &r.o.Mappings[i]
		if m.Err != 0 {
			switch {
			case m.LookedUp && m.LookupRet < 0:
				r.cold = true
			case m.Err == model.ENOTBLK || m.LookedUp: // it would have had to allocate
				r.mapped = append(r.mapped, extent{pos / b, 1, 'H'})
			}
			continue
		}
		state := byte('W')
		switch isNew := m.Flags&model.IomapFNew != 0; {
		case m.Type == model.IomapUnwritten && isNew:
			state = 'H'
		case m.Type == model.IomapUnwritten:
			state = 'U'
		case m.Type != model.IomapMapped:
			return false
		case isNew && m.AllocFlags == model.GetBlocksCreate:
			state = '?'
		case isNew:
			state = 'H'
		}
		r.mapped = append(r.mapped, extent{m.Offset / b, m.Length / b, state})
		pos = m.Offset + m.Length
	}
	return true
}

// guesses are all that the facts that were not seen can be.
func (r *rebuilt) guesses() []guess {
	out := []guess{{'W', 'H'}, {'U', 'H'}, {'H', 'H'}}
	if slices.ContainsFunc(r.mapped, func(x extent) bool { return x.state == '?' }) {
		out = append(out, guess{'W', 'U'}, guess{'U', 'U'}, guess{'H', 'U'})
	}
	return out
}

// attempt is what the tracer would have seen of the write on a kernel.
func (r *rebuilt) attempt(k *sketch.Kernel, g guess) *observe.Observation {
	r.guess = g
	o := k.Attempt(&r.file, &r.write)
	o.Stages |= r.o.Stages & record.StageWait // it competed for the lock all the same
	for i := range o.Passes {
		o.Passes[i].Flags = r.o.Passes[0].Flags
	}
	if o.Buffered != nil && r.o.Buffered != nil {
		o.Buffered.Refused = r.o.Buffered.Refused
	}
	return o
}

// before are the blocks as the check phase finds them.
type before struct{ *rebuilt }

// behind are they once the page cache was written back.
type behind struct{ *rebuilt }

func (b before) Flushed(int64, int64) sketch.Blocks { return behind(b) }
func (b behind) Flushed(int64, int64) sketch.Blocks { return b }
func (r *rebuilt) Cached(int64) bool                { return r.refused }

// Lookup gives the answer to the very call that was made, or one made of what is known.
func (b before) Lookup(lblk, n int64, flags uint32) observe.Lookup {
	for i := range b.o.Passes {
		for _, l := range b.o.Passes[i].Lookups {
			if int64(l.Lblk) == lblk && int64(l.Len) == n && l.ArgFlags == flags {
				return l
			}
		}
	}
	return b.lookup(b, lblk, n, flags)
}

func (b behind) Lookup(lblk, n int64, flags uint32) observe.Lookup {
	return b.lookup(b, lblk, n, flags)
}

func (r *rebuilt) lookup(b sketch.Blocks, lblk, n int64, flags uint32) observe.Lookup {
	l := observe.Lookup{Lblk: uint32(lblk), Len: uint32(n), ArgFlags: flags}
	if flags != 0 && r.cold {
		l.Ret = model.EAGAIN
		return l
	}
	state, got := b.Run(lblk, n)
	res := model.Found(states[state], uint32(got))
	l.Ret, l.MFlags = res.Ret, res.MFlags
	return l
}

var states = map[byte]model.BlockState{'W': model.Written, 'U': model.Unwritten, 'H': model.Hole, 'D': model.Delayed}

// Run is what the lookups found, then what the mappings leave no doubt about: a block that is
// written there may have been delayed before.
func (b before) Run(first, n int64) (byte, int64) {
	if s, got, ok := b.in(b.looked, first, n); ok {
		return s, got
	}
	if s, got, ok := b.in(b.mapped, first, n); ok && s != 'W' {
		return s, got
	}
	return b.unseen, max(n, 1)
}

// Run is what the mappings found, then a written block of the lookups, which stays written.
func (b behind) Run(first, n int64) (byte, int64) {
	if s, got, ok := b.in(b.mapped, first, n); ok {
		return s, got
	}
	if s, got, ok := b.in(b.looked, first, n); ok && s == 'W' {
		return s, got
	}
	return b.unseen, max(n, 1)
}

// in is the blocks from first on, at most n, in the extent that holds it. One that is shorter
// ended there.
func (r *rebuilt) in(all []extent, first, n int64) (byte, int64, bool) {
	for _, x := range all {
		if first < x.first || first >= x.first+x.n {
			continue
		}
		if x.state == '?' {
			x.state = r.fresh
		}
		return x.state, max(1, min(n, x.first+x.n-first)), true
	}
	return 0, 0, false
}

// sameAs reports whether a sketch made what was seen, in all that a verdict can depend on.
func sameAs(made, seen *observe.Observation) bool {
	return samePasses(made, seen) && sameDio(made, seen) && sameBuffered(made.Buffered, seen.Buffered)
}

func samePasses(a, b *observe.Observation) bool {
	return slices.EqualFunc(a.Passes, b.Passes, func(p, q observe.Pass) bool {
		return p.Lock == q.Lock && p.Count == q.Count && slices.EqualFunc(p.Lookups, q.Lookups, func(l, m observe.Lookup) bool {
			return l.Query() == m.Query() && l.Result() == m.Result()
		})
	}) && (a.Drain != nil) == (b.Drain != nil) && a.FmodRet == b.FmodRet && a.Fmod == b.Fmod && a.Stages.Has(record.StageFmod) == b.Stages.Has(record.StageFmod)
}

func sameDio(a, b *observe.Observation) bool {
	return a.Dio == b.Dio && a.Lock == b.Lock && a.DioFlags == b.DioFlags && a.DioOps == b.DioOps &&
		a.Ret == b.Ret && a.SubmitRet == b.SubmitRet && a.Queued == b.Queued && a.Incomplete == b.Incomplete &&
		slices.EqualFunc(a.Mappings, b.Mappings, func(m, n observe.Mapping) bool {
			return m.Err == n.Err && m.AllocFlags == n.AllocFlags && (m.Err != 0 || m.Offset == n.Offset && m.Length == n.Length && m.Type == n.Type && (m.Flags^n.Flags)&model.IomapFNew == 0)
		}) &&
		slices.EqualFunc(a.Zeroed, b.Zeroed, func(y, z observe.Zeroed) bool { return y.Pos == z.Pos && y.Len == z.Len && y.Lock == z.Lock })
}

func sameBuffered(a, b *observe.Buffered) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Pos == b.Pos && a.Len == b.Len && a.Drained == b.Drained && a.Copied == b.Copied && a.CopyLock == b.CopyLock
}
