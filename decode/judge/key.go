package judge

import (
	"bytes"
	"unsafe"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// maxKeyWords is enough for every record: none of its steps takes more words than a
// mapping, or a pass with its sizes.
const maxKeyWords = headWords + record.MaxSteps*max(mappingWords, passWords+sizeWords) + sizeWords

// key holds the facts of one write: everything that a judgement on it alone reads,
// in a form that is the same for the same write at another place of the file. Two
// writes with the same key get the same verdict.
//
// What a judgement does not read is left out: who wrote, to which file, when, and how
// long it took. Two things are put into another form, and nothing else:
//
//   - Positions count from the block in which the write was asked to begin. The
//     kernel's tests are about the place in a block and about distances.
//   - i_size and i_disksize, where all that were read lie behind every block that the
//     write touched, are only that: they are compared with places in those blocks.
//
// TestKeyHoldsAll proves by reflection that nothing else is left out.
type key struct {
	same  observe.Head // compared whole, and left out of the hash
	n     int
	words [maxKeyWords]uint64
	// whole is false for facts that a key does not hold: see fill.
	whole bool

	mask int64 // of the place in a block, bytes
	base int64 // start of the first block, bytes
	far  int64 // well before the positions that the model refuses, bytes
	top  int64 // the last position of which the write touched anything, bytes
}

// maxTouch is far more than one write can touch behind its position.
const maxTouch = 1 << 34

// The words that each part of a key takes.
const (
	headWords    = 8
	passWords    = 3
	lookupWords  = 3
	mappingWords = 5
	zeroedWords  = 4
	sizeWords    = 2
)

// fill makes k the facts of o. It reports false for a write of which it does not hold
// all: an incomplete one, one that went buffered, slept or has very many mappings, which
// are rare, one with too many passes, and one at a position near to where the model refuses it.
func (k *key) fill(o *observe.Observation) bool {
	if o.Incomplete != "" || o.Cut != 0 || len(o.Summed) > 0 || o.Unmoved || o.Buffered != nil || len(o.Sleeps) > 0 || len(o.Passes) > model.MaxPasses {
		return false
	}
	passes, mappings, zeroed := o.Passes, o.Mappings, o.Zeroed
	k.n, k.whole, k.top, k.mask = headWords, true, 0, 1<<o.Blkbits-1
	k.base, k.far = o.Pos0&^k.mask, int64(model.MaxBlocks)<<min(o.Blkbits, model.MaxBlkbits)-maxTouch
	k.head(o)
	for i := range passes {
		k.pass(&passes[i], o.Blkbits)
	}
	for i := range mappings {
		k.mapping(&mappings[i])
	}
	for i := range zeroed {
		k.zeroed(&zeroed[i])
	}
	k.sizes(o)
	return k.whole
}

// next is room for n more words.
func (k *key) next(n int) []uint64 {
	w := k.words[k.n : k.n+n]
	k.n += n
	return w
}

// place is a position in a key: the piece of the file that begins there has n bytes.
func (k *key) place(pos, n int64) uint64 {
	if uint64(pos) > uint64(k.far) || uint64(n+maxTouch) > 2*maxTouch { // or less than 0
		k.whole = false
	}
	k.top = max(k.top, pos, pos+n)
	return uint64(pos - k.base)
}

// head adds what there is once for each write. The numbers of passes, mappings and
// pieces zeroed say which word of a key is what.
func (k *key) head(o *observe.Observation) {
	k.same = o.Head
	w := (*[headWords]uint64)(k.words[:])
	w[0] = uint64(o.Stages) | uint64(o.Flags)<<32
	w[1] = uint64(o.Blkbits) | uint64(o.Caller)<<8 | uint64(o.Lock)<<16 |
		bit(o.Dio)<<48 | bit(o.Queued)<<49 | bit(o.Completed)<<50 | bit(o.Truncated)<<51 |
		bit(o.Align0Known)<<52 | bit(o.Drain != nil)<<53
	// Of an alignment only the bits below the block are ever looked at.
	w[2] = uint64(o.Align0&uint32(k.mask)) |
		uint64(len(o.Passes))<<32 | uint64(len(o.Mappings))<<40 | uint64(len(o.Zeroed))<<48
	w[3], w[4], w[5] = uint64(o.FmodRet), uint64(o.SubmitRet), uint64(o.Ret)
	w[6], w[7] = k.place(o.Pos0, o.Len0), uint64(o.Len0)
}

// pass adds one run of the write checks, but for i_size and i_disksize.
func (k *key) pass(p *observe.Pass, blkbits uint8) {
	w := (*[passWords]uint64)(k.next(passWords))
	w[0] = uint64(p.Lock) | uint64(p.Flags)<<8 | uint64(len(p.Lookups))<<24 | uint64(p.Align&uint32(k.mask))<<32
	w[1], w[2] = k.place(p.Pos, p.Count), uint64(p.Count)
	first := uint32(k.base >> blkbits)
	for i := range p.Lookups {
		l, w := &p.Lookups[i], (*[lookupWords]uint64)(k.next(lookupWords))
		w[0] = uint64(l.Lblk-first) | uint64(l.Len)<<32
		w[1] = uint64(l.ArgFlags) | uint64(l.MFlags)<<32
		w[2] = uint64(uint32(l.Ret)) | uint64(l.OutLen)<<32
	}
}

func (k *key) mapping(m *observe.Mapping) {
	w := (*[mappingWords]uint64)(k.next(mappingWords))
	w[0] = uint64(m.Err)<<2 | bit(m.Overwrite)<<1 | bit(m.LookedUp)
	w[1] = uint64(m.Type) | uint64(m.Flags)<<16 | uint64(m.AllocFlags)<<32
	w[2] = uint64(m.LookupFlags) | uint64(uint32(m.LookupRet))<<32
	if m.Err == 0 {
		w[3], w[4] = k.place(m.Offset, m.Length), uint64(m.Length)
	} else { // at no position
		w[3], w[4] = uint64(m.Offset), uint64(m.Length)
	}
}

func (k *key) zeroed(z *observe.Zeroed) {
	w := (*[zeroedWords]uint64)(k.next(zeroedWords))
	w[0], w[1] = k.place(z.Pos, z.Len), uint64(z.Len)
	w[2] = uint64(z.Type) | uint64(z.Flags)<<16 | uint64(z.DioCount)<<32
	w[3] = uint64(z.Lock)
}

// sizes adds i_size and i_disksize as the entry and each pass read them.
func (k *key) sizes(o *observe.Observation) {
	end := (k.top | k.mask) + 1 // of the last block
	beyond := o.ISize0 >= end
	passes := o.Passes
	for i := range passes {
		p := &passes[i]
		beyond = beyond && p.ISize == o.ISize0 && p.IDisksize >= end && p.IDisksize <= p.ISize
	}
	if beyond {
		return
	}
	w := k.next(sizeWords)
	w[0] = uint64(o.ISize0 - k.base)
	for i := range passes {
		w := k.next(sizeWords)
		w[0], w[1] = uint64(passes[i].ISize-k.base), uint64(passes[i].IDisksize-k.base)
	}
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// facts are the words as bytes, which the runtime compares and hashes with wider
// instructions than a loop over words has.
func (k *key) facts() []byte { return (*[8 * maxKeyWords]byte)(unsafe.Pointer(&k.words))[:8*k.n] }

// equal reports whether k holds the same facts as a key of which these are the parts.
func (k *key) equal(same *observe.Head, facts []byte) bool {
	return k.same == *same && bytes.Equal(k.facts(), facts)
}
