package coverage

import (
	"hash/maphash"
	"unsafe"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// shape is all of a write that a rebuilt one depends on, in a form that is the same at another
// place of the file: positions count from two blocks' border before it. Two writes with one
// hash count as one: at worst, what the second would have shown is not claimed.
type shape struct {
	words []int64
	base  int64
	low   int64 // sizes below it, or above high, are only that
	high  int64
}

var shapeSeed = maphash.MakeSeed()

func (s *shape) of(o *observe.Observation) uint64 {
	two := int64(2) << o.Blkbits
	s.base = o.Pos0 &^ (two - 1)
	if p := o.LastPass(); p != nil && p.Pos > o.Pos0 {
		s.base = p.Pos &^ (two - 1) // an append
	}
	s.low, s.high = s.base-two, s.base+o.Len0+3*two
	s.words = append(s.words[:0], int64(o.Blkbits), int64(o.Flags), int64(o.Stages&^(record.StageSleep)), int64(o.Caller),
		s.place(o.Pos0), o.Pos0&(two-1), o.Len0, int64(o.Align0), s.place(o.ISize0), int64(o.DioFlags),
		int64(o.FmodRet)<<8|int64(o.Fmod), o.Ret, o.SubmitRet, flag(o.Dio)|flag(o.Drain != nil)<<1|flag(o.Unmoved)<<2|flag(s.base == 0)<<3|int64(o.Cut)<<8|int64(len(o.Summed))<<16, int64(o.Lock))
	for i := range o.Passes {
		p := &o.Passes[i]
		s.words = append(s.words, 1, int64(p.Lock), s.place(p.Pos), p.Count, s.place(p.ISize), s.place(p.IDisksize), int64(p.Align), int64(p.Flags))
		for _, l := range p.Lookups {
			s.words = append(s.words, 2, int64(l.Lblk)-s.base>>o.Blkbits, int64(l.Len), int64(l.ArgFlags), int64(l.Ret), int64(l.MFlags))
		}
	}
	for i := range o.Mappings {
		m := &o.Mappings[i]
		s.words = append(s.words, 3, m.Offset-s.base, m.Length, int64(m.Type)|int64(m.Flags)<<16|int64(m.AllocFlags)<<32, int64(m.Err), flag(m.LookedUp)|int64(m.LookupRet)<<1)
	}
	for i := range o.Zeroed {
		z := &o.Zeroed[i]
		s.words = append(s.words, 4, z.Pos-s.base, z.Len, int64(z.Lock))
	}
	if b := o.Buffered; b != nil {
		s.words = append(s.words, 5, s.place(b.Pos), b.Len, flag(b.Drained)|flag(b.Copied)<<1, int64(b.CopyLock), int64(b.Refused))
	}
	return maphash.Bytes(shapeSeed, unsafe.Slice((*byte)(unsafe.Pointer(&s.words[0])), 8*len(s.words)))
}

// place is a position or a size from the base on, as far as it matters.
func (s *shape) place(at int64) int64 { return min(max(at, s.low), s.high) - s.base }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
