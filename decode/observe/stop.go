package observe

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Point is where a write ended before anything of it was reported as written.
type Point uint8

// Points in the order in which a write comes to them. Those that a decision of the model
// ends at have its label in brackets.
const (
	AtUnknown    Point = iota // the record does not tell
	AtEntry                   // ext4_file_write_iter, before any lock
	AtTrylock                 // i_rwsem is held by another (N1)
	AtChecks                  // ext4_generic_write_checks
	AtLookup                  // ext4_map_blocks of the checks
	AtExclusive               // the shared lock does not do (N2)
	AtWait                    // the lock is exclusive, and it would have to wait for I/O: its own, or that in flight (N3)
	AtTimes                   // file_modified or kiocb_modified (N4)
	AtOrphan                  // a journal handle for the orphan list
	AtPageCache               // pages in the range are not written back or dropped (N5)
	AtMapping                 // ext4_iomap_begin, looking blocks up (N6)
	AtAllocation              // ext4_iomap_begin, allocating them (N6)
	AtSubmit                  // the caller's memory and the device's sectors
	AtDevice                  // the I/O and what completes it (N7)
	AtBuffered                // ext4_buffered_write_iter (N0)

	NumPoints = iota
)

// points has the name of each point, and what holds a NOWAIT write up there.
var points = [NumPoints]struct{ name, refused string }{
	AtUnknown:    {"unknown", "at a point that is not known"},
	AtEntry:      {"entry", "the entry"},
	AtTrylock:    {"trylock", model.EndN1.Refusal()},
	AtChecks:     {"checks", "the write checks"},
	AtLookup:     {"lookup", "blocks are not in the extent cache"},
	AtExclusive:  {"needs-exclusive", model.EndN2.Refusal()},
	AtWait:       {"must-wait", model.EndN3.Refusal()},
	AtTimes:      {"timestamps", model.EndN4.Refusal()},
	AtOrphan:     {"orphan-list", "the orphan list"},
	AtPageCache:  {"page-cache", "the range is in the page cache"},
	AtMapping:    {"mapping", "mapping is not in the extent cache"},
	AtAllocation: {"allocation", "hole: no allocation under NOWAIT"},
	AtSubmit:     {"submission", "the submission of the I/O"},
	AtDevice:     {"device", "no room for the request"},
	AtBuffered:   {"buffered", model.EndN0.Refusal()},
}

// String is the name of p.
func (p Point) String() string {
	if int(p) < len(points) {
		return points[p].name
	}
	return points[AtUnknown].name
}

// Refusal says what holds a NOWAIT write up at p.
func (p Point) Refusal() string {
	if int(p) < len(points) {
		return points[p].refused
	}
	return points[AtUnknown].refused
}

// Refused reports whether o got what NOWAIT gets for waiting, and where.
func (o *Observation) Refused() (at Point, refused bool) {
	if !o.Completed || o.Flags&model.IocbNowait == 0 || o.Ret != model.EAGAIN && o.Ret != model.EOPNOTSUPP {
		return 0, false
	}
	return o.stoppedAt(), true
}

// Failed reports whether o ended in another error, and where.
func (o *Observation) Failed() (at Point, failed bool) {
	if _, refused := o.Refused(); refused || !o.Completed || o.Ret >= 0 {
		return 0, false
	}
	return o.stoppedAt(), true
}

// Unwritten is how many of the bytes asked for were not written, as far as o is over.
func (o *Observation) Unwritten() int64 {
	if !o.Completed {
		return 0
	}
	return max(0, o.Len0-max(0, o.Ret))
}

// stoppedAt is where a write ended that has an error.
func (o *Observation) stoppedAt() Point {
	p := o.LastPass()
	switch {
	case o.Incomplete != "", o.Lacks(record.CutMaps | record.CutBuffered):
		return AtUnknown
	case o.Buffered != nil:
		return AtBuffered
	case o.Dio:
		return o.stoppedInDio()
	case o.Stages.Has(record.StageFmod):
		return o.stoppedModified()
	case p == nil && o.Flags&model.IocbNowait != 0 && o.Ret == model.EAGAIN:
		return AtTrylock
	case p == nil:
		return AtEntry
	case p.Count <= 0 || o.Ret != model.EAGAIN:
		return AtChecks
	case slices.ContainsFunc(p.Lookups, func(l Lookup) bool { return l.Ret == model.EAGAIN }):
		return AtLookup
	case p.Lock == record.LockExclusive:
		return AtWait
	}
	return AtExclusive
}

// stoppedModified is where a write ended that came to file_modified and not to
// iomap_dio_rw. 6.1 tests behind it whether a NOWAIT write would have to wait.
func (o *Observation) stoppedModified() Point {
	switch {
	case !o.FmodKnown:
		return AtUnknown // it, or the orphan list
	case o.FmodRet != 0:
		return AtTimes
	case o.Ret == model.EAGAIN:
		return AtWait
	}
	return AtOrphan
}

// stoppedInDio is where a write ended that came to iomap_dio_rw.
func (o *Observation) stoppedInDio() Point {
	if len(o.Mappings) == 0 {
		return AtPageCache // iomap asks for mappings once the range is out of it
	}
	m := &o.Mappings[len(o.Mappings)-1]
	switch {
	case m.Err != 0 && m.LookedUp && m.LookupRet < 0:
		return AtMapping
	case m.Err == model.EAGAIN || m.Err != 0 && m.AllocFlags != 0:
		return AtAllocation
	case m.Err != 0:
		return AtMapping
	case !o.Queued && (o.Ret == -einval || o.Ret == -efault):
		return AtSubmit
	}
	return AtDevice
}

const efault = 14
