package record

// Kind tells what a raw record is (enum rec_kind).
type Kind uint16

// Kinds of records; numbers are append-only.
const (
	KindWrite    Kind = 1
	KindComplete Kind = 2
)

// Stages is the set of probes that were hit for one write (ST_*). A field whose
// stage is missing was not captured.
type Stages uint32

// Stages in the order in which the kernel passes them.
const (
	StageEntry Stages = 1 << iota
	StagePass
	StageLookup
	StageDrain
	StageFmod
	StageDIO
	StageBegin
	StageZero
	StageBuffered
	StageCopy
	StageReturn
	StageAlign
	StageWait
	StageSleep
	StageBroken
	StageLock
)

var stageNames = [...]string{
	"entry", "pass", "lookup", "drain", "fmod", "dio", "begin", "zero",
	"buffered", "copy", "return", "align", "wait", "sleep", "broken", "lock",
}

// Has reports whether every stage in want was seen.
func (s Stages) Has(want Stages) bool { return s&want == want }

// Names lists the stages by their short names, in kernel order.
func (s Stages) Names() []string {
	var out []string
	for i, n := range stageNames {
		if s&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// Lock is the mode in which the writing task held i_rwsem (enum lock_mode).
type Lock uint8

// Modes of i_rwsem.
const (
	LockUnknown Lock = iota
	LockShared
	LockExclusive
)

// Caller is the kind of submission path, told from ki_complete and the task
// (enum caller).
type Caller uint8

// Submission paths.
const (
	CallerUnknown Caller = iota
	CallerSync
	CallerLibaio
	CallerIOUring
	CallerIOUringIOPoll
	CallerIOWQ
	CallerLoop
	CallerNFSD
	CallerOtherAsync
	CallerKthread
	NumCallers = iota
)

var callerNames = [...]string{
	"unknown", "sync", "libaio", "io_uring", "io_uring-iopoll", "io-wq",
	"loop", "nfsd", "async", "kthread",
}

func (c Caller) String() string {
	if int(c) < len(callerNames) {
		return callerNames[c]
	}
	return "unknown"
}

// StepKind tells what a Step holds (enum step_kind).
type StepKind uint8

// Kinds of steps. What their fields hold stands in bpf/record.h, and is copied from
// there to trace/tracefile/FORMAT.md.
const (
	StepPass StepKind = iota + 1
	StepDisksize
	StepLookup
	StepDrain
	StepMap
	StepZero
	StepBuffered
	StepCopy
	StepWait
	StepSleep
	StepAlign
)

// Flags in Step.Aux of a StepPass (PASS_*).
const (
	PassNosec uint16 = 1 << iota
	PassExtents
	PassDisksize
	PassAlign
	PassEncrypted
	PassInline
	PassJournal
	PassDAX
)

// Flags in Step.Aux of a StepBuffered that no StepPass came before: what
// ext4_should_use_dio refused direct I/O for, with PassEncrypted, PassInline and
// PassJournal (BUF_*).
const (
	BufFacts       uint16 = 1 << 8 // the others were read
	BufDataJournal uint16 = 1 << 9 // mounted with data=journal
	BufDelalloc    uint16 = 1 << 10
	BufJournal     uint16 = 1 << 11 // the file system has a journal
)

// Flags in Step.Aux of a StepAlign (ALIGN_*).
const (
	AlignEntry uint16 = 1 << 0
	AlignCut   uint16 = 1 << 1
)

// Flags in Step.Aux of a StepDrain and of a StepMap.
const (
	DrainWaited   uint16 = 1 << 0
	DrainBuffered uint16 = 1 << 1
	MapFailed     uint16 = 1 << 0
	MapOverwrite  uint16 = 1 << 1
	MapLookup     uint16 = 1 << 2 // A and B hold a lookup, too
)

// Phase says where a write was (enum phase).
type Phase uint8

// Phases of one write.
const (
	PhaseCheck Phase = iota
	PhaseDIO
	PhaseBuffered
)

// SleepCause is what a NOWAIT write slept for (enum sleep_cause).
type SleepCause uint8

// Causes of sleeps. SleepUnknown stands for a stack that could not be read or
// that tells nothing.
const (
	SleepUnknown SleepCause = iota
	SleepIRwsem
	SleepIDataSem
	SleepJBD2
	SleepMetadata
	SleepDrain
	SleepAllocator
	SleepOwnIO
	SleepEndIO
	SleepMemory
	SleepUserPages
	SleepDIOQueue
	SleepBlock
	SleepRTLock
	NumSleepCauses = iota
)

var sleepCauseNames = [...]string{
	"unknown", "i_rwsem", "i_data_sem", "jbd2", "metadata", "drain", "allocator",
	"own-io", "end_io", "memory", "user-pages", "dio-workqueue", "block-layer", "rtlock",
}

// String is the name by which the cause is shown.
func (c SleepCause) String() string {
	if int(c) < len(sleepCauseNames) {
		return sleepCauseNames[c]
	}
	return "unknown"
}

// Ext4 reports whether the cause is one of ext4's own, for which a NOWAIT write
// must not wait. The others are outside of what IOCB_NOWAIT promises.
func (c SleepCause) Ext4() bool { return c >= SleepIRwsem && c <= SleepAllocator }

// Fmod is the function that was entered to update timestamps and privileges (enum
// fmod). What it returned is told from how the write went on.
type Fmod uint8

// Which of the two was entered in the check phase.
const (
	FmodNone Fmod = iota
	FmodFile
	FmodKiocb
)

// Ops is the iomap_ops given to iomap_dio_rw (enum dio_ops).
type Ops uint8

// The two operation tables of ext4 for direct writes.
const (
	OpsUnknown Ops = iota
	OpsIomap
	OpsOverwrite
)
