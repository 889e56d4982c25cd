package advice

import (
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// cause is why a write was not shared, or waited: an entry of the catalogue.
type cause uint8

// The causes, in the order of the catalogue; none is that of a write that lost nothing.
const (
	none cause = iota
	zeroing
	unalignedUnwritten
	tailUnwritten
	extending
	appenders
	nowaitTimestamps
	nosec
	fallback
	readersBeside
	fallocateBeside
	kernelPatch
	numCauses
)

// exclusive reports whether a write held i_rwsem exclusive for its I/O.
func exclusive(o *observe.Observation) bool { return o.Dio && o.Lock == record.LockExclusive }

// causeOf tells why a write was not shared, none where it was, or where that is not in the
// catalogue: a kernel that does not what the model says is a matter of the verdict.
func (c *Counter) causeOf(f *file, o *observe.Observation, v *judge.Verdict) cause {
	point, refused := o.Refused()
	switch {
	case o.Incomplete != "" || v.Kind != judge.Agree:
		return none
	case refused && point == observe.AtTimes:
		return nowaitTimestamps
	case refused:
		return none // the next try tells why
	case o.Buffered != nil && o.Buffered.Len > 0:
		return fallback
	case exclusive(o):
		return c.causeOfExclusive(f, o, v.Reason)
	}
	return none
}

// causeOfExclusive goes by the reason that the model gives.
func (c *Counter) causeOfExclusive(f *file, o *observe.Observation, reason model.Reason) cause {
	switch reason {
	case model.ReasonGuess, model.ReasonExtending, model.ReasonDisksize:
		if o.Flags&model.IocbAppend == 0 {
			return extending
		}
		f.appends(o.Thread())
		return appenders
	case model.ReasonNosec:
		if !f.nosec { // each inode has this once, when its first write sets S_NOSEC
			f.nosec = true
			return none
		}
		return nosec
	case model.ReasonHead, model.ReasonTail:
		return partial(o, reason)
	case model.ReasonNotOver, model.ReasonUnwritten, model.ReasonUnaligned:
		// Kernels of before patch 4 do not look at the partial blocks. What the model
		// makes of the same write tells whether they are written.
		switch out := c.later.Decide(o); {
		case out.Lock == whatif.Shared:
			return kernelPatch
		case out.Lock == whatif.Exclusive && (out.Reason == model.ReasonHead || out.Reason == model.ReasonTail):
			return partial(o, out.Reason)
		}
	}
	return none
}

// partial is the cause of a write of which a partial block is not written: its tail only,
// or one that is fallocated, or one that is a hole or may be one.
func partial(o *observe.Observation, reason model.Reason) cause {
	switch {
	case reason == model.ReasonTail:
		return tailUnwritten
	case head(o) == model.Unwritten:
		return zeroing
	}
	return unalignedUnwritten
}

// head is what the first block was found to be: unwritten (fallocated), a hole, or something
// else where that is not known. Up to 6.12 a mapping does not tell the two apart: blocks that
// are fallocated are asked for once more.
func head(o *observe.Observation) model.BlockState {
	if p := o.LastPass(); p != nil {
		first := p.Pos >> o.Blkbits
		for i := range o.Passes {
			for _, l := range o.Passes[i].Lookups {
				if int64(l.Lblk) == first {
					return l.State()
				}
			}
		}
	}
	if len(o.Mappings) == 0 {
		return model.LookupError
	}
	switch m := &o.Mappings[0]; {
	case m.Type != model.IomapUnwritten:
		return model.LookupError
	case !m.Allocated() || m.LookedUp && m.LookupRet > 0:
		return model.Unwritten
	case m.LookedUp && m.LookupRet == 0:
		return model.Hole
	}
	return model.LookupError
}

// appends takes a thread that appended.
func (f *file) appends(tid uint32) {
	for i := range f.appenders {
		switch f.appenders[i] {
		case tid:
			return
		case 0:
			f.appenders[i] = tid
			return
		}
	}
}

// appending is how many threads appended, at most as many as are told apart.
func (f *file) appending() (n int) {
	for _, tid := range f.appenders {
		if tid != 0 {
			n++
		}
	}
	return n
}

// kind is why a write was buffered.
type kind uint8

// Kinds of fallbacks.
const (
	kindUnknown kind = iota
	kindInline
	kindJournal
	kindEncrypted
	kindExtents // not mapped by extents: a hole
	kindRest    // direct I/O ended short
	numKinds    = iota
)

// kindOf tells why a write was buffered.
func kindOf(o *observe.Observation) kind {
	b := o.Buffered
	if p := o.LastPass(); p != nil { // direct I/O was tried
		if p.Flags&record.PassExtents == 0 {
			return kindExtents
		}
		return kindRest
	}
	switch {
	case b.Refused&record.BufFacts == 0:
		return kindUnknown
	case b.Refused&record.PassInline != 0:
		return kindInline
	case b.Refused&record.PassEncrypted != 0:
		return kindEncrypted
	case b.Refused&(record.PassJournal|record.BufDataJournal) != 0:
		return kindJournal
	}
	return kindUnknown
}
