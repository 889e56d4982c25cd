package export

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

//go:generate go test -count=1 . ./schema -run Generated|Docs -update

// Fields are the fields of a row in JSON, in CSV, in Parquet and in filter lines, in
// their order. json_gen.go and docs/json.md are made from them.
// A name never changes its meaning.
var Fields = schema.New(
	schema.Int("time_ns", "ns", "entry into the write function, CLOCK_MONOTONIC", func(r *Row) *uint64 { return &r.TimeNs }),
	schema.Int("pid", "", "process, as the tracer sees it from its pid namespace", func(r *Row) *uint32 { return &r.Pid }).In32().Filtered("pid"),
	schema.Int("tid", "", "thread", func(r *Row) *uint32 { return &r.Tid }).In32().Filtered("tid"),
	schema.Text("comm", "name of the thread", func(r *Row) *string { return &r.Comm }).Filtered("comm"),
	deviceField().Filtered("dev"),
	schema.Int("ino", "", "inode number", func(r *Row) *uint64 { return &r.Ino }).Filtered("ino"),
	schema.Text("path", "name by which the file was open, see names.md", func(r *Row) *string { return &r.Path }).OrNull().Filtered("path"),
	schema.Int("pos", "bytes", "where the write is made: after O_APPEND moved it, else as asked for", func(r *Row) *int64 { return &r.Pos }).Filtered("pos"),
	schema.Int("len", "bytes", "length asked for", func(r *Row) *int64 { return &r.Len }).Filtered("len"),
	schema.Flags("flags", "IOCB_* flags that the caller asked for", kiFlagWords, kiFlagMask, func(r *Row) *uint32 { return &r.KiFlags }),
	schema.OptBool("unaligned", "not a multiple of blocks", func(r *Row) *Opt[bool] { return &r.Unaligned }).Filtered("unaligned"),
	schema.OptBool("extending", "past i_size or i_disksize", func(r *Row) *Opt[bool] { return &r.Extending }).Filtered("extending"),
	schema.OptEnum("lock", "mode of i_rwsem at iomap_dio_rw; none when the write never got there", lockWords, func(r *Row) *Opt[Lock] { return &r.Lock }).
		Filtered("lock"),
	schema.OptInt("passes", "", "runs of the write checks; 2 is one restart", func(r *Row) *Opt[int] { return &r.Passes }).In32().Filtered("passes"),
	schema.List("lookups", "ext4_map_blocks calls of the checks, in their order", lookupFields, listsKnown, func(r *Row) *[]Lookup { return &r.Lookups }),
	schema.OptBool("drained", "inode_dio_wait was called", func(r *Row) *Opt[bool] { return &r.Drained }).Filtered("drained"),
	schema.OptBool("force_wait", "IOMAP_DIO_FORCE_WAIT was given", func(r *Row) *Opt[bool] { return &r.ForceWait }).Filtered("forcewait"),
	schema.List("mappings", "ext4_iomap_begin calls, in their order; of very many the first ones and the last", mappingFields, mappingsKnown, func(r *Row) *[]observe.Mapping { return &r.Mappings }),
	schema.List("zeroed", "iomap_dio_zero calls with a length, in their order", zeroedFields, zeroedKnown, func(r *Row) *[]observe.Zeroed { return &r.Zeroed }),
	schema.OptInt("fallback_bytes", "bytes", "bytes left for the buffered write", func(r *Row) *Opt[int64] { return &r.FallbackBytes }).Filtered("fallback"),
	schema.OptInt("ret", "bytes or -errno", "result, as the caller got it; null of a queued write that was not seen to end", func(r *Row) *Opt[int64] { return &r.Ret }).
		Filtered("ret"),
	schema.OptInt("wait_ns", "ns", "time queued for i_rwsem", func(r *Row) *Opt[uint64] { return &r.WaitNs }).Filtered("wait"),
	schema.OptInt("latency_ns", "ns", "time from entry to completion", func(r *Row) *Opt[uint64] { return &r.LatencyNs }).Filtered("latency"),
	schema.OptBool("slept", "a NOWAIT write that slept", func(r *Row) *Opt[bool] { return &r.Slept }).Filtered("slept"),
	schema.List("sleeps", "what a NOWAIT write slept for", sleepFields, sleepsKnown, func(r *Row) *[]observe.Sleep { return &r.Sleeps }),
	schema.Text("variant", "what it was judged as", func(r *Row) *string { return &r.Variant }).OrNull().Filtered("variant"),
	schema.OptEnum("verdict", "whether the kernel did what the model says", verdictWords, func(r *Row) *Opt[judge.Kind] { return &r.Verdict }).
		Filtered("verdict"),
	schema.Texts("rules", "rules that were broken, R1 to R13", judged, func(r *Row) *[]string { return &r.Rules }).Filtered("rule"),
	schema.Texts("hazards", "rules that were broken and are not promised by this kernel", judged, func(r *Row) *[]string { return &r.Hazards }).
		Filtered("hazard"),
	schema.OptRecord("expected", "what the model says, where it says anything", expectedFields, func(r *Row) *Opt[judge.Expected] { return &r.Expected }),
	schema.Texts("why", "the reason of the decision, then a sentence for each difference", judged, func(r *Row) *[]string { return &r.Why }),
	schema.Text("reason", "the reason of the decision: the first of why", func(r *Row) *string { return &r.Reason }).OrNull().AtEnd(),
	schema.List("diffs", "the differences between what was seen and what the model says", diffFields, judged, func(r *Row) *[]Diff { return &r.Diffs }).AtEnd(),
	schema.Flags("stages", "stages of the write that were seen", stageWords, record.Stages(1<<stageWords.Len()-1), func(r *Row) *record.Stages { return &r.Stages }),
	schema.Text("incomplete", "why the record does not hold all that the kernel passed", func(r *Row) *string { return &r.Incomplete }).OrNull(),
	schema.Bool("truncated", "steps did not fit into the record", func(r *Row) *bool { return &r.Truncated }).Filtered("truncated"),
	schema.Enum("caller", "how it was submitted", callerWords, func(r *Row) *record.Caller { return &r.Caller }).
		Filtered("caller"),
	schema.List("more_mappings", "mappings that came before the last of mappings, summed up by kind", summedFields, mappingsKnown, func(r *Row) *[]observe.Summed { return &r.Summed }).AtEnd(),
	schema.Flags("unseen", "parts of the write of which steps did not fit into the record; without checks among them the decision was seen", cutWords, 1<<cutWords.Len()-1, func(r *Row) *uint8 { return &r.Cut }).AtEnd(),
	schema.Texts("reasons", "the reason of the decision, then what else held that asks for the exclusive lock", judged, func(r *Row) *[]string { return &r.Reasons }).AtEnd(),
	schema.Record("facts", "what the model was given, so that the line can be judged again", factFields, func(r *Row) *Facts { return &r.Facts }),
	schema.OptInt("generation", "", "generation of the inode (i_generation): another file that has the number later has another", func(r *Row) *Opt[uint32] { return &r.Generation }).
		AtEnd().Filtered("generation"),
	schema.Int("global_pid", "", "process in the first pid namespace, where the tracer is in another", func(r *Row) *uint32 { return &r.GlobalPid }).
		In32().If(renumbered).AtEnd().Filtered("globalpid"),
	schema.Int("global_tid", "", "thread there", func(r *Row) *uint32 { return &r.GlobalTid }).In32().If(renumbered).AtEnd(),
	schema.OptBool("foreign", "the tracer's pid namespace does not have the process: pid and tid are those of the first one", func(r *Row) *Opt[bool] { return &r.Foreign }).
		AtEnd().Filtered("foreign"),
	schema.Int("request", "", "number of the request, the same for all its tries: a try that NOWAIT refused and the one after it", func(r *Row) *uint64 { return &r.Request }).
		AtEnd().Filtered("request"),
	schema.OptInt("try", "", "which try of the request, from 1; null of one by io-wq that no other is seen before", func(r *Row) *Opt[int] { return &r.Try }).
		In32().AtEnd().Filtered("try"),
	schema.OptEnum("refused", "where NOWAIT refused the write; null when it did not", pointWords, func(r *Row) *Opt[observe.Point] { return &r.Refused }).
		AtEnd().Filtered("refusedat"),
	schema.OptEnum("failed_at", "where the write ended in another error; null when it did not", pointWords, func(r *Row) *Opt[observe.Point] { return &r.FailedAt }).
		AtEnd().Filtered("failedat"),
	schema.OptInt("seq", "", "number of the write, from 1, as `explain --seq` takes it", func(r *Row) *Opt[uint64] { return &r.Seq }).
		Filtered("seq").AtEnd(),
	schema.OptBool("provisional", "a later write may rule out the variant that it was judged as", func(r *Row) *Opt[bool] { return &r.Provisional }).
		Filtered("provisional").AtEnd(),
	schema.List("waits", "each time that it was queued for i_rwsem, and for whom; null where that is not recorded", waitFields, waitsKnown,
		func(r *Row) *[]observe.Wait { return &r.Waits }).AtEnd(),
	schema.OptEnum("inside", "where a write was that had not returned when tracing ended; null of all others", insideWords,
		func(r *Row) *Opt[record.InsideStage] { return &r.Inside }).Filtered("inside").AtEnd(),
	schema.OptInt("inside_ns", "ns", "time from its entry until then", func(r *Row) *Opt[uint64] { return &r.InsideNs }).AtEnd(),
	schema.OptRecord("budget", "parts of latency_ns, see budget.md; null where they are not recorded", budgetFields, func(r *Row) *Opt[Budget] { return &r.Budget }).AtEnd(),
	schema.Text("mark", "name of the mark that was in force when the write began, see marks.md; null for none", func(r *Row) *string { return &r.Mark }).OrNull().AtEnd().Filtered("mark"),
)

// The tracer is in another pid namespace than the first one, and sees the process.
func renumbered(r *Row) bool { return r.GlobalPid != 0 }

func listsKnown(r *Row) bool    { return r.ListsKnown }
func mappingsKnown(r *Row) bool { return r.ListsKnown && !r.Lacks(record.CutMaps) }
func zeroedKnown(r *Row) bool   { return r.ListsKnown && !r.Lacks(record.CutZeroed) }
func judged(r *Row) bool        { return r.Verdict.Known }
func sleepsKnown(r *Row) bool   { return r.Slept.Known }

var lookupFields = schema.New(
	schema.Int("lblk", "blocks", "first block asked for", func(l *Lookup) *uint32 { return &l.Lblk }),
	schema.Int("len", "blocks", "number of blocks asked for", func(l *Lookup) *uint32 { return &l.Len }),
	schema.Int("ret", "blocks or -errno", "blocks found", func(l *Lookup) *int32 { return &l.Ret }).In32(),
	stateField(),
	schema.Number(schema.About{Name: "pass", Type: schema.TypeInt32, Doc: "run of the checks, from 1"},
		passNumber, func(l *Lookup, n int64) bool { l.Pass = int(n) - 1; return n >= 1 }),
	schema.Int("flags", "EXT4_GET_BLOCKS_*", "flags asked with", func(l *Lookup) *uint32 { return &l.Flags }),
)

func passNumber(l *Lookup) int64 { return int64(l.Pass) + 1 }

// stateField sets the flags that make the state, too.
func stateField() schema.Field[Lookup] {
	f := schema.Enum("state", "kind of block that was found", stateWords, func(l *Lookup) *model.BlockState { return &l.State })
	return f.OnSet(func(l *Lookup) {
		l.MFlags = map[model.BlockState]uint32{
			model.Written: model.MapMapped, model.Unwritten: model.MapUnwritten, model.Delayed: model.MapDelayed,
		}[l.State]
	})
}

// A failed mapping has no place, and the error in place of its type.
var mappingFields = schema.New(
	ofMapping("pos", "start", func(m *observe.Mapping) *int64 { return &m.Offset }),
	ofMapping("len", "length", func(m *observe.Mapping) *int64 { return &m.Length }),
	schema.Word(schema.About{Name: "type", Unit: "IOMAP_* or -errno", Doc: "kind of mapping, or the error of one that failed"},
		appendMappingType, func(m *observe.Mapping, s string) (ok bool) {
			if strings.HasPrefix(s, "-") {
				m.Err, ok = ParseErrno(s)
				return ok
			}
			m.Type, ok = parseIomapType(s)
			return ok
		}),
	schema.Flags("flags", "IOMAP_F_* flags", iomapFlagWords, 1<<16-1, func(m *observe.Mapping) *uint16 { return &m.Flags }),
	schema.Number(schema.About{Name: "allocated", Type: schema.TypeBool, Doc: "blocks were asked for with EXT4_GET_BLOCKS_CREATE"},
		allocated, func(*observe.Mapping, int64) bool { return true }), // alloc_flags has it
	schema.Int("alloc_flags", "EXT4_GET_BLOCKS_*", "flags of the allocating ext4_map_blocks, 0 for none", func(m *observe.Mapping) *uint32 { return &m.AllocFlags }),
	schema.Bool("overwrite", "made by ext4_iomap_overwrite_begin (6.x)", func(m *observe.Mapping) *bool { return &m.Overwrite }),
	ofLookup("lookup_flags", "EXT4_GET_BLOCKS_*", "flags of the last ext4_map_blocks without allocation", func(m *observe.Mapping) *uint32 { return &m.LookupFlags }),
	ofLookup("lookup_ret", "blocks or -errno", "its result", func(m *observe.Mapping) *int32 { return &m.LookupRet }),
)

func succeeded(m *observe.Mapping) bool  { return m.Err == 0 }
func lookedUp(m *observe.Mapping) bool   { return m.LookedUp }
func allocated(m *observe.Mapping) int64 { return schema.Bit(m.Allocated()) }

func appendMappingType(dst []byte, m *observe.Mapping) []byte {
	if m.Err != 0 {
		return appendResult(dst, int64(m.Err))
	}
	return append(dst, IomapType(m.Type)...)
}

func ofMapping(name, what string, at func(*observe.Mapping) *int64) schema.Field[observe.Mapping] {
	return schema.Int(name, "bytes", what+" of the mapping", at).If(succeeded)
}

func ofLookup[N schema.Integer](name, unit, doc string, at func(*observe.Mapping) *N) schema.Field[observe.Mapping] {
	return schema.Int(name, unit, doc, at).If(lookedUp).OnSet(func(m *observe.Mapping) { m.LookedUp = true })
}

var summedFields = schema.New(
	schema.Int("count", "", "number of mappings", func(s *observe.Summed) *uint32 { return &s.Count }),
	schema.Int("bytes", "bytes", "their length together", func(s *observe.Summed) *int64 { return &s.Bytes }),
	schema.Word(schema.About{Name: "type", Unit: "IOMAP_*", Doc: "kind of mapping"},
		appendSummedType, func(s *observe.Summed, text string) (ok bool) { s.Type, ok = parseIomapType(text); return ok }),
	schema.Flags("flags", "IOMAP_F_* flags", iomapFlagWords, 1<<16-1, func(s *observe.Summed) *uint16 { return &s.Flags }),
	schema.Int("alloc_flags", "EXT4_GET_BLOCKS_*", "flags of the allocating ext4_map_blocks, 0 for none", func(s *observe.Summed) *uint32 { return &s.AllocFlags }),
	schema.Bool("overwrite", "made by ext4_iomap_overwrite_begin (6.x)", func(s *observe.Summed) *bool { return &s.Overwrite }),
	schema.Int("lookup_flags", "EXT4_GET_BLOCKS_*", "flags of the last ext4_map_blocks without allocation", func(s *observe.Summed) *uint32 { return &s.LookupFlags }).
		If(summedLookedUp).OnSet(func(s *observe.Summed) { s.LookedUp = true }),
	schema.Bool("found", "the lookups found blocks", func(s *observe.Summed) *bool { return &s.Found }),
	schema.Bool("beyond", "they begin at i_size or beyond it", func(s *observe.Summed) *bool { return &s.Beyond }),
	schema.Bool("gap", "one did not begin where the mapping before it ended", func(s *observe.Summed) *bool { return &s.Gap }),
)

func summedLookedUp(s *observe.Summed) bool { return s.LookedUp }

func appendSummedType(dst []byte, s *observe.Summed) []byte { return append(dst, IomapType(s.Type)...) }

var zeroedFields = schema.New(
	schema.Int("pos", "bytes", "start", func(z *observe.Zeroed) *int64 { return &z.Pos }),
	schema.Int("len", "bytes", "length", func(z *observe.Zeroed) *int64 { return &z.Len }),
	schema.Enum("lock", "mode of i_rwsem", modeWords, func(z *observe.Zeroed) *record.Lock { return &z.Lock }),
	schema.Int("in_flight", "", "i_dio_count, this write included", func(z *observe.Zeroed) *uint32 { return &z.DioCount }),
	schema.Word(schema.About{Name: "type", Unit: "IOMAP_*", Doc: "kind of the mapping"},
		appendZeroedType, func(z *observe.Zeroed, s string) (ok bool) { z.Type, ok = parseIomapType(s); return ok }),
	schema.Flags("flags", "IOMAP_F_* flags of the mapping", iomapFlagWords, 1<<16-1, func(z *observe.Zeroed) *uint16 { return &z.Flags }),
)

func appendZeroedType(dst []byte, z *observe.Zeroed) []byte { return append(dst, IomapType(z.Type)...) }

var sleepFields = schema.New(
	schema.Enum("cause", "what it waited for", causeWords, func(s *observe.Sleep) *record.SleepCause { return &s.Cause }),
	schema.Enum("phase", "part of the write in which it slept", phaseWords, func(s *observe.Sleep) *record.Phase { return &s.Phase }),
	schema.Int("ns", "ns", "how long; of sleeps that are summed up, all together", func(s *observe.Sleep) *uint64 { return &s.Ns }),
	schema.Int("more", "", "0, or the number of sleeps that are summed up, with this cause among theirs", func(s *observe.Sleep) *uint32 { return &s.More }),
)

// Nothing is said of dio_flags without iomap_dio_rw, nor of a result that depends on the
// device.
var expectedFields = schema.New(
	schema.Enum("lock", "mode of i_rwsem at iomap_dio_rw", lockWords, func(e *judge.Expected) *record.Lock { return &e.Lock }),
	schema.Int("passes", "", "runs of the write checks", func(e *judge.Expected) *int { return &e.Passes }).In32(),
	schema.Bool("drained", "inode_dio_wait is called", func(e *judge.Expected) *bool { return &e.Drained }),
	schema.Bool("force_wait", "IOMAP_DIO_FORCE_WAIT is given", func(e *judge.Expected) *bool { return &e.ForceWait }).
		If(expectsDIO),
	schema.Int("ret", "-errno", "result, where it does not depend on the device", func(e *judge.Expected) *int64 { return &e.Ret }).
		If(expectsResult),
)

func expectsDIO(e *judge.Expected) bool    { return ExpectedLock(*e) != NoLock }
func expectsResult(e *judge.Expected) bool { return e.Ret != 0 }

var diffFields = schema.New(
	schema.Text("field", "what differs", func(d *Diff) *string { return &d.Field }),
	schema.Text("seen", "what the kernel did", func(d *Diff) *string { return &d.Seen }),
	schema.Text("want", "what the model says", func(d *Diff) *string { return &d.Want }),
)

var factFields = schema.New(
	schema.Number(schema.About{Name: "blocksize", Type: schema.TypeInt64, Unit: "bytes", Doc: "size of a block"},
		blocksize, func(f *Facts, n int64) bool {
			f.Blkbits = uint8(bits.TrailingZeros64(uint64(n)))
			return bits.OnesCount64(uint64(n)) == 1
		}),
	schema.Int("pos", "bytes", "position asked for", func(f *Facts) *int64 { return &f.Pos }),
	schema.Int("len", "bytes", "length asked for", func(f *Facts) *int64 { return &f.Len }),
	schema.Int("i_size", "bytes", "i_size at the entry, without the lock", func(f *Facts) *int64 { return &f.ISize }),
	schema.OptInt("align", "", "iov_iter_alignment at the entry, its low 17 bits", func(f *Facts) *Opt[uint32] { return &f.Align }),
	schema.List("checks", "runs of the write checks, in their order", checkFields, nil, func(f *Facts) *[]observe.Pass { return &f.Checks }),
	schema.OptInt("in_flight", "", "direct I/O in flight at the drain", func(f *Facts) *Opt[uint32] { return &f.InFlight }),
	schema.Enum("modified", "function that updated the time stamps", fmodWords, func(f *Facts) *record.Fmod { return &f.Fmod }),
	schema.OptInt("modified_ret", "0 or -errno", "its result", func(f *Facts) *Opt[int] { return &f.ModRet }),
	schema.Int("dio_flags", "IOMAP_DIO_*", "flags given to iomap_dio_rw", func(f *Facts) *uint8 { return &f.DioFlags }).In32(),
	schema.Enum("ops", "iomap_ops given to it", opsWords, func(f *Facts) *record.Ops { return &f.DioOps }),
	schema.OptRecord("buffered", "the part that went through ext4_buffered_write_iter", bufferedFields, func(f *Facts) *Opt[observe.Buffered] { return &f.Buffered }),
	schema.Int("submit_ret", "bytes or -errno", "result of the write function", func(f *Facts) *int64 { return &f.SubmitRet }),
	schema.Bool("queued", "that was -EIOCBQUEUED", func(f *Facts) *bool { return &f.Queued }),
	schema.Bool("completed", "the end was seen", func(f *Facts) *bool { return &f.Completed }),
	schema.OptInt("pos_after", "bytes", "ki_pos at the return, where it was not moved on by the result", func(f *Facts) *Opt[int64] { return &f.PosAfter }),
)

func blocksize(f *Facts) int64 { return 1 << f.Blkbits }

var checkFields = schema.New(
	schema.Enum("lock", "mode of i_rwsem", modeWords, func(p *observe.Pass) *record.Lock { return &p.Lock }),
	schema.Int("pos", "bytes", "position after the checks", func(p *observe.Pass) *int64 { return &p.Pos }),
	schema.Int("len", "bytes or -errno", "bytes left to write, or the result", func(p *observe.Pass) *int64 { return &p.Count }),
	schema.Int("i_size", "bytes", "i_size", func(p *observe.Pass) *int64 { return &p.ISize }),
	schema.Int("i_disksize", "bytes", "i_disksize", func(p *observe.Pass) *int64 { return &p.IDisksize }),
	schema.Int("align", "", "iov_iter_alignment, its low 17 bits", func(p *observe.Pass) *uint32 { return &p.Align }).
		If(hasAlign).
		OnSet(func(p *observe.Pass) { p.Flags |= record.PassAlign }),
	schema.Flags("flags", "what the inode is", passFlagWords, passFlagMask, func(p *observe.Pass) *uint16 { return &p.Flags }),
)

func hasAlign(p *observe.Pass) bool { return p.Flags&record.PassAlign != 0 }

var bufferedFields = schema.New(
	schema.Int("pos", "bytes", "start", func(b *observe.Buffered) *int64 { return &b.Pos }),
	schema.Int("len", "bytes", "length", func(b *observe.Buffered) *int64 { return &b.Len }),
	schema.Bool("drained", "inode_dio_wait was called before the copy", func(b *observe.Buffered) *bool { return &b.Drained }),
	schema.Bool("copied", "generic_perform_write was entered", func(b *observe.Buffered) *bool { return &b.Copied }),
	schema.Enum("lock", "mode of i_rwsem there; shared also stands for none", modeWords, func(b *observe.Buffered) *record.Lock { return &b.CopyLock }),
	schema.Int("in_flight", "", "i_dio_count there", func(b *observe.Buffered) *uint32 { return &b.CopyDio }),
	// The alignment stands beside it.
	schema.Flags("refused", "what ext4_should_use_dio looked at", refusalWords, ^uint16(record.PassAlign), func(b *observe.Buffered) *uint16 { return &b.Refused }),
)

// deviceField has a number, too, for filters.
func deviceField() schema.Field[Row] {
	f := schema.Int("dev", "MAJOR:MINOR", "device", func(r *Row) *uint32 { return &r.Dev })
	return f.Written(appendRowDev, func(r *Row, s string) (ok bool) { r.Dev, ok = ParseDev(s); return ok })
}

func appendRowDev(dst []byte, r *Row) []byte { return appendDev(dst, r.Dev) }

// ParseDev reads MAJOR:MINOR as the kernel's dev_t.
func ParseDev(s string) (dev uint32, ok bool) {
	major, minor, ok := strings.Cut(s, ":")
	a, err1 := strconv.ParseUint(major, 10, 12)
	b, err2 := strconv.ParseUint(minor, 10, 20)
	return uint32(a<<20 | b), ok && err1 == nil && err2 == nil
}
