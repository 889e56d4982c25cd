package model

// Way is one answer to one test of the procedure: a branch of the kernel's, taken one way.
type Way struct {
	ID     StepID
	Answer Answer
}

// conditions are the tests in words, without the numbers of one write. Those without any have
// no two ways.
var conditions = [...]string{
	stepUnalignedEntry: "the write is unaligned, before any lock",
	stepGuess:          "its end is beyond i_size, before any lock",
	stepFirstLock:      "the first lock is exclusive",
	stepTrylock:        "NOWAIT gets the lock at once",
	stepUseDio:         "the inode takes direct I/O",
	stepChecks:         "there is something to write after the checks",
	stepUnaligned:      "the write is unaligned",
	stepExtendSize:     "its end is beyond i_size",
	stepExtendDisk:     "its end is beyond i_disksize",
	stepOverwrite:      "one mapping holds all of its blocks",
	stepUnwritten:      "that mapping is unwritten",
	stepHead:           "the partial block at the head is written",
	stepTail:           "the partial block at the tail is written",
	stepNeedsZeroing:   "the rest of a partial block has to be zeroed",
	stepNosec:          "there is no security info to remove (IS_NOSEC)",
	stepUpgrade:        "the shared lock does not do",
	stepSync:           "it has to wait for its I/O (IOMAP_DIO_FORCE_WAIT)",
	stepDrain:          "it has to wait for direct I/O in flight (inode_dio_wait)",
	stepModified:       "time stamps and privileges are updated",
	stepOrphan:         "it extends: ext4_orphan_add",
	stepOps:            "ext4_iomap_overwrite_ops are used",
	stepDio:            "iomap_dio_rw is entered exclusive",
}

// Ways are those of all tests, in the order in which the kernel can meet them.
func Ways() (out []Way) {
	for id, text := range conditions {
		if text != "" {
			out = append(out, Way{StepID(id), Yes}, Way{StepID(id), No})
		}
	}
	return out
}

// Func is the kernel function in which the test stands.
func (w Way) Func() string { return stepText[w.ID].fn }

// Condition is the test in words.
func (w Way) Condition() string { return conditions[w.ID] }

// EndedAt is where NOWAIT ended a write at this step, EndUnknown at others.
func (s Step) EndedAt() End {
	if s.ID == stepEnd {
		return End(s.A)
	}
	return EndUnknown
}

// Upgrades reports whether the step gives up the shared lock.
func (s Step) Upgrades() bool { return s.ID == stepUpgrade && s.Answer == Yes }

// Steps by name, for those who point at one.
const (
	StepFirstLock    = stepFirstLock
	StepUseDio       = stepUseDio
	StepChecks       = stepChecks
	StepOverwrite    = stepOverwrite
	StepHead         = stepHead
	StepTail         = stepTail
	StepNeedsZeroing = stepNeedsZeroing
	StepUpgrade      = stepUpgrade
	StepSync         = stepSync
	StepDrain        = stepDrain
	StepModified     = stepModified
	StepOps          = stepOps
)

// reasonTests are the tests that give the shared lock up, by the reason that this has then.
var reasonTests = map[Reason]StepID{
	ReasonNosec: stepNosec, ReasonExtending: stepExtendSize, ReasonDisksize: stepExtendDisk, ReasonHead: stepHead, ReasonTail: stepTail,
	ReasonNotOver: stepOverwrite, ReasonUnwritten: stepUnwritten,
}

// StepFor is the test that gives the shared lock up for a reason.
func StepFor(r Reason) (test StepID, ok bool) {
	test, ok = reasonTests[r]
	return test, ok
}

// ReasonBy is the reason that the shared lock does not do by a test, ReasonNone where it is not one of those.
func ReasonBy(test StepID) Reason {
	for r, t := range reasonTests {
		if t == test {
			return r
		}
	}
	return ReasonNone
}
