// Package observe puts observations together from raw records: what was seen of one
// direct write, and what is missing of it.
package observe

import (
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Observation is one direct write as it was seen, put together from its write
// record and, when it was asynchronous, its completion.
type Observation struct {
	Head

	Time    uint64 // entry, ns of CLOCK_MONOTONIC
	ID      uint64
	Pid     uint32 // tgid, as the tracer sees it from its pid namespace
	Tid     uint32
	Comm    string // raw bytes of the kernel; escape before showing
	Dev     uint32 // kernel's dev_t: major<<20 | minor
	Ino     uint64
	Caller  record.Caller
	Stages  record.Stages
	Flags   uint32 // ki_flags at entry (IOCB_*)
	Blkbits uint8
	// Generation of the inode, and the number of the name through which the file was
	// opened, 0 when that could not be read. Old records have neither.
	Generation, Name uint32
	GenerationKnown  bool

	// GlobalPid and GlobalTid are the numbers in the first pid namespace, 0 where the
	// tracer is in that itself. A process that its namespace does not have is Foreign:
	// Pid and Tid are those of the first one then. An old record does not say that.
	GlobalPid, GlobalTid  uint32
	Foreign, ForeignKnown bool

	Pos0   int64 // ki_pos at entry, bytes
	Len0   int64 // iov_iter count at entry, bytes
	ISize0 int64 // i_size at entry, read without the lock
	Align0 uint32
	// Align0Known is false when the alignment of the whole iov_iter at entry
	// could not be read (more segments than the probe walks).
	Align0Known bool
	NrSegs      uint16

	Passes []Pass
	Drain  *Drain // check-phase inode_dio_wait; nil when not called
	// FmodRet is the return value of file_modified or kiocb_modified, told from how
	// the write went on; FmodKnown is false where that does not tell.
	FmodRet   int
	FmodKnown bool

	Dio      bool        // iomap_dio_rw was entered
	Lock     record.Lock // mode held there
	Mappings []Mapping
	// Summed are mappings that came before the last of Mappings; empty unless there were
	// very many.
	Summed []Summed
	Zeroed []Zeroed

	Buffered  *Buffered // ext4_buffered_write_iter was entered
	WaitNs    uint64    // queued for i_rwsem, summed over the passes
	LockNs    uint64    // entry to the first pass: time to get the first lock
	Waits     []Wait    // each time it was queued for i_rwsem
	Sleeps    []Sleep   // of a NOWAIT write
	Ret       int64     // result as the caller got it; the completion's for async
	SubmitRet int64     // result of the write function itself
	Queued    bool      // the write function returned -EIOCBQUEUED
	Completed bool      // its completion was seen (always for a synchronous write)
	LatencyNs uint64    // entry to completion, or to return for a synchronous write
	SubmitNs  uint64    // entry to return

	// Unmoved is set when the write returned bytes and had not moved ki_pos on by them:
	// it was PosAfter and should have been PosWanted.
	Unmoved             bool
	PosAfter, PosWanted int64

	Budget *Budget // where LatencyNs went; nil where that was not recorded

	// Inside says that the write had not returned, and where it was: see InsideNs.
	Inside   bool
	InsideAt record.InsideStage
	InsideNs uint64 // how long it had been there; 0 when not known
	// Incomplete says why the record does not hold all that the kernel passed;
	// empty when it does. Such an observation is never judged.
	Incomplete string
	Truncated  bool // steps did not fit in the record
	// Cut are the parts of the write of which steps did not fit (record.Cut*). Without
	// those of the checks, the decision was seen, and is judged.
	Cut        uint8
	LostBefore uint32
	Depth      uint8 // 1 when nested in another write of the task

	// Request is a number that all tries of one request have, and Try is which of them
	// this is, from 1; 0 when it is not known whether another came before. RequestBegan
	// is the entry of the first. See package request.
	Request      uint64
	Try          int
	RequestBegan uint64 // ns of CLOCK_MONOTONIC

	// Drain, Buffered and Budget point here, so that an Observation can be used again.
	drain    Drain
	buffered Buffered
	budget   Budget

	summedAt int // mappings before those of Summed

	cut model.Alignment // of what the checks left, when they made the write shorter
}

// Clone returns a copy of o that shares nothing with it: an Observation that an
// Observer hands out is used again for later writes.
func (o *Observation) Clone() *Observation {
	c := *o
	c.Passes = slices.Clone(o.Passes)
	for i := range c.Passes {
		c.Passes[i].Lookups = slices.Clone(c.Passes[i].Lookups)
	}
	c.Mappings, c.Summed = slices.Clone(o.Mappings), slices.Clone(o.Summed)
	c.Zeroed = slices.Clone(o.Zeroed)
	c.Waits, c.Sleeps = slices.Clone(o.Waits), slices.Clone(o.Sleeps)
	c.drain, c.buffered, c.budget = Drain{}, Buffered{}, Budget{} // what earlier writes left there
	if o.Drain != nil {
		c.drain = *o.Drain
		c.Drain = &c.drain
	}
	if o.Buffered != nil {
		c.buffered = *o.Buffered
		c.Buffered = &c.buffered
	}
	if o.Budget != nil {
		c.budget = *o.Budget
		c.budget.Spans = slices.Clone(o.Budget.Spans)
		c.Budget = &c.budget
	}
	return &c
}

// File names the file by the name through which it was opened.
func (o *Observation) File() record.NameID {
	return record.NameID{FileID: record.FileID{Dev: o.Dev, Ino: o.Ino, Generation: o.Generation}, Name: o.Name}
}

// Call is what was known at entry, as the model takes it.
func (o *Observation) Call() model.Call {
	return model.Call{
		Pos: o.Pos0, Len: o.Len0, ISize: o.ISize0, Flags: o.Flags, Blkbits: o.Blkbits,
		Align: model.Alignment{Bits: o.Align0, Known: o.Align0Known},
		Async: Async(o.Caller),
	}
}

// Pass is one run of the checks under i_rwsem: what ext4_generic_write_checks
// left, and the lookups that followed.
type Pass struct {
	Lock      record.Lock
	Pos       int64 // ki_pos after the checks
	Count     int64 // bytes left to write, or the result when <= 0
	ISize     int64
	IDisksize int64
	Align     uint32 // iov_iter_alignment, low 17 bits
	Flags     uint16 // record.Pass*
	AtUs      uint32 // since the entry
	Lookups   []Lookup
}

// Lookup is one ext4_map_blocks call of the check phase.
type Lookup struct {
	Lblk, Len uint32 // m_lblk and m_len asked, in blocks
	ArgFlags  uint32
	Ret       int32
	OutLen    uint32 // m_len on return
	MFlags    uint32 // m_flags on return
}

// Query is what the lookup asked for.
func (l Lookup) Query() model.Query { return model.Query{Lblk: l.Lblk, Len: l.Len, Flags: l.ArgFlags} }

// Checks is what the pass saw, as the model takes it.
func (p *Pass) Checks() model.Checks {
	return model.Checks{
		Pos: p.Pos, Count: p.Count, ISize: p.ISize, IDisksize: p.IDisksize,
		Align: model.Alignment{Bits: p.Align, Known: p.Flags&record.PassAlign != 0},
		Nosec: p.Flags&record.PassNosec != 0,
	}
}

// Result is what it returned.
func (l Lookup) Result() model.Result { return model.Result{Ret: l.Ret, MFlags: l.MFlags} }

// State is the kind of block that the lookup found.
func (l Lookup) State() model.BlockState { return model.StateOf(l.Ret, l.MFlags) }

// Drain is an inode_dio_wait call.
type Drain struct {
	Count  uint32 // i_dio_count at entry: requests in flight
	Waited bool   // Count was not 0
	Ns     uint64
}

// Mapping is one return of ext4_iomap_begin.
type Mapping struct {
	Offset, Length int64  // of the iomap, bytes, block granular
	Type           uint16 // IOMAP_*
	Flags          uint16 // IOMAP_F_*
	AllocFlags     uint32 // flags of the allocating ext4_map_blocks, 0 if none
	Err            int    // negative errno when it failed
	Overwrite      bool   // ext4_iomap_overwrite_begin (6.x)
	AtUs           uint32 // of the return, since the entry

	// LookedUp says that ext4_map_blocks was called inside without asking for an
	// allocation. LookupFlags and LookupRet are the flags argument and the return
	// value of the last such call: blocks found, 0 or a negative errno.
	LookedUp    bool
	LookupFlags uint32
	LookupRet   int32
}

// Allocated reports whether blocks were asked for with EXT4_GET_BLOCKS_CREATE.
func (m Mapping) Allocated() bool { return m.AllocFlags&1 != 0 }

// Zeroed is one iomap_dio_zero call with a length.
type Zeroed struct {
	Pos, Len int64
	Lock     record.Lock
	DioCount uint32 // i_dio_count, this write included
	Type     uint16 // IOMAP_* of the mapping that it zeroes in
	Flags    uint16 // IOMAP_F_* of it
	AtUs     uint32 // since the entry
}

// Buffered is the part that went through ext4_buffered_write_iter.
type Buffered struct {
	Pos, Len int64
	Drained  bool   // inode_dio_wait was called before the copy
	CopyDio  uint32 // i_dio_count at generic_perform_write
	Copied   bool   // generic_perform_write was entered
	// CopyLock is the mode of i_rwsem there; shared also stands for no lock at all.
	CopyLock record.Lock
	CopyPos  int64  // ki_pos there, bytes
	CopyAtUs uint32 // of that, since the entry
	// Refused is what ext4_should_use_dio looked at when it refused direct I/O:
	// record.BufFacts and others.
	Refused uint16
}

// Sleep is one voluntary context switch of a NOWAIT write.
type Sleep struct {
	Phase record.Phase
	Cause record.SleepCause
	Ns    uint64
	AtUs  uint32 // when it went on, since the entry
	// More is set for sleeps that are only summed up: this cause in this phase was among
	// so many more sleeps, which took Ns together. AtUs is then the end of the write.
	More uint32
}

// phaseNames are the parts of a write as they are shown.
var phaseNames = [...]string{"check", "dio", "buffered"}

// PhaseName is the name of the phase in which it slept: check, dio or buffered.
func (s *Sleep) PhaseName() string {
	if int(s.Phase) < len(phaseNames) {
		return phaseNames[s.Phase]
	}
	return "unknown"
}

// String says how long it slept, for what and where.
func (s *Sleep) String() string {
	if s.More > 0 {
		return fmt.Sprintf("slept for %s in the %s phase among %d more sleeps of %d us together", s.Cause, s.PhaseName(), s.More, (s.Ns+500)/1000)
	}
	return fmt.Sprintf("slept %d us for %s in the %s phase", (s.Ns+500)/1000, s.Cause, s.PhaseName())
}

// LastPass is the pass that settled the write, nil when none was seen.
func (o *Observation) LastPass() *Pass {
	if len(o.Passes) == 0 {
		return nil
	}
	return &o.Passes[len(o.Passes)-1]
}

// Unaligned reports whether ext4 had to take the write for an unaligned one in
// its last pass: position, length and memory against the block size. The second
// result is false when that is not known.
func (o *Observation) Unaligned() (unaligned, known bool) {
	mask := uint32(1)<<o.Blkbits - 1
	if len(o.Passes) > 0 {
		p := &o.Passes[len(o.Passes)-1]
		if p.Flags&record.PassAlign == 0 {
			return false, false
		}
		return (uint32(p.Pos)|p.Align)&mask != 0, true
	}
	if !o.Align0Known {
		return false, false
	}
	return (uint32(o.Pos0)|o.Align0)&mask != 0, true
}

// Extending reports whether the last pass saw a write that ends beyond i_size
// or i_disksize. The second result is false when no pass was seen.
func (o *Observation) Extending() (extending, known bool) {
	if len(o.Passes) == 0 {
		return false, false
	}
	p := &o.Passes[len(o.Passes)-1]
	end := p.Pos + max(p.Count, 0)
	return end > p.ISize || end > p.IDisksize, true
}
