package races

import (
	"math/bits"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Bounds of a scenario. The contents of eight sectors fit into one word.
const (
	maxSectors = 8
	maxBlocks  = 4
	maxWriters = 3
)

// content tags what a sector holds. The tags say where the bytes came from; the
// bytes themselves do not matter.
type content uint8

const (
	zeroes  content = iota
	eofZero         // zeroes of a pad at i_size in a written block
	stale           // what the block held before it was allocated
	initial         // data that was there before the writes
	dataOf0         // data of writer A; B and C follow
)

func dataOf(w int) content { return dataOf0 + content(w) }

func (c content) zero() bool { return c == zeroes || c == eofZero }

// row holds the content of every sector, four bits each.
type row uint32

func (r row) at(i int) content { return content(r >> (4 * i) & 15) }

func (r *row) set(i int, c content) {
	*r = *r&^(15<<(4*i)) | row(c)<<(4*i)
}

// fill sets all sectors of a set.
func (r *row) fill(set sectorSet, c content) {
	for i := range maxSectors {
		if set.has(i) {
			r.set(i, c)
		}
	}
}

// sectorSet is a set of sectors, one bit each.
type sectorSet uint8

// sectors is the set [from, to).
func sectors(from, to int) sectorSet {
	return sectorSet(1<<to - 1<<from)
}

func (s sectorSet) has(i int) bool { return s>>i&1 != 0 }
func (s sectorSet) first() int     { return bits.TrailingZeros8(uint8(s)) }
func (s sectorSet) last() int      { return 7 - bits.LeadingZeros8(uint8(s)) }

// pageState is the state of the page over one block.
type pageState uint8

const (
	absent pageState = iota
	clean
	dirty
)

// phase is where a writer stands: what it does next.
type phase uint8

const (
	atGuess    phase = iota // read i_size without a lock
	atLock                  // take i_rwsem in the mode want, then the write checks
	atLookup                // ext4_map_blocks of the check phase
	atDio                   // drain, flush the page cache, enter iomap_dio_rw
	atMap                   // ext4_iomap_begin and the bios of one mapping
	atWait                  // all submitted; wait for the bios with i_rwsem held
	queued                  // all submitted; -EIOCBQUEUED, i_rwsem released
	atFallback              // ext4_buffered_write_iter
	atFlush                 // flush and invalidate what the fallback wrote
	done
)

// bioKind tells the bios of a writer apart; each kind lands by itself.
type bioKind uint8

const (
	dataBio bioKind = iota
	zeroBio
	eofBio // the zero bio of a pad at i_size in a written block
	bioKinds
)

// checked is what ext4_generic_write_checks and the locked reads found in one
// pass, in sectors.
type checked struct {
	pos, count      int8
	isize, disksize int8
	nosec           bool
}

// answer is what one ext4_map_blocks of the check phase returned.
type answer struct {
	kind model.BlockState
	n    int8
}

// facts is what a writer learned before its decision; model.Decide is asked again
// with them after every step.
type facts struct {
	guess  int8 // i_size at the guess, sectors
	nchk   uint8
	nlook  [model.MaxPasses]uint8
	checks [model.MaxPasses]checked
	looks  [model.MaxPasses][model.MaxQueries]answer
}

// writer is one write and how far it has come. It is comparable and has no
// padding, as it is hashed.
type writer struct {
	phase phase
	held  model.Mode
	want  model.Mode
	lie   bool // extending-shared: want is taken shared
	dio   bool // counted in i_dio_count
	conv  bool // a mapping was unwritten: end_io converts
	drain bool
	queue bool // ends in -EIOCBQUEUED
	nbio  bool // -ENOTBLK: the rest goes to the buffered fallback
	// undrained: the decision was to extend without a drain.
	undrained bool

	pos, end, next int8 // of the direct part, sectors
	bios           [bioKinds]sectorSet
	wrote          sectorSet // asked of the disk or the page cache so far
	apart          sectorSet // of these, directly and undrained
	facts          facts
}

// rest is the writer as it goes on to a later phase, where only what it wrote
// still matters.
func (w *writer) rest(p phase) writer {
	return writer{phase: p, wrote: w.wrote, apart: w.apart}
}

func (w *writer) inFlight() bool {
	return w.bios[dataBio]|w.bios[zeroBio]|w.bios[eofBio] != 0
}

// state is everything that another step could see.
type state struct {
	disk, cache     row
	blocks          [maxBlocks]model.BlockState
	pages           [maxBlocks]pageState
	isize, disksize int8
	nosec           bool
	readDone        bool // the reader has read its page
	warned          bool // a completion found a dirty page: fsync returns -EIO
	undecided       bool // the model gave no decision; never set if all is well
	w               [maxWriters]writer
}

// dioCount is i_dio_count.
func (s *state) dioCount() int {
	n := 0
	for i := range s.w {
		if s.w[i].dio {
			n++
		}
	}
	return n
}

// free reports whether i_rwsem can be taken in this mode.
func (s *state) free(m model.Mode) bool {
	for i := range s.w {
		held := s.w[i].held
		if held == model.Exclusive || held == model.Shared && m == model.Exclusive {
			return false
		}
	}
	return true
}
