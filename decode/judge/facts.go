package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// facts answers the model's questions from an observation. It implements
// model.World.
type facts struct {
	o    *observe.Observation
	call model.Call
	// raced has a bit for every pass whose i_disksize is taken to have grown to
	// i_size after it was read: writeback moves it without i_rwsem.
	raced uint8
	// assume answers a lookup that was not made from the mapping that the write
	// got later, when that one is written.
	assume bool

	asked [model.MaxPasses]int // lookups of each pass that were answered
	// unanswered is set when the model asked for a lookup that was not made, or
	// was made with other arguments.
	unanswered bool
	wantPass   int
	want       model.Query
	// noModified is set when the model asked for the result of file_modified, and
	// it was not called.
	noModified bool
}

func (f *facts) reset(o *observe.Observation) {
	*f = facts{o: o}
	f.call = model.Call{
		Pos: o.Pos0, Len: o.Len0,
		Align: model.Alignment{Bits: o.Align0, Known: o.Align0Known},
		ISize: guessSize(o), Flags: o.Flags, Blkbits: o.Blkbits,
		Async: asyncCaller(o.Caller),
	}
}

// again prepares for another decision about the same write.
func (f *facts) again(raced uint8, assume bool) {
	f.raced, f.assume = raced, assume
	f.asked = [model.MaxPasses]int{}
	f.unanswered, f.noModified = false, false
}

// guessSize is the i_size that the lockless guess saw. It reads i_size after the
// entry was recorded and before the lock is held, so when i_size moved from the
// entry to the first pass, it can have seen any value: the lock that was taken
// tells what it made of it.
func guessSize(o *observe.Observation) int64 {
	if len(o.Passes) == 0 || o.Passes[0].ISize == o.ISize0 {
		return o.ISize0
	}
	return sizeFor(o, o.Passes[0].Lock == record.LockExclusive)
}

// sizeFor is an i_size that leads to this guess, one that was seen if possible.
func sizeFor(o *observe.Observation, exclusive bool) int64 {
	end := o.Pos0 + o.Len0
	for _, size := range [...]int64{o.ISize0, o.Passes[0].ISize} {
		if exclusive == (end > size) {
			return size
		}
	}
	if exclusive {
		return end - 1
	}
	return end
}

func asyncCaller(c record.Caller) model.Answer {
	switch c {
	case record.CallerUnknown:
		return model.Unknown
	case record.CallerSync, record.CallerNFSD, record.CallerKthread:
		return model.No
	default:
		return model.Yes
	}
}

// Trylock tells from what followed whether the trylock succeeded.
func (f *facts) Trylock(model.Mode) model.Answer {
	return model.AnswerOf(len(f.o.Passes) > 0 || f.o.Buffered != nil)
}

// UseDio tells from what followed whether direct I/O was possible.
func (f *facts) UseDio() model.Answer {
	switch {
	case len(f.o.Passes) > 0:
		return model.Yes
	case f.o.Buffered != nil:
		return model.No
	default:
		return model.Unknown
	}
}

// directFacts is what was seen of the inode and its mount that ext4_should_use_dio
// looks at. Verity cannot be: such files are not open for writing.
func (f *facts) directFacts() model.DirectFacts {
	d := model.DirectFacts{Verity: model.No}
	if p := f.o.LastPass(); p != nil {
		// Direct I/O was taken. The mount options were not read; they can only make
		// the data journalled where the inode's flag may do so too.
		d.Inline = model.AnswerOf(p.Flags&record.PassInline != 0)
		d.Encrypt = model.AnswerOf(p.Flags&record.PassEncrypted != 0)
		return d
	}
	b := f.o.Buffered
	if b == nil || b.Refused&record.BufFacts == 0 {
		return d
	}
	has := func(bit uint16) model.Answer { return model.AnswerOf(b.Refused&bit != 0) }
	d.Inline, d.Encrypt = has(record.PassInline), has(record.PassEncrypted)
	d.Journal = model.JournalsData(has(record.BufJournal), has(record.BufDataJournal), has(record.PassJournal), has(record.BufDelalloc), d.Encrypt)
	return d
}

// Checks is what the pass saw.
func (f *facts) Checks(pass int) (model.Checks, bool) {
	if pass >= len(f.o.Passes) {
		return model.Checks{}, false
	}
	p := &f.o.Passes[pass]
	c := model.Checks{
		Pos: p.Pos, Count: p.Count, ISize: p.ISize, IDisksize: p.IDisksize,
		Align: model.Alignment{Bits: p.Align, Known: p.Flags&record.PassAlign != 0},
		Nosec: p.Flags&record.PassNosec != 0,
	}
	if f.raced&(1<<pass) != 0 {
		c.IDisksize = max(c.IDisksize, c.ISize)
	}
	return c, true
}

// Lookup answers only for the very call that the kernel made at this place.
func (f *facts) Lookup(pass int, q model.Query) (model.Result, bool) {
	if pass < len(f.o.Passes) {
		seen, i := f.o.Passes[pass].Lookups, f.asked[pass]
		if i < len(seen) && seen[i].Query() == q {
			f.asked[pass]++
			return model.Result{Ret: seen[i].Ret, MFlags: seen[i].MFlags}, true
		}
	}
	if f.assume {
		return f.fromMapping(q)
	}
	if !f.unanswered {
		f.unanswered, f.wantPass, f.want = true, pass, q
	}
	return model.Result{}, false
}

// fromMapping answers a lookup by the mapping of its first block.
func (f *facts) fromMapping(q model.Query) (model.Result, bool) {
	pos := int64(q.Lblk) << f.o.Blkbits
	for i := range f.o.Mappings {
		m := &f.o.Mappings[i]
		if m.Err != 0 || m.Type != model.IomapMapped || m.Flags&model.IomapFNew != 0 {
			continue
		}
		if pos >= m.Offset && pos < m.Offset+m.Length {
			n := min((m.Offset+m.Length-pos)>>f.o.Blkbits, int64(q.Len))
			return model.Result{Ret: int32(n), MFlags: model.MapMapped}, true
		}
	}
	return model.Result{}, false
}

// Modified is what file_modified or kiocb_modified returned. A write that went
// on to iomap_dio_rw had 0 from it; an extending one that did not, and where it is not
// known which of the two failed, is taken for one whose orphan list did.
func (f *facts) Modified() (int, bool) {
	switch {
	case f.o.Stages.Has(record.StageFmod):
		return f.o.FmodRet, true
	case f.o.Dio:
		return 0, true
	}
	f.noModified = true
	return 0, false
}
