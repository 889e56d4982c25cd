package rowfilter

import (
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Field is a field or a flag, for the help.
type Field struct {
	Name, What string
	Flag       bool // stands alone
}

// Fields lists the fields and then the flags, those that are wanted most first.
func Fields() []Field {
	var out []Field
	for i := range fieldTable {
		out = append(out, fieldTable[i].Field)
	}
	for i := range flagTable {
		out = append(out, flagTable[i].Field)
	}
	return out
}

// kind is how values of a field are written and compared.
type kind uint8

const (
	text   kind = iota
	choice      // one of few words
	bytes
	duration
	count
	result // bytes or an errno
	device
	list // of words
)

// operators of the kind, each between blanks.
func (k kind) operators() string {
	switch k {
	case text:
		return " = != ~ !~ "
	case choice, device, list:
		return " = != "
	}
	return " = != < <= > >= "
}

// field is one that a row has.
type field struct {
	Field
	kind   kind
	values string // what is possible, for errors
	// number is for bytes, duration, count, result and device, word for text and
	// choice, words for list. known is false when the fact is not known.
	number func(*export.Row) (n int64, known bool)
	word   func(*export.Row) (s string, known bool)
	words  func(*export.Row) (s []string, known bool)
}

const (
	anyText  = "text; * and ? stand for others"
	anyBytes = "bytes, such as 512, 64k or 1m"
	anyTime  = "a time, such as 50us or 5ms"
	anyCount = "a number"
)

var fieldTable = []field{
	{Field: Field{Name: "lock", What: "mode of i_rwsem at iomap_dio_rw: shared, exclusive or none"}, kind: choice, values: "shared, exclusive or none", word: lockWord},
	{Field: Field{Name: "verdict", What: "agree, undecided, slower, differs, unsafe; disagree is the last three"}, kind: choice,
		values: "agree, undecided, slower, differs, unsafe, disagree", word: verdictWord},
	{Field: Field{Name: "reason", What: "why the write took its lock, such as zeroing"}, kind: text, values: anyText, word: filled((*export.Row).Reason)},
	{Field: Field{Name: "file", What: "last part of the path"}, kind: text, values: anyText, word: filled(fileName)},
	{Field: Field{Name: "path", What: "the whole path"}, kind: text, values: anyText, word: filled(func(r *export.Row) string { return r.Path })},
	{Field: Field{Name: "comm", What: "name of the thread"}, kind: text, values: anyText, word: func(r *export.Row) (string, bool) { return r.Comm, true }},
	{Field: Field{Name: "pid", What: "process"}, kind: count, values: anyCount, number: func(r *export.Row) (int64, bool) { return int64(r.Pid), true }},
	{Field: Field{Name: "tid", What: "thread"}, kind: count, values: anyCount, number: func(r *export.Row) (int64, bool) { return int64(r.Tid), true }},
	{Field: Field{Name: "dev", What: "device, MAJOR:MINOR"}, kind: device, values: "MAJOR:MINOR, such as 8:0", number: func(r *export.Row) (int64, bool) { return int64(r.Dev), true }},
	{Field: Field{Name: "ino", What: "inode number"}, kind: count, values: anyCount, number: func(r *export.Row) (int64, bool) { return int64(r.Ino), true }},
	{Field: Field{Name: "pos", What: "position, bytes"}, kind: bytes, values: anyBytes, number: func(r *export.Row) (int64, bool) { return r.Pos, true }},
	{Field: Field{Name: "len", What: "length asked for, bytes"}, kind: bytes, values: anyBytes, number: func(r *export.Row) (int64, bool) { return r.Len, true }},
	{Field: Field{Name: "wait", What: "time queued for i_rwsem"}, kind: duration, values: anyTime, number: func(r *export.Row) (int64, bool) { return int64(r.WaitNs.V), r.WaitNs.Known }},
	{Field: Field{Name: "latency", What: "time from entry to completion"}, kind: duration, values: anyTime, number: func(r *export.Row) (int64, bool) { return int64(r.LatencyNs.V), r.LatencyNs.Known }},
	{Field: Field{Name: "passes", What: "runs of the write checks; 2 is one restart"}, kind: count, values: anyCount, number: func(r *export.Row) (int64, bool) { return int64(r.Passes.V), r.Passes.Known }},
	{Field: Field{Name: "ret", What: "result: bytes, or an error such as -EAGAIN"}, kind: result, values: "bytes, or an error such as -EAGAIN", number: func(r *export.Row) (int64, bool) { return r.Ret.V, r.Ret.Known }},
	{Field: Field{Name: "zeroed", What: "bytes zeroed around the write"}, kind: bytes, values: anyBytes, number: zeroedBytes},
	{Field: Field{Name: "fallback", What: "bytes left for the buffered write"}, kind: bytes, values: anyBytes, number: fallbackBytes},
	{Field: Field{Name: "rule", What: "a rule that was broken, R1 to R13"}, kind: list, values: "R1 to R13", words: func(r *export.Row) ([]string, bool) { return r.Rules, r.Verdict.Known }},
	{Field: Field{Name: "hazard", What: "a rule that was broken and is not promised by this kernel"}, kind: list, values: "R1 to R13",
		words: func(r *export.Row) ([]string, bool) { return r.Hazards, r.Verdict.Known }},
	{Field: Field{Name: "caller", What: "how it was submitted: sync, libaio, io_uring, …"}, kind: choice, values: callers(), word: callerWord},
	{Field: Field{Name: "variant", What: "what it was judged as"}, kind: text, values: anyText, word: filled(func(r *export.Row) string { return r.Variant })},
}

// flag is a condition without a value.
type flag struct {
	Field
	on func(*export.Row) (on, known bool)
}

// Bits of ki_flags (IOCB_*).
const (
	kiHipri     = 1 << 0
	kiDsync     = 1 << 1
	kiSync      = 1 << 2
	kiNowait    = 1 << 3
	kiAppend    = 1 << 4
	kiAtomic    = 1 << 6
	kiDontcache = 1 << 7
)

var flagTable = []flag{
	{flagged("shared", "as lock=shared"), isLock(export.Shared)},
	{flagged("exclusive", "as lock=exclusive"), isLock(export.Exclusive)},
	{flagged("disagree", "slower, differs or unsafe"), func(r *export.Row) (bool, bool) { return r.Disagrees(), r.Verdict.Known }},
	{flagged("agree", "as verdict=agree"), isVerdict(judge.Agree)},
	{flagged("undecided", "as verdict=undecided"), isVerdict(judge.Undecided)},
	{flagged("slower", "as verdict=slower"), isVerdict(judge.Slower)},
	{flagged("differs", "as verdict=differs"), isVerdict(judge.Differs)},
	{flagged("unsafe", "as verdict=unsafe"), isVerdict(judge.Unsafe)},
	{flagged("nowait", "RWF_NOWAIT"), kiFlag(kiNowait)},
	{flagged("dsync", "O_DSYNC or RWF_DSYNC"), kiFlag(kiDsync)},
	{flagged("sync", "O_SYNC or RWF_SYNC"), kiFlag(kiSync)},
	{flagged("append", "O_APPEND or RWF_APPEND"), kiFlag(kiAppend)},
	{flagged("atomic", "RWF_ATOMIC"), kiFlag(kiAtomic)},
	{flagged("hipri", "RWF_HIPRI, polled"), kiFlag(kiHipri)},
	{flagged("dontcache", "RWF_DONTCACHE"), kiFlag(kiDontcache)},
	{flagged("queued", "the write function returned -EIOCBQUEUED"), wasQueued},
	{flagged("async", "as queued"), wasQueued},
	{flagged("unaligned", "not a multiple of blocks"), fact(func(r *export.Row) export.Opt[bool] { return r.Unaligned })},
	{flagged("extending", "past i_size or i_disksize"), fact(func(r *export.Row) export.Opt[bool] { return r.Extending })},
	{flagged("drained", "inode_dio_wait was called"), fact(func(r *export.Row) export.Opt[bool] { return r.Drained })},
	{flagged("forcewait", "IOMAP_DIO_FORCE_WAIT was given"), fact(func(r *export.Row) export.Opt[bool] { return r.ForceWait })},
	{flagged("restarted", "more than one pass"), above(func(r *export.Row) (int64, bool) { return int64(r.Passes.V), r.Passes.Known }, 1)},
	{flagged("slept", "a NOWAIT write that slept"), fact(func(r *export.Row) export.Opt[bool] { return r.Slept })},
	{flagged("zeroed", "zeroed>0"), above(zeroedBytes, 0)},
	{flagged("fallback", "fallback>0"), above(fallbackBytes, 0)},
	{flagged("failed", "ret<0"), func(r *export.Row) (bool, bool) { return r.Ret.V < 0, r.Ret.Known }},
	{flagged("incomplete", "the record does not hold all that the kernel passed"), func(r *export.Row) (bool, bool) { return r.Incomplete != "", true }},
	{flagged("truncated", "steps did not fit into the record"), func(r *export.Row) (bool, bool) { return r.Truncated, true }},
}

var fields, flags = byName()

func byName() (map[string]*field, map[string]*flag) {
	f, g := make(map[string]*field), make(map[string]*flag)
	for i := range fieldTable {
		f[fieldTable[i].Name] = &fieldTable[i]
	}
	for i := range flagTable {
		g[flagTable[i].Name] = &flagTable[i]
	}
	return f, g
}

func flagged(name, what string) Field { return Field{name, what, true} }

// filled makes an empty text one that is not known.
func filled(get func(*export.Row) string) func(*export.Row) (string, bool) {
	return func(r *export.Row) (string, bool) { s := get(r); return s, s != "" }
}

func fact(get func(*export.Row) export.Opt[bool]) func(*export.Row) (bool, bool) {
	return func(r *export.Row) (bool, bool) { o := get(r); return o.V, o.Known }
}

func above(get func(*export.Row) (int64, bool), least int64) func(*export.Row) (bool, bool) {
	return func(r *export.Row) (bool, bool) { n, known := get(r); return n > least, known }
}

func kiFlag(bit uint32) func(*export.Row) (bool, bool) {
	return func(r *export.Row) (bool, bool) { return r.KiFlags&bit != 0, true }
}

func isLock(l export.Lock) func(*export.Row) (bool, bool) {
	return func(r *export.Row) (bool, bool) { return r.Lock.V == l, r.Lock.Known }
}

func isVerdict(k judge.Kind) func(*export.Row) (bool, bool) {
	return func(r *export.Row) (bool, bool) { return r.Verdict.V == k, r.Verdict.Known }
}

// wasQueued is not known of a write whose return was not seen.
func wasQueued(r *export.Row) (on, known bool) {
	return r.Facts.Queued, r.Facts.Queued || r.Stages.Has(record.StageReturn)
}

func lockWord(r *export.Row) (string, bool)    { return r.Lock.V.String(), r.Lock.Known }
func verdictWord(r *export.Row) (string, bool) { return r.Verdict.V.String(), r.Verdict.Known }
func callerWord(r *export.Row) (string, bool) {
	return r.Caller.String(), r.Caller != record.CallerUnknown
}

// callers lists the names of the ways to submit a write.
func callers() string {
	var names []string
	for c := record.CallerSync; int(c) < record.NumCallers; c++ {
		names = append(names, c.String())
	}
	return strings.Join(names, ", ")
}

func fileName(r *export.Row) string { return r.Path[strings.LastIndexByte(r.Path, '/')+1:] }

func zeroedBytes(r *export.Row) (int64, bool) {
	z := r.ZeroedBytes()
	return z.V, z.Known
}

func fallbackBytes(r *export.Row) (int64, bool) { return r.FallbackBytes.V, r.FallbackBytes.Known }
