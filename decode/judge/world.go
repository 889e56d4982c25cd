package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// world answers the model's questions from an observation, under a hypothesis. It
// implements model.World.
type world struct {
	o    *observe.Observation
	call model.Call
	hypothesis

	asked [model.MaxPasses]int // lookups of each pass that were answered
	// unanswered is set when the model asked for a lookup that was not made, or
	// was made with other arguments.
	unanswered bool
	// noModified is set when the model asked for the result of file_modified, and
	// it was not called.
	noModified bool
}

func (w *world) reset(o *observe.Observation, h hypothesis) {
	*w = world{o: o, call: o.Call(), hypothesis: h}
	if len(o.Passes) > 0 && (h.moved || o.Passes[0].ISize != o.ISize0) {
		w.call.ISize = guessedSize(o)
	}
}

// guessedSize is an i_size that the lockless guess can have seen, one that was seen if
// possible. The guess reads i_size after the entry was recorded and before the lock is
// held, so when i_size moved until the first pass, it can have seen any value: the lock
// that was taken tells what it made of it.
func guessedSize(o *observe.Observation) int64 {
	end, exclusive := o.Pos0+o.Len0, o.Passes[0].Lock == record.LockExclusive
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

// Trylock tells from what followed whether the trylock succeeded.
func (w *world) Trylock(model.Mode) model.Answer {
	return model.AnswerOf(len(w.o.Passes) > 0 || w.o.Buffered != nil)
}

// UseDio tells from what followed whether direct I/O was possible.
func (w *world) UseDio() model.Answer {
	switch {
	case len(w.o.Passes) > 0:
		return model.Yes
	case w.o.Buffered != nil:
		return model.No
	default:
		return model.Unknown
	}
}

// directFacts is what was seen of the inode and its mount that ext4_should_use_dio
// looks at. Verity cannot be: such files are not open for writing.
func (w *world) directFacts() model.DirectFacts {
	d := model.DirectFacts{Verity: model.No}
	if p := w.o.LastPass(); p != nil {
		// Direct I/O was taken. The mount options were not read; they can only make
		// the data journalled where the inode's flag may do so too.
		d.Inline = model.AnswerOf(p.Flags&record.PassInline != 0)
		d.Encrypt = model.AnswerOf(p.Flags&record.PassEncrypted != 0)
		return d
	}
	b := w.o.Buffered
	if b == nil || b.Refused&record.BufFacts == 0 {
		return d
	}
	has := func(bit uint16) model.Answer { return model.AnswerOf(b.Refused&bit != 0) }
	d.Inline, d.Encrypt = has(record.PassInline), has(record.PassEncrypted)
	d.Journal = model.JournalsData(has(record.BufJournal), has(record.BufDataJournal), has(record.PassJournal), has(record.BufDelalloc), d.Encrypt)
	return d
}

// Checks is what the pass saw.
func (w *world) Checks(pass int) (model.Checks, bool) {
	if pass >= len(w.o.Passes) {
		return model.Checks{}, false
	}
	c := w.o.Passes[pass].Checks()
	if w.raced&(1<<pass) != 0 {
		c.IDisksize = max(c.IDisksize, c.ISize)
	}
	return c, true
}

// Lookup answers only for the very call that the kernel made at this place.
func (w *world) Lookup(pass int, q model.Query) (model.Result, bool) {
	if pass < len(w.o.Passes) {
		seen, i := w.o.Passes[pass].Lookups, w.asked[pass]
		if i < len(seen) && seen[i].Query() == q {
			w.asked[pass]++
			return seen[i].Result(), true
		}
	}
	if w.assume {
		return w.fromMapping(q)
	}
	w.unanswered = true
	return model.Result{}, false
}

// fromMapping answers a lookup by the mapping of its first block.
func (w *world) fromMapping(q model.Query) (model.Result, bool) {
	pos := int64(q.Lblk) << w.o.Blkbits
	for i := range w.o.Mappings {
		m := &w.o.Mappings[i]
		if m.Err != 0 || m.Type != model.IomapMapped || m.Flags&model.IomapFNew != 0 {
			continue
		}
		if pos >= m.Offset && pos < m.Offset+m.Length {
			n := min((m.Offset+m.Length-pos)>>w.o.Blkbits, int64(q.Len))
			return model.Result{Ret: int32(n), MFlags: model.MapMapped}, true
		}
	}
	return model.Result{}, false
}

// Modified is what file_modified or kiocb_modified returned. A write that went
// on to iomap_dio_rw had 0 from it; an extending one that did not, and where it is not
// known which of the two failed, is taken for one whose orphan list did.
func (w *world) Modified() (int, bool) {
	switch {
	case w.o.Stages.Has(record.StageFmod):
		return w.o.FmodRet, true
	case w.o.Dio:
		return 0, true
	}
	w.noModified = true
	return 0, false
}
