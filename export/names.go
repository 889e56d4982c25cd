package export

import (
	"math"
	"slices"
	"strconv"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export/safe"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Safe is safe.Text.
func Safe(s string) string { return safe.Text(s) }

// SafeText is safe.Message.
func SafeText(s string) string { return safe.Message(s) }

// SafeMark is safe.Mark.
func SafeMark(s string) string { return safe.Mark(s) }

// dioForceWait is IOMAP_DIO_FORCE_WAIT.
const dioForceWait = 0x1

// words are the names of values, each list in its one place.
var (
	lockWords    = schema.NewWords("lockWords", "", "none", "shared", "exclusive")
	verdictWords = schema.WordsOf("verdictWords", "", int(judge.Unsafe)+1, judge.Kind.String)
	callerWords  = schema.WordsOf("callerWords", record.CallerUnknown.String(), record.NumCallers, callerName)
	causeWords   = schema.WordsOf("causeWords", record.SleepUnknown.String(), record.NumSleepCauses, record.SleepCause.String)
	phaseWords   = schema.WordsOf("phaseWords", "unknown", int(record.PhaseBuffered)+1, phaseName)
	stateWords   = schema.WordsOf("stateWords", model.LookupError.String(), int(model.LookupError)+1, model.BlockState.String)
	pointWords   = schema.WordsOf("pointWords", observe.AtUnknown.String(), observe.NumPoints, observe.Point.String)
	stageWords   = schema.NewWords("stageWords", "", record.Stages(math.MaxUint32).Names()...)

	// cutWords are the record.Cut* flags.
	cutWords = schema.NewWords("cutWords", "", "checks", "mappings", "zeroing", "waits", "buffered", "sleeps")

	// modeWords are those of record.Lock.
	modeWords = schema.NewWords("modeWords", "", "", lockWords.At(int64(Shared)), lockWords.At(int64(Exclusive)))
	fmodWords = schema.NewWords("fmodWords", "", []string{record.FmodFile: "file_modified", record.FmodKiocb: "kiocb_modified"}...)
	opsWords  = schema.NewWords("opsWords", "", []string{record.OpsIomap: "ext4_iomap_ops", record.OpsOverwrite: "ext4_iomap_overwrite_ops"}...)

	// kiFlagWords are the IOCB_* flags that a caller asks for. The bits from 16 on are
	// the kernel's own bookkeeping and moved between versions.
	kiFlagWords = schema.NewWords("kiFlagWords", "", "HIPRI", "DSYNC", "SYNC", "NOWAIT", "APPEND", "", "ATOMIC", "DONTCACHE", "NOSIGNAL")
	// iomapFlagWords are the IOMAP_F_* flags that are the same in every kernel.
	iomapFlagWords = schema.NewWords("iomapFlagWords", "", "new", "dirty", "shared", "merged")
	// passFlagWords are the record.Pass* flags. Those that say what of the record is
	// valid have no name: other fields show it.
	passFlagWords = schema.NewWords("passFlagWords", "", "nosec", "extents", "", "", "encrypted", "inline", "journal", "dax")
	// refusalWords are the record.Buf* flags, with those of a pass.
	refusalWords = schema.NewWords("refusalWords", "", "", "", "", "", "encrypted", "inline", "journal", "", "read", "data=journal", "delalloc", "has_journal")
)

// VerdictNames are the words for verdicts.
func VerdictNames() []string { return slices.Clone(verdictWords.List()) }

// LockNames are the words for the mode of i_rwsem at iomap_dio_rw.
func LockNames() []string { return slices.Clone(lockWords.List()) }

// Bits of ki_flags (IOCB_*) that more than one of the outputs looks at.
const (
	KiDSync  = 1 << 1
	KiSync   = 1 << 2
	KiNowait = 1 << 3
	KiAppend = 1 << 4
)

const (
	kiFlagMask   = 1<<16 - 1
	passFlagMask = record.PassNosec | record.PassExtents | record.PassEncrypted | record.PassInline | record.PassJournal | record.PassDAX
)

func callerName(c record.Caller) string {
	if c == record.CallerUnknown {
		return ""
	}
	return c.String()
}

func phaseName(p record.Phase) string { return (&observe.Sleep{Phase: p}).PhaseName() }

// FlagNames lists the IOCB_* flags that the caller asked for.
func (r *Row) FlagNames() []string { return kiFlagWords.Names(r.KiFlags & kiFlagMask) }

// KiFlag is the bit of an IOCB_* flag by its name, 0 for none.
func KiFlag(name string) uint32 {
	if i := kiFlagWords.Index(name); i >= 0 {
		return 1 << i
	}
	return 0
}

// IomapFlags lists the names of IOMAP_F_* flags.
func IomapFlags(flags uint16) []string { return iomapFlagWords.Names(uint32(flags)) }

var iomapTypes = [...]string{"hole", "delalloc", "mapped", "unwritten", "inline"}

// IomapType is the short name of an IOMAP_* type.
func IomapType(t uint16) string {
	if int(t) < len(iomapTypes) {
		return iomapTypes[t]
	}
	return strconv.Itoa(int(t))
}

// parseIomapType is the reverse of IomapType.
func parseIomapType(s string) (uint16, bool) {
	if i := slices.Index(iomapTypes[:], s); i >= 0 {
		return uint16(i), true
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil && IomapType(uint16(n)) == s
}

// errnoNames are the errors that a direct write on ext4 can end in.
var errnoNames = map[int64]string{
	1: "EPERM", 4: "EINTR", 5: "EIO", 9: "EBADF", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 14: "EFAULT",
	15: "ENOTBLK", 16: "EBUSY", 19: "ENODEV", 22: "EINVAL", 26: "ETXTBSY", 27: "EFBIG", 28: "ENOSPC", 30: "EROFS",
	34: "ERANGE", 61: "ENODATA", 75: "EOVERFLOW", 84: "EILSEQ", 95: "EOPNOTSUPP", 110: "ETIMEDOUT", 117: "EFSCORRUPTED",
	121: "EREMOTEIO", 122: "EDQUOT", 125: "ECANCELED", 512: "ERESTARTSYS", 529: "EIOCBQUEUED",
}

// appendResult appends a result as bytes or as the name of the error.
func appendResult(dst []byte, ret int64) []byte {
	if name, ok := errnoNames[-ret]; ok && ret < 0 {
		return append(append(dst, '-'), name...)
	}
	return strconv.AppendInt(dst, ret, 10)
}

// ParseErrno reads an error by its name or its number, with the sign.
func ParseErrno(s string) (int, bool) {
	for no, name := range errnoNames {
		if s == "-"+name {
			return -int(no), true
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n < 0
}

// Result writes a result as bytes or as the name of the error.
func Result(ret int64) string { return string(appendResult(nil, ret)) }

// appendDev appends a kernel dev_t as major:minor.
func appendDev(dst []byte, dev uint32) []byte {
	dst = strconv.AppendUint(dst, uint64(dev>>20), 10)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, uint64(dev&(1<<20-1)), 10)
}

// DevName writes a kernel dev_t as major:minor.
func DevName(dev uint32) string { return string(appendDev(nil, dev)) }

// appendDuration appends ns in three significant digits: 0, 870ns, 1.23us, 45.6ms, 12.0s.
func appendDuration(dst []byte, ns uint64) []byte {
	if ns < 1000 {
		if ns == 0 {
			return append(dst, '0')
		}
		return append(strconv.AppendUint(dst, ns, 10), "ns"...)
	}
	return appendScaled(dst, float64(ns)/1e3, 1e3, []string{"us", "ms", "s"})
}

// Duration writes nanoseconds in three significant digits.
func Duration(ns uint64) string { return string(appendDuration(nil, ns)) }

// Amount writes a number in three significant digits or fewer: 0, 12, 3.40k, 1.25M.
func Amount(v float64) string {
	if v < 999.5 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return string(appendScaled(nil, v/1e3, 1e3, []string{"k", "M"}))
}

// appendScaled appends v in three significant digits and the unit of them that fits best,
// of which each is step times as large as the one before.
func appendScaled(dst []byte, v, step float64, units []string) []byte {
	for ; v >= 999.5 && len(units) > 1; units = units[1:] {
		v /= step
	}
	return append(strconv.AppendFloat(dst, v, 'f', digits(v), 64), units[0]...)
}

// digits is the number of decimals that make three significant digits.
func digits(v float64) int {
	switch {
	case v >= 99.95:
		return 0
	case v >= 9.995:
		return 1
	}
	return 2
}

// appendBinary appends n bytes in three significant digits: 512, 4.00K, 1.25T.
func appendBinary(dst []byte, n int64) []byte {
	if n < 1024 {
		return strconv.AppendInt(dst, n, 10)
	}
	return appendScaled(dst, float64(n)/1024, 1024, []string{"K", "M", "G", "T", "P", "E"})
}

// ModeName is the name of a mode of i_rwsem, empty when it is not known.
func ModeName(l record.Lock) string { return modeWords.At(int64(l)) }

// Bytes writes a number of bytes in three significant digits and binary units.
func Bytes(n int64) string { return string(appendBinary(nil, n)) }
