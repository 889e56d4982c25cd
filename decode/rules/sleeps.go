package rules

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
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
func promise(s *observe.Sleep) model.Behaviours {
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

// hadToWait reports whether o waited in a way that needs no stack to be told: a second
// pass takes the lock blocking, and inode_dio_wait waits.
func hadToWait(o *observe.Observation) bool { return len(o.Passes) > 1 || o.Drain != nil }

// sleepsForExt4 reports whether o slept for one of ext4's own causes.
func sleepsForExt4(o *observe.Observation) bool {
	for i := range o.Sleeps {
		if o.Sleeps[i].Cause.Ext4() {
			return true
		}
	}
	return false
}

// PromisedToStay reports whether a kernel with these behaviours promises not to wait
// in one of the ways in which o, which breaks R4, did.
func PromisedToStay(o *observe.Observation, has model.Behaviours) bool {
	if hadToWait(o) {
		return true
	}
	for i := range o.Sleeps {
		if s := &o.Sleeps[i]; s.Cause.Ext4() && has.Has(promise(s)) {
			return true
		}
	}
	return false
}
