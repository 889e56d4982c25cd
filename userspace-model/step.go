package model

import "fmt"

const maxSteps = 32

// StepID names one test of the decision procedure.
type StepID uint8

// Step is one test of the procedure and its outcome.
type Step struct {
	ID     StepID
	Pass   uint8 // counted from 0
	Answer Answer
	A, B   int64 // what was tested; their meaning depends on ID
}

// The tests, in the order in which the kernel can meet them.
const (
	stepUnalignedEntry StepID = iota
	stepGuess
	stepFirstLock
	stepTrylock
	stepUseDio
	stepChecks
	stepUnaligned
	stepExtendSize
	stepExtendDisk
	stepLookup
	stepOverwrite
	stepUnwritten
	stepHead
	stepTail
	stepNeedsZeroing
	stepNosec
	stepUpgrade
	stepRestart
	stepSync
	stepDrain
	stepModified
	stepOrphan
	stepOps
	stepDio
	stepEnd
)

// stepText has for each test the kernel function it stands in, the test with the
// number of its numbers, and what each answer means.
var stepText = [...]struct {
	fn, test string
	args     int
	no, yes  string
}{
	stepUnalignedEntry: {"ext4_unaligned_io", "ki_pos %d, alignment %#x, before any lock", 2, "aligned", "unaligned: needs the exclusive lock"},
	stepGuess:          {"ext4_dio_write_iter", "end %d > i_size %d, without a lock", 2, "no", "yes: needs the exclusive lock"},
	stepFirstLock:      {"ext4_dio_write_iter", "first lock", 0, "shared", "exclusive"},
	stepTrylock:        {"inode_trylock", "under NOWAIT", 0, "busy", "taken"},
	stepUseDio:         {"ext4_should_use_dio", "direct I/O", 0, "no: the page cache takes the write", "yes"},
	stepChecks:         {"ext4_generic_write_checks", "ki_pos %d, result %d", 2, "the write ends here", "go on"},
	stepUnaligned:      {"ext4_unaligned_io", "ki_pos %d, alignment %#x", 2, "aligned", "unaligned"},
	stepExtendSize:     {"ext4_extending_io", "end %d > i_size %d", 2, "no", "yes: extending"},
	stepExtendDisk:     {"ext4_extending_io", "end %d > i_disksize %d", 2, "no", "yes: extending"},
	stepLookup:         {"ext4_map_blocks", "block %d, %d blocks", 2, "", ""},
	stepOverwrite:      {"ext4_overwrite_io", "%d blocks in one mapping, ext4_map_blocks returned %d", 2, "no overwrite", "overwrite"},
	stepUnwritten:      {"ext4_overwrite_io", "the mapping is unwritten", 0, "no", "yes"},
	stepHead:           {"ext4_dio_needs_zeroing", "head block %d, ext4_map_blocks returned %d", 2, "not written", "written"},
	stepTail:           {"ext4_dio_needs_zeroing", "tail block %d, ext4_map_blocks returned %d", 2, "not written", "written"},
	stepNeedsZeroing:   {"ext4_dio_needs_zeroing", "the rest of a partial block has to be zeroed", 0, "no", "yes"},
	stepNosec:          {"IS_NOSEC", "no security info to remove", 0, "no: needs the exclusive lock", "yes"},
	stepUpgrade:        {"ext4_dio_write_checks", "needs more than the shared lock", 0, "no: stays shared", "yes"},
	stepRestart:        {"ext4_dio_write_checks", "restart with the exclusive lock", 0, "", "yes"},
	stepSync:           {"ext4_dio_write_checks", "has to wait for its I/O (IOMAP_DIO_FORCE_WAIT)", 0, "no", "yes"},
	stepDrain:          {"ext4_dio_write_checks", "has to wait for direct I/O in flight (inode_dio_wait)", 0, "no", "yes"},
	stepModified:       {"file_modified", "returned %d", 1, "an error ends the write", "go on"},
	stepOrphan:         {"ext4_dio_write_iter", "extending: ext4_orphan_add", 0, "no", "yes"},
	stepOps:            {"ext4_dio_write_iter", "ext4_iomap_overwrite_ops", 0, "no: ext4_iomap_ops", "yes"},
	stepDio:            {"iomap_dio_rw", "entered with i_rwsem", 0, "shared", "exclusive"},
	stepEnd:            {"ext4_dio_write_iter", "under NOWAIT", 0, "", ""},
}

// Func is the kernel function in which the test stands.
func (s Step) Func() string {
	switch {
	case s.ID == stepModified && Modifier(s.B) == KiocbModifiedFn:
		return KiocbModifiedFn.String()
	case s.ID == stepEnd && End(s.A) == EndN0:
		return "ext4_buffered_write_iter"
	}
	return stepText[s.ID].fn
}

// Test is what was tested, with its numbers.
func (s Step) Test() string {
	t := &stepText[s.ID]
	switch {
	case t.args == 2:
		return fmt.Sprintf(t.test, s.A, s.B)
	case t.args == 1:
		return fmt.Sprintf(t.test, s.A)
	}
	return t.test
}

// Outcome is what the answer means.
func (s Step) Outcome() string {
	switch {
	case s.ID == stepEnd:
		return End(s.A).Text()
	case s.Answer == No:
		return stepText[s.ID].no
	case s.Answer == Yes:
		return stepText[s.ID].yes
	}
	return "not known"
}

// AfterChecks reports whether the step follows the last pass of the checks,
// whichever that was.
func (s Step) AfterChecks() bool { return s.ID >= stepSync && s.ID < stepEnd }

// String is the test and its outcome on one line.
func (s Step) String() string {
	return fmt.Sprintf("%s: %s: %s", s.Func(), s.Test(), s.Outcome())
}

func (d *Decision) step(id StepID, pass int, a Answer, x, y int64) {
	if d.nsteps < maxSteps {
		// Field by field: a whole Step would be made on the stack and copied, which
		// costs as much as the rest of a decision.
		s := &d.steps[d.nsteps]
		s.ID, s.Pass, s.Answer, s.A, s.B = id, uint8(pass), a, x, y
		d.nsteps++
	}
}

// again ends the decision at a point where NOWAIT would have to wait.
func (d *Decision) again(pass int, at End) {
	d.End, d.Ret, d.Mode = at, at.nowaitErrno(), Unlocked
	d.step(stepEnd, pass, Yes, int64(at), 0)
}
