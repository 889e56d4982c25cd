package decode

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Sleeps of NOWAIT writes (R4), by what the stack or the lock says they were for.
//
//	cause         ext4's own  promised by
//	i_rwsem       yes         every kernel: the lock is tried, never waited for
//	drain         yes         every kernel: N2 and N3 come before inode_dio_wait
//	jbd2          yes         in the check phase patch 5, as timestamps no longer start
//	                          a handle; later patch 1, as nothing is allocated
//	allocator     yes         patch 1
//	i_data_sem    yes         in the check phase patch 8, later patch 7: both look up in
//	metadata      yes         the cache only (patch 6)
//	own-io        no          a synchronous write waits for its I/O, NOWAIT or not
//	end_io        no          nor does it return before its completion is done: the
//	                          unwritten conversion, the commit of O_DSYNC
//	memory        no          the page allocator and reclaim, even below the journal
//	user-pages    no          the caller's memory: page faults, pinning
//	dio-workqueue no          made once, by the first asynchronous write
//	block-layer   no          ext4's bios do not carry REQ_NOWAIT
//	rtlock        no          a spinlock, elsewhere no sleep at all
//	unknown       -           not judged; the row of the write says so

// sleepPromises says in short what the table above says of patches.
const sleepPromises = "patches 1 and 5 for the journal, patch 1 for the allocator, patches 6 to 8 for i_data_sem and metadata"

// promise is what a kernel must have to promise that it does not sleep for this.
func (s *Sleep) promise() model.Behaviours {
	check := s.Phase == record.PhaseCheck
	switch s.Cause {
	case record.SleepJBD2:
		if check {
			return model.KiocbModified
		}
		return model.NowaitNoAlloc
	case record.SleepAllocator:
		return model.NowaitNoAlloc
	case record.SleepIDataSem, record.SleepMetadata:
		if check {
			return model.NowaitCachedZeroing
		}
		return model.NowaitCachedBegin
	default:
		return 0
	}
}

// blocks reports whether o waited in a way that needs no stack to be told: a second
// pass takes the lock blocking, and inode_dio_wait waits.
func (o *Observation) blocks() bool { return len(o.Passes) > 1 || o.Drain != nil }

// sleepsForExt4 reports whether o slept for one of ext4's own causes.
func (o *Observation) sleepsForExt4() bool {
	for i := range o.Sleeps {
		if o.Sleeps[i].Cause.Ext4() {
			return true
		}
	}
	return false
}

// promisedToStay reports whether a kernel with these behaviours promises not to wait
// in one of the ways in which o, which breaks R4, did.
func (o *Observation) promisedToStay(has model.Behaviours) bool {
	if o.blocks() {
		return true
	}
	for i := range o.Sleeps {
		if s := &o.Sleeps[i]; s.Cause.Ext4() && has.Has(s.promise()) {
			return true
		}
	}
	return false
}

// appendSleeps appends a sentence for each sleep for one of ext4's own causes.
func (o *Observation) appendSleeps(why []string) []string {
	for i := range o.Sleeps {
		if o.Sleeps[i].Cause.Ext4() {
			why = append(why, o.Sleeps[i].String())
		}
	}
	return why
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
	return fmt.Sprintf("slept %d us for %s in the %s phase", (s.Ns+500)/1000, s.Cause, s.PhaseName())
}
