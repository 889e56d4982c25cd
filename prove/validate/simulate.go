package validate

import (
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// simKernel is something that decides about a write to a simulated file.
type simKernel interface {
	attempt(f *simFile, w *simWrite) *observe.Observation
	extends() bool // i_size moves when a write went beyond it
}

// simBlockSize is the block size that a scenario needs, or the usual one.
func simBlockSize(sc *Scenario) int64 {
	for _, r := range sc.Requires {
		if r.Key == "blocksize" {
			return r.Values[0]
		}
	}
	return 4096
}

// needs reports whether a scenario requires a trait to have this value.
func needs(sc *Scenario, trait string, value int64) bool {
	return slices.ContainsFunc(sc.Requires, func(r Requirement) bool { return r.Key == trait && r.Values[0] == value })
}

// uring reports whether a write is first tried without waiting: io_uring does, and
// a loop device does or does not.
func uring(w *Write) bool {
	return strings.HasPrefix(string(w.Engine), string(workload.IOUring)) || w.Engine == "loop"
}

// simulateAttempts makes the attempts of a write and returns the last.
func simulateAttempts(f *simFile, w *Write, k simKernel, stale bool) *observe.Observation {
	asked := w.Flags&unix.RWF_NOWAIT != 0
	try := &simWrite{Write: w, nowait: asked || uring(w), async: uring(w) || w.Engine == workload.Libaio, stale: stale}
	o := k.attempt(f, try)
	f.after(o, k.extends())
	if !asked && try.nowait && (o.Ret == -int64(unix.EAGAIN) || o.Ret == -int64(unix.EOPNOTSUPP)) {
		again := *try
		again.nowait = false
		o = k.attempt(f, &again)
		f.after(o, k.extends())
	}
	return o
}

// modelKernel asks the model, as the generated writes do.
type modelKernel struct {
	variant model.Variant
	told    func(pos int64, out *model.Outcome) // of each attempt, when not nil
}

func (modelKernel) extends() bool { return true }

func (k modelKernel) attempt(f *simFile, w *simWrite) *observe.Observation {
	in := k.inode(f, w)
	req := &model.Write{Pos: w.Pos, Len: int64(w.Len()), Async: w.async}
	at := w.Buf
	for _, n := range w.Segs {
		req.Buffer |= uint32(at)
		if len(w.Segs) > 1 {
			req.Buffer |= uint32(n)
		}
		at += n
	}
	if w.nowait {
		req.Flags |= model.IocbNowait
	}
	if w.append() {
		req.Flags |= model.IocbAppend
	}
	var out model.Outcome
	if err := model.Predict(&out, req, in, k.variant); err != nil {
		return &observe.Observation{Incomplete: err.Error(), Ret: 1 << 62}
	}
	if k.told != nil {
		k.told(in.Start(req), &out)
	}
	return k.observation(f, in, req, &out)
}

// What ext4 can hold: 2^32-1 blocks with extents, and less with a block map.
func maxBytes(bs int64) int64 { return (1<<32 - 1) * bs }

func bitmapBytes(bs int64) int64 { return (bs/4*(bs/4)*(bs/4) + bs/4*(bs/4)) * bs }

func (k modelKernel) inode(f *simFile, w *simWrite) *model.Inode {
	var exts model.Extents
	for b := int64(0); b < int64(len(f.state)); {
		s, n := f.run(b, int64(len(f.state))-b)
		exts = append(exts, model.Extent{Len: uint32(n), State: map[byte]model.BlockState{
			'W': model.Written, 'U': model.Unwritten, 'H': model.Hole, 'D': model.Delayed,
		}[s]})
		b += n
	}
	in := model.NewInode(uint8(bits.TrailingZeros64(uint64(f.bs))), f.size, exts)
	in.IDisksize, in.Nosec, in.Indirect = f.disk, f.nosec, f.indirect
	in.Direct.Journal = model.AnswerOf(f.journalled)
	in.Limits = model.Limits{Immutable: f.immutable, MaxBytes: maxBytes(f.bs), BitmapBytes: bitmapBytes(f.bs), SectorSize: 512}
	if w.Limit >= 0 {
		in.Limits.Fsize = w.Limit
	}
	in.Stale, in.Busy = w.stale, w.Held >= 0
	if f.cold {
		in.Cache = model.CacheCold
	}
	f.blocks(w.Pos, int64(w.Len()), func(b int64) { in.Cached = in.Cached || f.cached[b] })
	return in
}

// observation is what would be observed of the outcome.
func (k modelKernel) observation(f *simFile, in *model.Inode, w *model.Write, out *model.Outcome) *observe.Observation {
	locks := map[model.Mode]record.Lock{model.Shared: record.LockShared, model.Exclusive: record.LockExclusive}
	o := &observe.Observation{Blkbits: in.Blkbits, Ret: out.Result, Queued: out.Queued}
	pos := w.Pos
	if w.Flags&model.IocbAppend != 0 {
		pos = f.size
	}
	for i := range out.Passes {
		p := observe.Pass{Lock: locks[out.Pass[i].Mode], Pos: pos, Count: simCount(in, w), ISize: f.size, IDisksize: f.disk, Flags: record.PassAlign}
		p.Align = w.Buffer | uint32(p.Count)
		if f.nosec {
			p.Flags |= record.PassNosec
		}
		for q := range out.Pass[i].N {
			ask := out.Pass[i].Queries[q]
			l := f.lookup(int64(ask.Lblk), int64(ask.Len), ask.Flags)
			l.Ret = out.Pass[i].Rets[q]
			if k.variant == model.Linux61 {
				l.MFlags &^= model.MapDelayed
			}
			p.Lookups = append(p.Lookups, l)
		}
		o.Passes = append(o.Passes, p)
	}
	if out.Drain == model.Yes {
		o.Drain = &observe.Drain{}
	}
	for _, s := range out.Steps() {
		if s.Func() == out.Modifier.String() {
			o.Stages |= record.StageFmod
			o.FmodRet, o.FmodKnown = int(s.A), true
		}
	}
	if out.End == model.EndDio {
		o.Dio, o.Lock = true, locks[out.Mode]
		if out.ForceWait == model.Yes {
			o.DioFlags = model.DioForceWait
		}
	}
	for _, m := range out.Mappings {
		o.Mappings = append(o.Mappings, observe.Mapping{
			Offset: int64(m.Lblk) * f.bs, Length: int64(m.Len) * f.bs, Type: m.Type, Flags: m.Flags, AllocFlags: m.Alloc, Err: m.Err,
		})
	}
	for _, z := range out.Zeroed {
		o.Zeroed = append(o.Zeroed, observe.Zeroed{Pos: z.Pos, Len: z.Len})
	}
	switch {
	case out.Result == model.EOPNOTSUPP: // ext4_buffered_write_iter was entered
		o.Buffered = &observe.Buffered{Pos: pos, Len: simCount(in, w)}
	case out.Fallback.Len > 0:
		o.Buffered = &observe.Buffered{Pos: out.Fallback.Pos, Len: out.Fallback.Len, Drained: out.FallbackDrain, Copied: true, CopyLock: record.LockExclusive}
	}
	return o
}

// simCount is what the limits leave of a write; the model keeps it to itself.
func simCount(in *model.Inode, w *model.Write) int64 {
	n := w.Len
	if l := in.Limits.Fsize; l > w.Pos {
		n = min(n, l-w.Pos)
	}
	return n
}
