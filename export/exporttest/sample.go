// Package exporttest holds sample writes for tests of what is made from rows.
package exporttest

import (
	"encoding/json"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Sample is an observation with its verdict, which may be nil.
type Sample struct {
	Name string
	Obs  *observe.Observation
	Ver  *judge.Verdict
}

// Start is the time of the first sample.
const Start = 5_000_000_000_000

// Paths names the inodes of the samples, all but 99.
type Paths struct{}

// Path implements export.Names.
func (Paths) Path(id record.NameID) string {
	return map[uint64]string{
		13: "/mnt/db/redo.log", 14: "/mnt/db/table.ibd", 15: "/mnt/\x1b[2Jevil\u202ename\nwith\xffbytes",
		16: "/mnt/日本語のとても長いファイル名です.dat",
	}[id.Ino]
}

const (
	all  = record.StageEntry | record.StagePass | record.StageDIO | record.StageBegin | record.StageFmod | record.StageReturn | record.StageAlign | record.StageLock
	sda  = 8 << 20
	dm0  = 253<<20 | 3
	sync = record.CallerSync
)

func base(n uint64, pos, length int64) *observe.Observation {
	return &observe.Observation{
		Time: Start + n*1_234_567, ID: n, Request: n, Try: 1, RequestBegan: Start + n*1_234_567, Pid: 1201, Tid: 1203, Comm: "fio", Dev: sda, Ino: 14, Caller: sync, Stages: all,
		Flags: 1<<17 | 1<<18, Blkbits: 12, Pos0: pos, Len0: length, ISize0: 1 << 30, Align0: uint32(length) & 0xffff, Align0Known: true,
		FmodKnown: true, Dio: true, Lock: record.LockShared, Ret: length, SubmitRet: length, Completed: true, LatencyNs: 86_400 + n*1000, SubmitNs: 86_400,
		Passes: []observe.Pass{pass(record.LockShared, pos, length)},
		Mappings: []observe.Mapping{{
			Offset: pos &^ 4095, Length: (length + 8191) &^ 4095, Type: 2,
			LookedUp: true, LookupRet: int32((length + 8191) >> 12),
		}},
	}
}

func pass(lock record.Lock, pos, length int64, lookups ...observe.Lookup) observe.Pass {
	return observe.Pass{
		Lock: lock, Pos: pos, Count: length, ISize: 1 << 30, IDisksize: 1 << 30, Align: uint32(length) & 0xffff,
		Flags: record.PassNosec | record.PassExtents | record.PassAlign, Lookups: lookups,
	}
}

func lookup(lblk, n uint32, ret int32, mflags uint32) observe.Lookup {
	return observe.Lookup{Lblk: lblk, Len: n, Ret: ret, OutLen: n, MFlags: mflags}
}

func verdict(kind judge.Kind, lock record.Lock, passes int, drained, wait bool, reason model.Reason, diffs ...judge.Diff) *judge.Verdict {
	return &judge.Verdict{
		Kind: kind, Variant: model.Linux73, Reason: reason, Diffs: diffs,
		Expected: &judge.Expected{Lock: lock, Passes: passes, Drained: drained, ForceWait: wait},
	}
}

// Samples are one write of each sort.
func Samples() []Sample {
	out := ordinary()
	out = append(out, disagreements()...)
	return append(out, odd()...)
}

// Rows makes the rows of all samples.
func Rows() []export.Row {
	m := export.Maker{Names: Paths{}}
	var out []export.Row
	for _, s := range Samples() {
		var r export.Row
		m.Fill(&r, s.Obs, s.Ver)
		r.Seq = export.Some(uint64(len(out)) + 1)
		out = append(out, r)
	}
	return out
}

// Full is a row in which each field has a value, by the list of fields: a field that is
// new is in it, too.
func Full() export.Row {
	object := fill(export.Fields.About(), new(int64))
	line, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	r, err := export.ParseJSON(line)
	if err != nil {
		panic(err)
	}
	return *r
}

// fill makes a value for each field, the numbers and texts all different.
func fill(fields []*schema.About, n *int64) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		*n++
		switch f.Type {
		case schema.TypeInt32, schema.TypeInt64:
			out[f.Name] = *n
		case schema.TypeBool:
			out[f.Name] = true
		case schema.TypeText:
			out[f.Name] = fmt.Sprintf("%s %d", f.Name, *n)
		case schema.TypeWord:
			out[f.Name] = "unwritten"
			if f.Words != nil {
				list := f.Words.List()
				out[f.Name] = list[len(list)-1]
			}
		case schema.TypeFlags:
			out[f.Name] = f.Words.List()
		case schema.TypeTexts:
			out[f.Name] = []string{fmt.Sprintf("%s %d", f.Name, *n)}
		case schema.TypeRecord:
			out[f.Name] = fill(f.Kids, n)
		case schema.TypeList:
			out[f.Name] = []any{fill(f.Kids, n), fill(f.Kids, n)}
		}
		switch f.Name {
		case "dev":
			out[f.Name] = "8:1"
		case "blocksize":
			out[f.Name] = 4096
		}
	}
	return out
}

// ordinary are writes with which the model agrees.
func ordinary() []Sample {
	aligned := base(0, 4096, 8192)

	stripe := base(1, 16896, 14336)
	stripe.Passes = []observe.Pass{pass(record.LockShared, 16896, 14336, lookup(4, 4, 1, 0x10), lookup(7, 1, 1, 0x10))}
	stripe.Mappings = []observe.Mapping{{Offset: 16384, Length: 4096, Type: 2}, {Offset: 20480, Length: 8192, Type: 3}, {Offset: 28672, Length: 4096, Type: 2}}

	zeroing := base(2, 512, 1024)
	zeroing.Passes = []observe.Pass{
		pass(record.LockShared, 512, 1024, lookup(0, 1, 1, 0x800)),
		pass(record.LockExclusive, 512, 1024, lookup(0, 1, 1, 0x800)),
	}
	zeroing.Lock, zeroing.DioFlags, zeroing.Drain = record.LockExclusive, 1, &observe.Drain{Count: 3, Waited: true, Ns: 250_000}
	zeroing.Mappings = []observe.Mapping{{Offset: 0, Length: 4096, Type: 3, Flags: 0x11}}
	zeroing.Zeroed = []observe.Zeroed{{Pos: 0, Len: 512, Lock: record.LockExclusive, DioCount: 1}, {Pos: 1536, Len: 2560, Lock: record.LockExclusive, DioCount: 1}}
	zeroing.WaitNs, zeroing.LatencyNs = 1_500_000, 12_345_678
	zeroing.Waits = []observe.Wait{{Ns: 1_500_000, Lock: record.LockExclusive, AtUs: 80, Parts: []observe.Part{
		{Cause: observe.CauseHeld, Mode: record.LockShared, Actor: observe.Actor{Op: observe.OpWrite, Comm: "fio", Pid: 1201, Tid: 1204, Write: 2, ID: 2}, Others: 3, Ns: 700_000, HeldNs: 900_000, BeforeNs: 200_000},
		{Cause: observe.CauseHeld, Mode: record.LockExclusive, Actor: observe.Actor{Op: "fallocate:punch-hole", Comm: "fstrim", Pid: 77, Tid: 78}, Ns: 500_000,
			HeldNs: 500_000, QueuedNs: 30_000, DrainNs: 410_000, DrainWrites: 5, DrainedFor: []observe.Actor{{Op: observe.OpWrite, Comm: "fio", Pid: 1201, Tid: 1204, Write: 1, ID: 1}}},
		{Cause: observe.CauseQueued, Mode: record.LockExclusive, Actor: observe.Actor{Op: observe.OpWrite, Comm: "mysqld", Pid: 7, Tid: 8}, Ns: 299_000,
			BeforeNs: 20_000, QueuedNs: 319_000, Chain: 2,
			Behind: []observe.Link{{Cause: observe.CauseHeld, Mode: record.LockShared, Actor: observe.Actor{Op: "direct-read", Comm: "backup", Pid: 9, Tid: 9}, Ns: 250_000, Others: 1}}},
		{Ns: 1000},
	}}}

	extending := base(3, 1<<40, 4096)
	extending.Comm, extending.Ino, extending.Dev = "mysqld", 13, dm0
	extending.Flags |= 0x12 // DSYNC APPEND
	extending.Lock, extending.DioFlags = record.LockExclusive, 1
	extending.Passes[0].Lock = record.LockExclusive
	extending.Mappings = []observe.Mapping{{Offset: 1 << 40, Length: 4096, Type: 2, Flags: 3, AllocFlags: 1}}

	again := base(4, 115200, 4096)
	again.Caller, again.Comm, again.Flags = record.CallerIOUring, "iou-wrk-1203", again.Flags|0x8
	again.Dio, again.Lock, again.Mappings = false, record.LockUnknown, nil
	again.Stages &^= record.StageDIO | record.StageBegin | record.StageFmod
	again.FmodKnown = false
	again.Ret, again.SubmitRet = -11, -11
	again.Passes = []observe.Pass{pass(record.LockShared, 115200, 4096, lookup(28, 2, 2, 0x800))}
	v := verdict(judge.Agree, record.LockUnknown, 1, false, false, "zeroing: head not written")
	v.Expected.Ret = -11
	again.Stages |= record.StageSleep
	again.Sleeps = []observe.Sleep{
		{Phase: record.PhaseCheck, Cause: record.SleepMetadata, Ns: 640_000},
		{Phase: record.PhaseCheck, Cause: record.SleepUserPages, Ns: 9_000},
		{Phase: record.PhaseCheck, Cause: record.SleepUnknown, Ns: 12_345},
	}
	v.Hazards = rules.R4

	return []Sample{
		{"aligned overwrite", aligned, verdict(judge.Agree, record.LockShared, 1, false, false, "aligned, inside i_size")},
		{"two lookups", stripe, verdict(judge.Agree, record.LockShared, 1, false, false, "head and tail written")},
		{"zeroing with drain", zeroing, verdict(judge.Agree, record.LockExclusive, 2, true, true, "zeroing: head not written")},
		{"extending", extending, verdict(judge.Agree, record.LockExclusive, 1, false, true, "extending")},
		{"NOWAIT refused", again, v},
	}
}

func disagreements() []Sample {
	slower := base(5, 8192, 4096)
	slower.Lock = record.LockExclusive
	slower.Passes = []observe.Pass{pass(record.LockShared, 8192, 4096, lookup(2, 1, 1, 0x800)), pass(record.LockExclusive, 8192, 4096, lookup(2, 1, 1, 0x800))}
	slower.WaitNs, slower.LatencyNs = 780, 999_600
	vs := verdict(judge.Slower, record.LockShared, 1, false, false, "aligned, inside i_size",
		judge.Diff{Field: judge.FieldLock, Seen: "exclusive", Want: "shared"}, judge.Diff{Field: judge.FieldPasses, Seen: "2", Want: "1"})
	vs.Rules = rules.R6 | rules.R7 | rules.R9

	unsafe := base(6, 1536, 512)
	unsafe.Zeroed = []observe.Zeroed{{Pos: 0, Len: 1536, Lock: record.LockShared, DioCount: 2}}
	unsafe.Passes = []observe.Pass{pass(record.LockShared, 1536, 512, lookup(0, 1, 0, 0))}
	unsafe.Mappings = []observe.Mapping{{Offset: 0, Length: 4096, Type: 3, Flags: 1, AllocFlags: 3}}
	vu := verdict(judge.Unsafe, record.LockExclusive, 2, true, true, "zeroing: head not written",
		judge.Diff{Field: judge.FieldLock, Seen: "shared", Want: "exclusive"})
	vu.Rules = rules.R1 | rules.R2 | rules.R6

	differs := base(7, 0, 4096)
	differs.DioFlags, differs.Ret, differs.SubmitRet = 1, -22, -22
	vd := verdict(judge.Differs, record.LockShared, 1, false, false, "aligned, inside i_size",
		judge.Diff{Field: judge.FieldForceWait, Seen: "given", Want: "not given"})
	vd.Rules = rules.R8
	return []Sample{{"slower", slower, vs}, {"unsafe", unsafe, vu}, {"differs", differs, vd}}
}

// odd are writes of which something is not known, or not nice.
func odd() []Sample {
	queued := base(8, 40960, 65536)
	queued.Caller, queued.Queued, queued.Completed = record.CallerLibaio, true, false
	queued.Ret, queued.SubmitRet, queued.LatencyNs = -529, -529, 0

	fallback := base(9, 20480, 8192)
	fallback.Ino = 16
	fallback.Mappings = []observe.Mapping{{Err: -15, LookedUp: true}}
	fallback.Buffered = &observe.Buffered{Pos: 20480, Len: 8192, Drained: true, Copied: true, CopyLock: record.LockExclusive}

	incomplete := base(10, 4096, 4096)
	incomplete.Incomplete, incomplete.Dio, incomplete.Lock = "stage dio was not seen", false, record.LockUnknown
	incomplete.Stages &^= record.StageDIO | record.StageBegin
	incomplete.Mappings, incomplete.Align0Known = nil, false
	incomplete.Passes = nil
	vi := &judge.Verdict{Kind: judge.Undecided, Variant: model.Linux73, Reason: judge.ReasonIncomplete, Missing: "stage dio was not seen"}

	hostile := base(11, 12288, 4096)
	hostile.Comm, hostile.Ino = "\x1b]0;x\a\"\\\u009b\xfe", 15
	vh := &judge.Verdict{Kind: judge.Undecided, Variant: model.Linux73, Missing: "i_disksize: it may have grown between the checks and the decision",
		Expected: &judge.Expected{Lock: record.LockShared, Passes: 1}, Reason: "aligned, inside i_size"}

	many := base(12, 7*4096+100, 4096)
	many.Truncated, many.Cut = true, record.CutZeroed|record.CutSleeps
	many.Mappings = append([]observe.Mapping{{Offset: 28672, Length: 4096, Type: 2}}, observe.Mapping{Offset: 28672 + 511*4096, Length: 4096, Type: 3})
	many.Summed = []observe.Summed{
		{Type: 2, Count: 250, Bytes: 250 * 4096, AtUs: 90},
		{Type: 3, Flags: 1, AllocFlags: 3, LookedUp: true, LookupFlags: 0x800, Found: true, Count: 260, Bytes: 260 * 4096, Beyond: true, Gap: true, AtUs: 91},
	}
	many.Ino, many.Comm = 99, "日本語のなまえ"
	many.Passes = []observe.Pass{
		pass(record.LockShared, 28772, 4096, lookup(1234567, 4, 2, 0x10), lookup(1234570, 1, -5, 0)),
		pass(record.LockExclusive, 28772, 4096, lookup(1234567, 4, 2, 0x10), lookup(1234570, 1, 0, 0x100)),
	}
	return []Sample{
		{"queued", queued, verdict(judge.Agree, record.LockShared, 1, false, false, "aligned, inside i_size")},
		{"fallback", fallback, verdict(judge.Agree, record.LockShared, 1, false, false, "aligned, inside i_size")},
		{"incomplete", incomplete, vi},
		{"hostile names", hostile, vh},
		{"not judged, truncated", many, nil},
	}
}
