package record

// Sizes in bytes of the structs in bpf/record.h.
const (
	HeadSize     = 128
	StepSize     = 32
	CompleteSize = 32
	MaxSteps     = 40
)

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

// Kinds of steps. What their fields hold stands in bpf/record.h.
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

// Fmod is the function that updated timestamps and privileges (enum fmod).
type Fmod uint8

// Which of the two was called in the check phase.
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

// Step is one thing that the kernel did inside a write (struct step).
type Step struct {
	Kind StepKind
	Lock Lock
	Aux  uint16
	TUs  uint32 // since the entry, microseconds
	A, B uint64
	C, D uint32
}

// Write is one direct write (struct write_rec) with its steps.
type Write struct {
	Size       uint16 // bytes on the wire
	Stages     Stages
	T0         uint64 // entry, ns of CLOCK_MONOTONIC
	Latency    uint64 // entry to return, ns
	ID         uint64
	Ino        uint64
	Pos0       uint64 // ki_pos at entry
	ISize0     uint64 // i_size at entry, read without the lock
	Tgid, Tid  uint32
	Comm       [16]byte
	Dev        uint32 // kernel's dev_t: major<<20 | minor
	KiFlags    uint32
	Len0       uint32
	Ret        int32
	WaitNs     uint64
	DioUs      uint32 // entry to iomap_dio_rw, microseconds
	LostBefore uint32
	StepsLost  uint8
	Passes     uint8
	Blkbits    uint8
	Caller     Caller
	IterType   uint8
	Depth      uint8
	Lock       Lock // at iomap_dio_rw
	DioFlags   uint8
	DioOps     Ops
	Fmod       Fmod
	NrSegs     uint16

	NSteps int
	Steps  [MaxSteps]Step
}

// Complete is the end of an asynchronous write (struct complete_rec).
type Complete struct {
	ID  uint64
	T   uint64 // ns of CLOCK_MONOTONIC
	Ret int64  // bytes, or a negative errno
}
