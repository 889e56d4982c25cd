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
	stepSync
	stepDrain
	stepModified
	stepOrphan
	stepOps
	stepDio
)

var stepText = [...]struct{ fn, test string }{
	stepUnalignedEntry: {"ext4_unaligned_io", "unaligned at entry, before any lock"},
	stepGuess:          {"ext4_dio_write_iter", "ki_pos + count %d > i_size %d, lockless"},
	stepTrylock:        {"inode_trylock", "trylock under IOCB_NOWAIT"},
	stepUseDio:         {"ext4_should_use_dio", "direct I/O"},
	stepChecks:         {"ext4_generic_write_checks", "ki_pos %d, %d bytes left"},
	stepUnaligned:      {"ext4_unaligned_io", "ki_pos %d and alignment %#x against the block size"},
	stepExtendSize:     {"ext4_extending_io", "end %d > i_size %d"},
	stepExtendDisk:     {"ext4_extending_io", "end %d > i_disksize %d"},
	stepLookup:         {"ext4_map_blocks", "block %d, %d blocks: found"},
	stepOverwrite:      {"ext4_overwrite_io", "one mapping covers all %d blocks, ext4_map_blocks returned %d"},
	stepUnwritten:      {"ext4_overwrite_io", "unwritten"},
	stepHead:           {"ext4_dio_needs_zeroing", "head block %d written, ext4_map_blocks returned %d"},
	stepTail:           {"ext4_dio_needs_zeroing", "tail block %d written, ext4_map_blocks returned %d"},
	stepNeedsZeroing:   {"ext4_dio_needs_zeroing", "a partial block needs zeroing"},
	stepNosec:          {"IS_NOSEC", "no security info to remove"},
	stepUpgrade:        {"ext4_dio_write_checks", "shared lock is not enough: restart with the exclusive lock"},
	stepSync:           {"ext4_dio_write_checks", "must wait for its I/O: IOMAP_DIO_FORCE_WAIT"},
	stepDrain:          {"inode_dio_wait", "wait for direct I/O in flight"},
	stepModified:       {"file_modified", "returned %d"},
	stepOrphan:         {"ext4_orphan_add", "extending: on the orphan list"},
	stepOps:            {"ext4_dio_write_iter", "ext4_iomap_overwrite_ops"},
	stepDio:            {"iomap_dio_rw", "entered"},
}

// Func is the kernel function in which the test stands.
func (s Step) Func() string { return stepText[s.ID].fn }

// String is the test and its outcome on one line.
func (s Step) String() string {
	t := stepText[s.ID]
	test := t.test
	switch s.ID {
	case stepModified:
		test = fmt.Sprintf(test, s.A)
	case stepGuess, stepChecks, stepUnaligned, stepExtendSize, stepExtendDisk, stepLookup, stepOverwrite, stepHead, stepTail:
		test = fmt.Sprintf(test, s.A, s.B)
	}
	return fmt.Sprintf("%s: %s: %s", t.fn, test, s.Answer)
}

func (d *Decision) step(id StepID, pass int, a Answer, x, y int64) {
	if d.nsteps < maxSteps {
		d.steps[d.nsteps] = Step{ID: id, Pass: uint8(pass), Answer: a, A: x, B: y}
		d.nsteps++
	}
}
