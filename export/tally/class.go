package tally

import (
	"github.com/ext4dio/ext4dio-trace/export"
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
	FirstLock                 // the first lock was exclusive already, and stayed
	Unaligned                 // kernels that take every unaligned write so, or each of unwritten blocks
	Needless                  // the model says that the shared lock is enough
	OtherClass                // other reasons, and those that are not known
	NumClasses
)

var classNames = [NumClasses]string{
	"extending", "zeroing", "not overwrite", "security", "first lock", "unaligned", "not needed", "other",
}

func (c Class) String() string { return classNames[c] }

var classOf = map[string]Class{
	string(model.ReasonExtending): Extending, string(model.ReasonDisksize): Extending,
	string(model.ReasonHead): Zeroing, string(model.ReasonTail): Zeroing,
	string(model.ReasonNotOver): NotOverwrite, string(model.ReasonNosec): Security, string(model.ReasonGuess): FirstLock,
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
