package export

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Opt is a fact that may be unknown. Its zero value is unknown.
type Opt[T any] = schema.Opt[T]

// Some is a known fact.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, Known: true} }

// Is reports whether the fact is known and equals v.
func Is[T comparable](o Opt[T], v T) bool { return o.Known && o.V == v }

// Row is one direct write as every output shows it. The JSON names are in
// Fields; a field that is not Known is null there and "?" in text.
type Row struct {
	TimeNs   uint64 // entry, ns of CLOCK_MONOTONIC
	Pid, Tid uint32 // as the tracer sees them; Pid is the kernel's tgid
	// The numbers in the first pid namespace, 0 where those above are it; and whether they
	// are because the tracer's does not have the process.
	GlobalPid, GlobalTid uint32
	Foreign              Opt[bool]
	Comm                 string // raw; escape before showing
	Dev                  uint32 // kernel's dev_t: major<<20 | minor
	Ino                  uint64
	Path                 string // raw; empty when not known
	Pos                  int64  // where the write is made: after O_APPEND moved it, else as asked, bytes
	Len                  int64  // bytes asked for
	KiFlags              uint32 // IOCB_*

	Unaligned, Extending Opt[bool]
	// Lock is the mode of i_rwsem held at iomap_dio_rw; NoLock when the write
	// never got there.
	Lock   Opt[Lock]
	Passes Opt[int]

	// Lists hold what was seen. When ListsKnown is false, or Cut names the part, there
	// may have been more, and an empty list is unknown.
	Lookups    []Lookup
	Mappings   []observe.Mapping
	Summed     []observe.Summed // before the last of Mappings, when there were very many
	Zeroed     []observe.Zeroed
	ListsKnown bool

	Drained, ForceWait Opt[bool]
	FallbackBytes      Opt[int64] // left for ext4_buffered_write_iter
	Ret                Opt[int64] // bytes or negative errno, as the caller got it
	WaitNs, LatencyNs  Opt[uint64]
	Slept              Opt[bool] // of NOWAIT writes only
	Sleeps             []observe.Sleep
	Waits              []observe.Wait // what WaitNs sums up
	SubmitNs           uint64         // entry to return of the write function, or until now; not in JSON
	// Inside is where a write was that had not returned, and InsideNs how long it had
	// been in the kernel by then. Such a row is no write that was seen to its end.
	Inside   Opt[record.InsideStage]
	InsideNs Opt[uint64]
	Budget   Opt[Budget] // where LatencyNs went

	Variant  string // empty when not judged
	Verdict  Opt[judge.Kind]
	Rules    []string // broken
	Hazards  []string // broken, too, but this kernel does not promise them
	Expected Opt[judge.Expected]
	Why      []string // the reason first, then a sentence for each difference
	Reason   string   // why the model decides so: the first of Why
	Reasons  []string // Reason, and what else held that asks for the exclusive lock
	Diffs    []Diff   // what differs from Expected
	Missing  string   // the fact that was missing for a verdict
	Stages   record.Stages
	// Incomplete says why the record does not hold all that the kernel passed.
	Incomplete string
	Truncated  bool
	Cut        uint8 // parts of which steps did not fit: record.Cut*
	Caller     record.Caller
	Facts      Facts
	Generation Opt[uint32] // of the inode: a file that gets its number later has another

	Request   uint64             // the same for all tries of one request
	Try       Opt[int]           // which of them, from 1
	Refused   Opt[observe.Point] // where NOWAIT ended it
	FailedAt  Opt[observe.Point] // where another error did
	Unwritten int64              // bytes asked for that were not written; not in JSON

	Seq Opt[uint64] // number of the write in its stream, as explain --seq takes it
	// Provisional says that a write that came later could still rule out Variant.
	Provisional Opt[bool]
	Mark        string // in force at its entry; empty for none
}

// Diff is one difference between what the kernel did and what the model says.
type Diff struct {
	Field, Seen, Want string
}

// Lookup is one ext4_map_blocks call of the check phase.
type Lookup struct {
	Pass      int    // counted from 0
	Lblk, Len uint32 // asked, in blocks
	Flags     uint32 // EXT4_GET_BLOCKS_*
	Ret       int32
	MFlags    uint32 // m_flags on return
	State     model.BlockState
}

// Lock is how a write went down: with i_rwsem shared, exclusive, or without
// reaching iomap_dio_rw at all.
type Lock uint8

// Modes at iomap_dio_rw.
const (
	NoLock Lock = iota
	Shared
	Exclusive
)

func (l Lock) String() string { return lockWords.At(int64(l)) }

// Maker fills rows.
type Maker struct {
	Names Names // may be nil
	// NoWaits and NoSleeps say that the probes for lock waits and for sleeps
	// under NOWAIT are not attached, so that nothing is known about them.
	NoWaits, NoSleeps bool
	Marks             Marks // by which writes are grouped; nil for none

	// The name of the last variant, which is nearly always that of the next: one with
	// patches has to be put together.
	variant     model.Variant
	variantName string
}

// Fill makes r the row of o and v, reusing what r has allocated. r keeps no
// reference to what o and v will reuse. A nil v is a write that was not judged.
func (m *Maker) Fill(r *Row, o *observe.Observation, v *judge.Verdict) {
	r.reset()
	r.TimeNs, r.Pid, r.Tid, r.Comm, r.Dev, r.Ino = o.Time, o.Pid, o.Tid, o.Comm, o.Dev, o.Ino
	r.GlobalPid, r.GlobalTid, r.Foreign = o.GlobalPid, o.GlobalTid, Opt[bool]{V: o.Foreign, Known: o.ForeignKnown}
	r.Pos, r.Len, r.KiFlags = o.Pos0, o.Len0, o.Flags
	r.Mappings, r.Zeroed = append(r.Mappings, o.Mappings...), append(r.Zeroed, o.Zeroed...)
	r.Summed, r.Cut = append(r.Summed, o.Summed...), o.Cut
	r.Waits, r.Sleeps, r.SubmitNs = append(r.Waits, o.Waits...), append(r.Sleeps, o.Sleeps...), o.SubmitNs
	r.Stages, r.Incomplete, r.Truncated, r.Caller = o.Stages, o.Incomplete, o.Truncated, o.Caller
	r.Facts.fill(o)
	r.Generation.V, r.Generation.Known = o.Generation, o.GenerationKnown
	r.fillRequest(o)
	r.Path = m.name(o.File(), o.GenerationKnown)
	if m.Marks != nil {
		r.Mark = m.Marks.MarkAt(o.Time)
	}
	for i := range o.Passes {
		for _, l := range o.Passes[i].Lookups {
			r.Lookups = append(r.Lookups, Lookup{
				Pass: i, Lblk: l.Lblk, Len: l.Len, Flags: l.ArgFlags, Ret: l.Ret, MFlags: l.MFlags, State: l.State(),
			})
		}
	}
	if n := len(o.Passes); n > 0 && o.Passes[n-1].Count > 0 {
		r.Pos = o.Passes[n-1].Pos
	}
	m.fillFacts(r, o)
	if v != nil {
		if m.variantName == "" || v.Variant != m.variant {
			m.variant, m.variantName = v.Variant, v.Variant.String()
		}
		r.Variant, r.Provisional = m.variantName, Some(v.Provisional)
		r.Seq = Opt[uint64]{V: v.Seq, Known: v.Seq > 0}
		r.fillVerdict(v)
	}
}

// reset empties r and keeps the room of its slices.
func (r *Row) reset() {
	lookups, mappings, zeroed, waits, sleeps := r.Lookups[:0], r.Mappings[:0], r.Zeroed[:0], r.Waits[:0], r.Sleeps[:0]
	summed, reasons, spans := r.Summed[:0], r.Reasons[:0], r.Budget.V.Spans[:0]
	rules, hazards, why, diffs, checks := r.Rules[:0], r.Hazards[:0], r.Why[:0], r.Diffs[:0], r.Facts.Checks[:0]
	*r = Row{}
	r.Lookups, r.Mappings, r.Zeroed, r.Waits, r.Sleeps = lookups, mappings, zeroed, waits, sleeps
	r.Summed, r.Reasons, r.Budget.V.Spans = summed, reasons, spans
	r.Rules, r.Hazards, r.Why, r.Diffs, r.Facts.Checks = rules, hazards, why, diffs, checks
}

// fillFacts sets what may be unknown. In an incomplete record, what was seen is
// a fact, and what was not seen is unknown.
func (m *Maker) fillFacts(r *Row, o *observe.Observation) {
	m.fillCounted(r, o)
	r.ListsKnown = o.Incomplete == ""
	r.Unaligned.V, r.Unaligned.Known = o.Unaligned()
	r.Extending.V, r.Extending.Known = o.Extending()
	if o.Dio {
		r.ForceWait = Some(o.DioFlags&dioForceWait != 0)
	}
	switch {
	case o.Buffered != nil && o.Buffered.Copied:
		r.FallbackBytes = Some(o.Buffered.Len)
	case r.ListsKnown && !r.Lacks(record.CutBuffered):
		r.FallbackBytes = Some[int64](0)
	}
	switch {
	case o.Inside:
		r.Inside, r.InsideNs = Some(o.InsideAt), Some(o.LatencyNs)
	case !o.Queued || o.Completed:
		r.LatencyNs = Some(o.LatencyNs)
	}
	r.fillBudget(o.Budget)
	if o.Flags&KiNowait != 0 && !m.NoSleeps {
		r.Slept = Some(len(o.Sleeps) > 0)
	}
}

// fillCounted sets those of them that are counted.
func (m *Maker) fillCounted(r *Row, o *observe.Observation) {
	whole := o.Incomplete == ""
	if whole {
		r.Passes = Some(len(o.Passes))
	}
	switch {
	case o.Dio && o.Lock == record.LockShared:
		r.Lock = Some(Shared)
	case o.Dio && o.Lock == record.LockExclusive:
		r.Lock = Some(Exclusive)
	case !o.Dio && whole:
		r.Lock = Some(NoLock)
	}
	if o.Drain != nil || whole {
		r.Drained = Some(o.Drain != nil)
	}
	if !o.Inside && (!o.Queued || o.Completed) {
		r.Ret = Some(o.Ret)
	}
	if !m.NoWaits {
		r.WaitNs = Some(o.WaitNs)
	}
}

// fillRequest sets what o is a try of, and where it ended before it was written.
func (r *Row) fillRequest(o *observe.Observation) {
	r.Request, r.Try = o.Request, Opt[int]{V: o.Try, Known: o.Try > 0}
	r.Refused.V, r.Refused.Known = o.Refused()
	r.FailedAt.V, r.FailedAt.Known = o.Failed()
	r.Unwritten = o.Unwritten()
}

func (r *Row) fillVerdict(v *judge.Verdict) {
	r.Verdict = Some(v.Kind)
	r.Rules = v.Rules.AppendIDs(r.Rules)
	r.Hazards = v.Hazards.AppendIDs(r.Hazards)
	r.Why = v.AppendWhy(r.Why)
	r.Reason, r.Missing = string(v.Reason), v.Missing
	for _, reason := range [...]model.Reason{v.Reason, v.Also[0], v.Also[1]} {
		if reason != model.ReasonNone {
			r.Reasons = append(r.Reasons, string(reason))
		}
	}
	for _, d := range v.Diffs {
		r.Diffs = append(r.Diffs, Diff{d.Field.String(), d.Seen, d.Want})
	}
	if v.Expected != nil {
		r.Expected = Some(*v.Expected)
	}
}

// CopyFrom makes r a copy of from that shares nothing with it that Fill reuses,
// reusing what r has allocated.
func (r *Row) CopyFrom(from *Row) {
	old := *r
	*r = *from
	r.Lookups = append(old.Lookups[:0], from.Lookups...)
	r.Mappings = append(old.Mappings[:0], from.Mappings...)
	r.Summed = append(old.Summed[:0], from.Summed...)
	r.Reasons = append(old.Reasons[:0], from.Reasons...)
	r.Zeroed = append(old.Zeroed[:0], from.Zeroed...)
	r.Waits = append(old.Waits[:0], from.Waits...)
	r.Sleeps = append(old.Sleeps[:0], from.Sleeps...)
	r.Rules = append(old.Rules[:0], from.Rules...)
	r.Hazards = append(old.Hazards[:0], from.Hazards...)
	r.Why = append(old.Why[:0], from.Why...)
	r.Diffs = append(old.Diffs[:0], from.Diffs...)
	r.Facts.Checks = append(old.Facts.Checks[:0], from.Facts.Checks...)
	r.Budget.V.Spans = append(old.Budget.V.Spans[:0], from.Budget.V.Spans...)
}

// Clone returns a copy of r that shares nothing with it that Fill reuses.
func (r *Row) Clone() Row {
	var c Row
	c.CopyFrom(r)
	return c
}

// Lacks reports whether the record does not hold all steps of one of these parts
// (record.Cut*).
func (r *Row) Lacks(parts uint8) bool { return r.Cut&parts != 0 }

// InPart reports whether the decision was seen, and something that came after it was not.
func (r *Row) InPart() bool { return r.Cut != 0 && r.Incomplete == "" }

// MoreMappings says in words which mappings are only summed up, "" for none.
func (r *Row) MoreMappings() string { return MoreMappings(r.Summed) }

// MoreMappings says in words which mappings are only summed up, "" for none.
func MoreMappings(list []observe.Summed) string {
	var n uint64
	var kinds []string
	for i := range list {
		s := &list[i]
		n += uint64(s.Count)
		kind := fmt.Sprintf("%d %s", s.Count, IomapType(s.Type))
		for _, flag := range IomapFlags(s.Flags) {
			kind += " " + flag
		}
		if s.Allocated() {
			kind += " allocated"
		}
		kinds = append(kinds, fmt.Sprintf("%s of %d bytes", kind, s.Bytes))
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("and %d more before the last: %s", n, strings.Join(kinds, ", "))
}

// Unseen lists the parts of the write of which steps did not fit into the record.
func (r *Row) Unseen() []string { return cutWords.Names(uint32(r.Cut)) }

// ProcessID is what the records tell of who wrote: a process by one of its threads.
type ProcessID struct {
	ProcessNumber
	Comm   string // raw
	Worker bool   // a thread of io-wq wrote, for the process; Comm is that of who asked for it, as far as known
}

// Process names who wrote.
func (r *Row) Process() ProcessID { return ProcessID{r.ProcessNumber(), r.Comm, r.ByWorker()} }

// ByWorker reports whether a thread of io-wq wrote. The thread of SQPOLL counts as one in
// the records, but tries under NOWAIT first, as io-wq does not.
func (r *Row) ByWorker() bool { return r.Caller == record.CallerIOWQ && r.KiFlags&KiNowait == 0 }

// ProcessNumber is the number of a process, in the pid namespace of the tracer and beside it.
type ProcessNumber struct {
	Pid     uint32
	Foreign bool   // see Row.Foreign
	Global  uint32 // see Row.GlobalPid
}

// ProcessNumber is the number of the process that wrote.
func (r *Row) ProcessNumber() ProcessNumber { return ProcessNumber{r.Pid, r.Foreign.V, r.GlobalPid} }

// Number is the pid. That of a process that the tracer's pid namespace does not have is
// marked.
func (p ProcessNumber) Number() string { return string(appendPid(nil, p.Pid, p.Foreign)) }

func appendPid(dst []byte, pid uint32, foreign bool) []byte {
	dst = strconv.AppendUint(dst, uint64(pid), 10)
	if foreign {
		dst = append(dst, '*')
	}
	return dst
}

// Numbers are those of the process and the thread, in words.
func (r *Row) Numbers() string {
	text := fmt.Sprintf("pid %d, tid %d", r.Pid, r.Tid)
	switch {
	case r.Foreign.V:
		text += " in the first pid namespace, not visible from the tracer's"
	case r.GlobalPid != 0:
		text += fmt.Sprintf(" (in the first pid namespace %d and %d)", r.GlobalPid, r.GlobalTid)
	}
	return text
}

// Thread is the number of the thread in the first pid namespace, which no other thread has.
func (r *Row) Thread() uint32 { return cmp.Or(r.GlobalTid, r.Tid) }

// Disagrees reports whether the kernel did something else than the model said.
func (r *Row) Disagrees() bool {
	return r.Verdict.Known && (r.Verdict.V == judge.Slower || r.Verdict.V == judge.Differs || r.Verdict.V == judge.Unsafe)
}

// ReasonText is the short name of why the write went as it did. For a write that was
// not decided it is the fact that was missing.
func (r *Row) ReasonText() string {
	switch {
	case r.Incomplete != "":
		return "incomplete: " + r.Incomplete
	case r.Missing != "":
		return r.Missing
	}
	return r.Reason
}

// ReasonLine is ReasonText with all else that held.
func (r *Row) ReasonLine() string {
	if r.Incomplete != "" || r.Missing != "" || len(r.Reasons) < 2 {
		return r.ReasonText()
	}
	return strings.Join(r.Reasons, " + ")
}

// ZeroedBytes is the number of bytes that were zeroed around the write.
func (r *Row) ZeroedBytes() Opt[int64] {
	var n int64
	for _, z := range r.Zeroed {
		n += z.Len
	}
	return Opt[int64]{V: n, Known: n > 0 || zeroedKnown(r)}
}

// ExpectedLock is the mode that the model predicts.
func ExpectedLock(e judge.Expected) Lock {
	switch e.Lock {
	case record.LockShared:
		return Shared
	case record.LockExclusive:
		return Exclusive
	}
	return NoLock
}
