package series

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Sign is what one write says about one patch.
type Sign uint8

// The signs.
const (
	Nothing Sign = iota
	Without      // only a kernel without the patch does so
	With         // only a kernel with the patch does so
)

// Signs is what a write says about each patch, from index 1 on.
type Signs [model.Patches + 1]Sign

// Read reads the signs of a write. Steps of a stage in unprobed are never seen, so
// that their absence says nothing.
func Read(o *observe.Observation, unprobed record.Stages) (s Signs) {
	if o.Incomplete != "" {
		return s
	}
	now := o.Flags&model.IocbNowait != 0
	for i := range o.Mappings {
		s.mapping(&o.Mappings[i], now)
	}
	for i := range o.Summed {
		m := &o.Summed[i]
		s.mapping(&observe.Mapping{AllocFlags: m.AllocFlags, LookedUp: m.LookedUp, LookupFlags: m.LookupFlags}, now)
	}
	if b := o.Buffered; b != nil && b.Copied && !unprobed.Has(record.StageDrain) {
		s[2] = signOf(b.Drained)
	}
	switch {
	case !o.Stages.Has(record.StageFmod):
	case o.Fmod == record.FmodKiocb:
		s[5] = With
	case o.Fmod == record.FmodFile:
		s[5] = Without
	}
	if unprobed.Has(record.StageLookup) {
		return s
	}
	for i := range o.Passes {
		s.pass(o, i, now)
	}
	return s
}

func signOf(with bool) Sign {
	if with {
		return With
	}
	return Without
}

// mapping reads what ext4_iomap_begin did.
func (s *Signs) mapping(m *observe.Mapping, now bool) {
	if !now {
		return
	}
	switch {
	case m.Allocated():
		s[1] = Without // blocks were asked for under NOWAIT
	case m.Err == model.EAGAIN && m.LookedUp && m.LookupRet != model.EAGAIN:
		s[1] = With // the lookup answered, and the allocation was refused
	}
	if !m.LookedUp {
		return
	}
	s[7] = signOf(m.LookupFlags&model.GetBlocksCachedNowait != 0)
	if m.LookupFlags&model.GetBlocksCachedNowait != 0 && m.LookupRet == model.EAGAIN {
		s[6] = With
	}
}

// pass reads the lookups of one pass of the checks.
func (s *Signs) pass(o *observe.Observation, i int, now bool) {
	p := &o.Passes[i]
	for _, l := range p.Lookups {
		if now {
			s[8] = signOf(l.ArgFlags&model.GetBlocksCachedNowait != 0)
		}
		if l.ArgFlags&model.GetBlocksCachedNowait != 0 && l.Ret == model.EAGAIN {
			s[6] = With
		}
	}
	end := p.Pos + p.Count
	if p.Count <= 0 || p.Flags&record.PassAlign == 0 || end > p.ISize || end > p.IDisksize {
		return
	}
	mask := int64(1)<<o.Blkbits - 1
	plain := p.Lock == record.LockShared && p.Flags&record.PassNosec != 0
	switch {
	case (p.Pos|int64(p.Align))&mask == 0:
		if plain {
			s[3] = signOf(len(p.Lookups) == 0)
		}
	case i == 0 && p.Lock == record.LockExclusive && o.Pos0+o.Len0 < o.ISize0 && o.Pos0 == p.Pos:
		// Exclusive for nothing but its alignment, as up to 6.4. A write that ends at
		// i_size does not tell: there a wrong guess looks the same.
		s[4] = Without
	case p.Lock != record.LockUnknown:
		if sign := partial(o, i, plain); sign != Nothing {
			s[4] = sign
		}
	}
}

// partial reads the lookups of an unaligned write inside i_size: with patch 4 they
// are about its first and last block, without it about the whole range.
func partial(o *observe.Observation, i int, plain bool) Sign {
	p := &o.Passes[i]
	mask := int64(1)<<o.Blkbits - 1
	head, tail := p.Pos&mask != 0, (p.Pos+p.Count)&mask != 0
	first := uint32(p.Pos >> o.Blkbits)
	last := uint32((p.Pos + p.Count - 1) >> o.Blkbits)
	ls := p.Lookups
	switch {
	case !head && !tail: // only its memory is unaligned
		switch {
		case len(ls) > 0:
			return Without
		case plain:
			return With
		}
	case len(ls) == 0:
	case !head && first != last:
		switch {
		case ls[0].Lblk == last && ls[0].Len == 1:
			return With
		case ls[0].Lblk == first:
			return Without
		}
	case head && ls[0].Lblk == first && ls[0].State() == model.Written && ls[0].Lblk+uint32(ls[0].Ret) <= last:
		// The first block is written and its mapping does not reach the last one.
		if tail {
			return signOf(len(ls) > 1)
		}
		if plain {
			return keeps(o, i)
		}
	}
	return Nothing
}

// keeps reads whether pass i was content with the shared lock: another pass says
// no, and so does -EAGAIN in its place before anything else is called.
func keeps(o *observe.Observation, i int) Sign {
	switch {
	case i < len(o.Passes)-1:
		return Without
	case o.Dio, o.Stages.Has(record.StageFmod):
		return With
	case o.SubmitRet == model.EAGAIN && o.Flags&model.IocbNowait != 0:
		return Without
	}
	return Nothing
}
