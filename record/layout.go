package record

// Kind tells what a raw record is (enum rec_kind).
type Kind uint16

// Stages is the set of probes that were hit for one write (ST_*). A field whose
// stage is missing was not captured.
type Stages uint32

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

// Caller is the kind of submission path, told from ki_complete and the task
// (enum caller).
type Caller uint8

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

// Phase says where a write was (enum phase).
type Phase uint8

// SleepCause is what a NOWAIT write slept for (enum sleep_cause).
type SleepCause uint8

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

// InsideStage is where a write was that had not returned (enum inside).
type InsideStage uint8

var insideNames = [...]string{"entry", "i_rwsem", "checks", "lookup", "drain", "mapping", "io", "buffered"}

// String is the name by which the stage is shown.
func (s InsideStage) String() string {
	if int(s) < len(insideNames) {
		return insideNames[s]
	}
	return "unknown"
}

var insideWords = [...]string{
	"before the write checks", "waiting for i_rwsem", "holding i_rwsem, in the checks", "in a lookup (ext4_map_blocks)",
	"draining (inode_dio_wait)", "mapping (ext4_iomap_begin)", "in its own I/O (iomap_dio_rw)", "in the buffered fallback",
}

// Words says the same to a person.
func (s InsideStage) Words() string {
	if int(s) < len(insideWords) {
		return insideWords[s]
	}
	return "at a place that this version does not know"
}

// Fmod is the function that was entered to update timestamps and privileges (enum
// fmod). What it returned is told from how the write went on.
type Fmod uint8

// Ops is the iomap_ops given to iomap_dio_rw (enum dio_ops).
type Ops uint8
