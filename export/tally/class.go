package tally

import (
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Class is why a write was made under the exclusive lock, coarse enough for a column.
type Class uint8

// Classes of exclusive writes, in the order of the columns.
const (
	Extending    Class = iota // beyond i_size or i_disksize
	Zeroing                   // a part of a block that is not written has to be zeroed
	NotOverwrite              // blocks have to be allocated
	Security                  // the inode is not nosec: security info may have to be removed
	Guess                     // the first lock was exclusive already, and stayed
	Unaligned                 // kernels that take every unaligned write so, or each of unwritten blocks
	Needless                  // the model says that the shared lock is enough
	OtherClass                // other reasons, and those that are not known
	NumClasses
)

var classNames = [NumClasses]string{
	"extending", "zeroing", "not overwrite", "security", "guess", "unaligned", "not needed", "other",
}

func (c Class) String() string { return classNames[c] }

var classOf = map[string]Class{
	string(model.ReasonExtending): Extending, string(model.ReasonDisksize): Extending,
	string(model.ReasonHead): Zeroing, string(model.ReasonTail): Zeroing,
	string(model.ReasonNotOver): NotOverwrite, string(model.ReasonNosec): Security, string(model.ReasonGuess): Guess,
	string(model.ReasonUnaligned): Unaligned, string(model.ReasonUnwritten): Unaligned,
	string(model.ReasonAligned): Needless, string(model.ReasonOverwrite): Needless,
	string(model.ReasonWritten): Needless, string(model.ReasonNoPartial): Needless,
}

// classify is the class of an exclusive write with a reason. Where the model's reason is
// one for the shared lock, but no disagreement was found, nothing is known of the need.
func classify(r *export.Row, reason string) Class {
	c, ok := classOf[reason]
	if !ok || c == Needless && !r.Disagrees() {
		return OtherClass
	}
	return c
}

// Point is where a NOWAIT write got its -EAGAIN.
type Point uint8

// Points in the order in which a write comes to them.
const (
	AtLock    Point = iota // the first trylock of i_rwsem
	AtChecks               // the write checks: a lookup, the drain, or the exclusive lock
	AtTimes                // the update of time stamps
	AtMapping              // ext4_iomap_begin
	AtSubmit               // the submission of the I/O itself
	NumPoints
)

var pointNames = [NumPoints]string{"lock", "checks", "timestamps", "mapping", "submit"}

func (p Point) String() string { return pointNames[p] }

const eagain = -11

// again tells where r got its -EAGAIN. A record that is not whole does not tell.
func again(r *export.Row) (Point, bool) {
	if r.KiFlags&export.KiNowait == 0 || !export.Is(r.Ret, eagain) || r.Incomplete != "" {
		return 0, false
	}
	switch {
	case r.Stages.Has(record.StageDIO):
		for i := range r.Mappings {
			if r.Mappings[i].Err != 0 {
				return AtMapping, true
			}
		}
		if r.Lacks(record.CutMaps) {
			return 0, false
		}
		return AtSubmit, true
	case r.Stages.Has(record.StageFmod):
		return AtTimes, true
	case len(r.Facts.Checks) == 0:
		return AtLock, true
	}
	return AtChecks, true
}
