package model

import (
	"fmt"
	"slices"
)

// End is where the check phase of a write ends.
type End uint8

// Ends of the check phase. N1 to N4 are the labels of the -EAGAIN points.
const (
	EndUnknown  End = iota // a fact was missing: Decision.Missing names it
	EndDio                 // iomap_dio_rw is entered
	EndBuffered            // no direct I/O: ext4_buffered_write_iter does it all
	EndChecks              // ext4_generic_write_checks returned 0 or an error
	EndModified            // file_modified returned an error
	EndN0                  // buffered under NOWAIT: -EOPNOTSUPP
	EndN1                  // trylock failed
	EndN2                  // exclusive lock needed after shared was taken
	EndN3                  // would have to wait: extending or zeroing
	EndN4                  // kiocb_modified needs a timestamp update
	EndEntry               // ext4_file_write_iter refused the write before any lock
	EndDAX                 // a DAX inode: ext4_dax_write_iter, which is not modelled
)

var endNames = [...]string{
	"unknown", "direct I/O", "buffered", "write checks", "file_modified",
	"N0", "N1", "N2", "N3", "N4", "entry checks", "DAX",
}

func (e End) String() string { return nameOf(endNames[:], e) }

// refusals say what NOWAIT refuses to wait for at the ends that it has.
var refusals = [...]string{
	EndN0: "no direct I/O, so it is buffered",
	EndN1: "i_rwsem is held: trylock fails",
	EndN2: "needs the exclusive lock",
	EndN3: "it has to wait for I/O",
	EndN4: "time stamps have to be updated",
}

// Refusal says what NOWAIT refuses to wait for at this end, nothing at others.
func (e End) Refusal() string {
	if int(e) < len(refusals) {
		return refusals[e]
	}
	return ""
}

// Text says where the check phase ended; of a NOWAIT write that was refused the error,
// what for, and the label: "-EAGAIN: needs the exclusive lock (N2)".
func (e End) Text() string {
	why := e.Refusal()
	if why == "" {
		return e.String()
	}
	return fmt.Sprintf("%s: %s (%s)", e.nowaitName(), why, e)
}

func (e End) nowaitName() string {
	if e == EndN0 {
		return "-EOPNOTSUPP"
	}
	return "-EAGAIN"
}

// nowaitErrno is what a write gets that ends here because NOWAIT would have to wait.
func (e End) nowaitErrno() int64 {
	if e == EndN0 {
		return EOPNOTSUPP
	}
	return EAGAIN
}

// Modifier is the function that updates timestamps and privileges.
type Modifier uint8

// The two functions; direct writes call one of them once.
const (
	FileModified Modifier = iota + 1
	KiocbModifiedFn
)

func (m Modifier) String() string {
	if m == KiocbModifiedFn {
		return "kiocb_modified"
	}
	return "file_modified"
}

// MaxPasses is how often the checks can run: the restart happens only while
// i_rwsem is held shared, and takes it exclusive.
const MaxPasses = 2

// MaxQueries is how many lookups one pass can make.
const MaxQueries = 2

// Pass is what one run of ext4_dio_write_checks decided.
type Pass struct {
	Mode    Mode // held when it ran
	Queries [MaxQueries]Query
	Rets    [MaxQueries]int32 // what ext4_map_blocks returned to them
	N       int               // queries made
	// MayLookUp says that the pass may have made Queries[0], with any answer, or
	// no lookup at all: not known for this variant.
	MayLookUp bool
	Unaligned Answer
	Extend    bool
}

// Decision is what one variant decides about one direct write. A field is
// meaningful when Known says so.
type Decision struct {
	Variant Variant
	End     End
	// Missing names the fact for want of which the procedure stopped.
	Missing string
	Reason  Reason // what settled the lock mode
	// Also holds what would have made it exclusive as well: the kernel's condition is one
	// of several, of which Reason is the first that holds.
	Also [2]Reason

	Mode   Mode // in which iomap_dio_rw is entered; known before End may be
	Passes int  // of ext4_generic_write_checks that this write makes
	Pass   [MaxPasses]Pass

	Drain     Answer // inode_dio_wait in the check phase
	ForceWait Answer // IOMAP_DIO_FORCE_WAIT
	Zeroing   Answer // the check took the write for one that zeroes a partial block
	Extend    bool   // beyond i_size or i_disksize: goes on the orphan list
	// Overwrite says that ext4_iomap_overwrite_ops is used (6.x).
	Overwrite bool
	Modifier  Modifier
	// Queue says whether the write may end in -EIOCBQUEUED.
	Queue Answer
	// Ret is the result when the check phase ends the write, else 0.
	Ret int64

	contradiction string // the facts that cannot both be true; Missing says so, too

	steps  [maxSteps]Step
	nsteps int
}

// Known reports whether the check phase was decided to its end.
func (d *Decision) Known() bool { return d.End != EndUnknown }

// Reasons lists Reason and Also.
func (d *Decision) Reasons() []Reason {
	return slices.DeleteFunc([]Reason{d.Reason, d.Also[0], d.Also[1]}, func(r Reason) bool { return r == ReasonNone })
}

// also adds a reason that is not there yet.
func (d *Decision) also(r Reason) {
	for _, there := range [...]Reason{d.Reason, d.Also[0], d.Also[1], ReasonNone} {
		if r == there {
			return
		}
	}
	for i := range d.Also {
		if d.Also[i] == ReasonNone {
			d.Also[i] = r
			return
		}
	}
}

// Steps lists the procedure step by step in the kernel's order. The slice is
// valid until d is used for another decision.
func (d *Decision) Steps() []Step { return d.steps[:d.nsteps] }

func (d *Decision) stop(missing string) {
	d.End = EndUnknown
	if d.Missing == "" {
		d.Missing = missing
	}
}

// Contradiction begins every text that names two facts which cannot both be true.
const Contradiction = "contradiction: "

// contradict ends the decision with two facts that cannot both be true.
func (d *Decision) contradict(why string) {
	d.stop(Contradiction + why)
	d.contradiction = why
}

// Contradiction is the contradiction in the facts that ended d, if one did.
func (d *Decision) Contradiction() (string, bool) { return d.contradiction, d.contradiction != "" }

// Reason is the short name of what settled the lock mode or the end of a write.
// The texts are stable: tables group by them.
type Reason string

// Reasons, in the kernel's words.
const (
	ReasonNone       Reason = ""
	ReasonOverwrite  Reason = "overwrite"
	ReasonAligned    Reason = "aligned, inside i_size"
	ReasonWritten    Reason = "head and tail written"
	ReasonNoPartial  Reason = "no partial block"
	ReasonGuess      Reason = "end beyond i_size before the lock"
	ReasonUnaligned  Reason = "unaligned"
	ReasonExtending  Reason = "extending"
	ReasonDisksize   Reason = "extending i_disksize"
	ReasonNosec      Reason = "nosec"
	ReasonHead       Reason = "zeroing: head not written"
	ReasonTail       Reason = "zeroing: tail not written"
	ReasonNotOver    Reason = "not overwrite"
	ReasonUnwritten  Reason = "unaligned, unwritten"
	ReasonTrylock    Reason = "trylock failed"
	ReasonNoDio      Reason = "no direct I/O"
	ReasonInline     Reason = "no direct I/O: inline data"
	ReasonJournal    Reason = "no direct I/O: journalled data"
	ReasonVerity     Reason = "no direct I/O: verity"
	ReasonEncrypted  Reason = "no direct I/O: encrypted"
	ReasonEmpty      Reason = "nothing to write"
	ReasonChecks     Reason = "write checks"
	ReasonTimestamps Reason = "timestamps"
	ReasonModified   Reason = "file_modified"
	ReasonEntry      Reason = "entry checks"
	ReasonDAX        Reason = "DAX"
)
