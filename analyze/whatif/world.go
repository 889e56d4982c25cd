package whatif

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// world answers the questions of another variant's decision from what was seen under
// this one. It implements model.World.
type world struct {
	o     *observe.Observation
	v     model.Variant
	holes bool // what may be a hole or unwritten is a hole
	app   *App // what is changed of what was seen

	touched bool   // app changed an answer
	from    Origin // the least sure of the answers that were given
	either  bool   // an answer was given that may be another
	missing string // the first question that could not be answered
}

// call is what was known at entry. Where i_size moved until the first pass, the lock
// that was taken tells what the guess saw.
func (w *world) call() model.Call {
	o := w.o
	c := o.Call()
	if w.app.ahead() && c.Flags&model.IocbAppend != 0 && len(o.Passes) > 0 {
		c.Pos = o.Passes[0].Pos
	}
	if len(o.Passes) > 0 && o.Passes[0].ISize != o.ISize0 && o.Passes[0].Lock == record.LockShared {
		c.ISize = max(c.ISize, c.Pos+c.Len)
	}
	w.touched = w.app.call(&c) || w.touched
	return c
}

// flags are ki_flags.
func (w *world) flags() uint32 {
	if w.app.NoNowait {
		return w.o.Flags &^ model.IocbNowait
	}
	return w.o.Flags
}

func (w *world) miss(what string) {
	if w.missing == "" {
		w.missing = what
	}
}

// Trylock is only known when it succeeded: then others left the lock free.
func (w *world) Trylock(model.Mode) model.Answer {
	if len(w.o.Passes) > 0 || w.o.Buffered != nil {
		return model.Yes
	}
	w.miss("whether the lock would be free at a trylock")
	return model.Unknown
}

// UseDio is whether direct I/O was possible. Of encrypted inodes the variants think
// differently.
func (w *world) UseDio() model.Answer {
	switch b := w.o.Buffered; {
	case len(w.o.Passes) > 0:
		return model.Yes
	case b != nil && b.Refused&record.PassEncrypted == 0:
		return model.No
	}
	w.miss("whether the inode takes direct I/O")
	return model.Unknown
}

// Checks is the state that the pass saw; in a pass that this kernel did not make, the
// one before it.
func (w *world) Checks(pass int) (model.Checks, bool) {
	if len(w.o.Passes) == 0 {
		w.miss("what the write checks saw")
		return model.Checks{}, false
	}
	c := w.o.Passes[min(pass, len(w.o.Passes)-1)].Checks()
	w.touched = w.app.checks(&c, w.o.Blkbits) || w.touched
	return c, true
}

// Lookup is what the trace tells of the blocks.
func (w *world) Lookup(pass int, q model.Query) (model.Result, bool) {
	a, ok := answerOf(w.o, pass, q)
	isize := w.o.Passes[min(pass, len(w.o.Passes)-1)].ISize // a lookup is made by a pass
	w.touched = w.app.lookup(&a, &ok, q, isize, w.o.Blkbits) || w.touched
	if !ok {
		w.miss(w.unknownBlock(q))
		return model.Result{}, false
	}
	w.from = max(w.from, a.from)
	if a.either {
		if w.either = true; w.holes {
			a.Result = model.Result{}
		}
	}
	return a.Result, true
}

func (w *world) unknownBlock(q model.Query) string {
	switch p := w.o.Passes[len(w.o.Passes)-1]; {
	case q.Flags&model.GetBlocksCachedNowait != 0:
		return "whether a block was in the extent status cache"
	case int64(q.Lblk) > p.Pos>>w.o.Blkbits:
		return "the state of the tail block, which was never looked up or mapped"
	}
	return "the state of the first block, which was never looked up or mapped"
}

// Modified is what file_modified or kiocb_modified returned, or would have.
func (w *world) Modified() (int, bool) {
	o := w.o
	nowait, kiocb := w.flags()&model.IocbNowait != 0, w.v.Has(model.KiocbModified)
	switch {
	case nowait && !kiocb:
		return 0, true // it updates the timestamps, whether that sleeps or not
	case nowait && o.Fmod != record.FmodKiocb:
		w.miss("whether a NOWAIT write would find the timestamps up to date")
		return 0, false
	case w.app.NoNowait && o.FmodRet == model.EAGAIN:
		return 0, true
	case o.Stages.Has(record.StageFmod) && o.FmodKnown:
		return o.FmodRet, true
	case o.Dio:
		return 0, true
	}
	w.miss("what file_modified returns")
	return 0, false
}
