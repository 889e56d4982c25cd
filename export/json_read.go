package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// ErrNoFacts is returned for a line that holds no facts to judge by: it comes from
// an older version, or is no traced write at all.
var ErrNoFacts = errors.New("no facts about a write in it")

// The form of a line, as far as it is needed to judge the write again.
type (
	jsonRow struct {
		TimeNs     uint64        `json:"time_ns"`
		Pid        uint32        `json:"pid"`
		Tid        uint32        `json:"tid"`
		Comm       string        `json:"comm"`
		Dev        string        `json:"dev"`
		Ino        uint64        `json:"ino"`
		Path       *string       `json:"path"`
		Flags      []string      `json:"flags"`
		Lock       *string       `json:"lock"`
		Lookups    []jsonLookup  `json:"lookups"`
		Mappings   []jsonMapping `json:"mappings"`
		Zeroed     []jsonZeroed  `json:"zeroed"`
		Ret        *int64        `json:"ret"`
		WaitNs     *uint64       `json:"wait_ns"`
		LatencyNs  *uint64       `json:"latency_ns"`
		Slept      *bool         `json:"slept"`
		Sleeps     []jsonSleep   `json:"sleeps"`
		Variant    *string       `json:"variant"`
		Stages     []string      `json:"stages"`
		Incomplete *string       `json:"incomplete"`
		Truncated  bool          `json:"truncated"`
		Caller     *string       `json:"caller"`
		Facts      *jsonFacts    `json:"facts"`
	}
	jsonLookup struct {
		Lblk  uint32 `json:"lblk"`
		Len   uint32 `json:"len"`
		Ret   int32  `json:"ret"`
		State string `json:"state"`
		Pass  int    `json:"pass"`
		Flags uint32 `json:"flags"`
	}
	jsonMapping struct {
		Pos        *int64   `json:"pos"`
		Len        *int64   `json:"len"`
		Type       string   `json:"type"`
		Flags      []string `json:"flags"`
		AllocFlags uint32   `json:"alloc_flags"`
		Overwrite  bool     `json:"overwrite"`
		// Lines of older versions do not have these.
		LookupFlags *uint32 `json:"lookup_flags"`
		LookupRet   *int32  `json:"lookup_ret"`
	}
	jsonZeroed struct {
		Pos      int64    `json:"pos"`
		Len      int64    `json:"len"`
		Lock     *string  `json:"lock"`
		InFlight uint32   `json:"in_flight"`
		Type     string   `json:"type"`
		Flags    []string `json:"flags"`
	}
	jsonSleep struct {
		Cause string `json:"cause"`
		Phase string `json:"phase"`
		Ns    uint64 `json:"ns"`
	}
	jsonFacts struct {
		Blocksize   uint64        `json:"blocksize"`
		Pos         int64         `json:"pos"`
		Len         int64         `json:"len"`
		ISize       int64         `json:"i_size"`
		Align       *uint32       `json:"align"`
		Checks      []jsonCheck   `json:"checks"`
		InFlight    *uint32       `json:"in_flight"`
		Modified    *string       `json:"modified"`
		ModifiedRet *int          `json:"modified_ret"`
		DioFlags    uint8         `json:"dio_flags"`
		Ops         *string       `json:"ops"`
		Buffered    *jsonBuffered `json:"buffered"`
		SubmitRet   int64         `json:"submit_ret"`
		Queued      bool          `json:"queued"`
		Completed   bool          `json:"completed"`
	}
	jsonCheck struct {
		Lock      *string  `json:"lock"`
		Pos       int64    `json:"pos"`
		Len       int64    `json:"len"`
		ISize     int64    `json:"i_size"`
		IDisksize int64    `json:"i_disksize"`
		Align     *uint32  `json:"align"`
		Flags     []string `json:"flags"`
	}
	jsonBuffered struct {
		Pos      int64    `json:"pos"`
		Len      int64    `json:"len"`
		Drained  bool     `json:"drained"`
		Copied   bool     `json:"copied"`
		Lock     *string  `json:"lock"`
		InFlight uint32   `json:"in_flight"`
		Refused  []string `json:"refused"`
	}
)

// ParseJSON reads back a line that AppendJSON wrote, without its verdict: what was
// observed. The row's Variant is the one that the line was judged under, if any.
// An error wraps ErrNoFacts, or says what cannot be read.
func ParseJSON(line []byte) (*Row, error) {
	var j jsonRow
	dec := json.NewDecoder(bytes.NewReader(line))
	if err := dec.Decode(&j); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	if j.Facts == nil {
		return nil, ErrNoFacts
	}
	r := reader{}
	row := &Row{
		TimeNs: j.TimeNs, Pid: j.Pid, Tid: j.Tid, Comm: j.Comm, Dev: r.dev(j.Dev), Ino: j.Ino, Path: or(j.Path, ""),
		KiFlags: r.bits("flags", j.Flags, kiFlagNames[:]), Stages: record.Stages(r.bits("stages", j.Stages, stageNames)),
		Incomplete: or(j.Incomplete, ""), Truncated: j.Truncated, Variant: or(j.Variant, ""),
		Ret: optOf(j.Ret), WaitNs: optOf(j.WaitNs), LatencyNs: optOf(j.LatencyNs), Slept: optOf(j.Slept), ListsKnown: j.Lookups != nil,
		Caller: record.Caller(r.index("caller", or(j.Caller, "unknown"), callers())),
	}
	if j.Lock != nil {
		row.Lock = Some(Lock(r.index("lock", *j.Lock, lockNames[:])))
	}
	for _, l := range j.Lookups {
		row.Lookups = append(row.Lookups, r.lookup(l))
	}
	for _, m := range j.Mappings {
		row.Mappings = append(row.Mappings, r.mapping(m))
	}
	for _, z := range j.Zeroed {
		row.Zeroed = append(row.Zeroed, observe.Zeroed{
			Pos: z.Pos, Len: z.Len, Lock: r.mode(z.Lock), DioCount: z.InFlight,
			Type: r.iomapType(z.Type), Flags: uint16(r.bits("flags of a zeroed range", z.Flags, iomapFlagNames[:])),
		})
	}
	for _, s := range j.Sleeps {
		row.Sleeps = append(row.Sleeps, observe.Sleep{
			Cause: record.SleepCause(r.index("cause", s.Cause, causes())),
			Phase: record.Phase(r.index("phase", s.Phase, phases())), Ns: s.Ns,
		})
	}
	row.Facts = r.facts(j.Facts)
	if r.err != nil {
		return nil, r.err
	}
	o := row.Observation()
	row.Pos, row.Len = o.Pos0, o.Len0
	if n := len(o.Passes); n > 0 && o.Passes[n-1].Count > 0 {
		row.Pos = o.Passes[n-1].Pos
	}
	return row, nil
}

// reader turns names back into numbers; the first that it does not know is err.
type reader struct{ err error }

func (r *reader) unknown(what, name string) {
	if r.err == nil {
		r.err = fmt.Errorf("read JSON: %s: %q is not known", what, name)
	}
}

func (r *reader) index(what, name string, names []string) int {
	i := slices.Index(names, name)
	if i < 0 {
		r.unknown(what, name)
		return 0
	}
	return i
}

func (r *reader) bits(what string, list, names []string) uint32 {
	var out uint32
	for _, n := range list {
		if hex, ok := strings.CutPrefix(n, "0x"); ok {
			v, err := strconv.ParseUint(hex, 16, 32)
			if err != nil || bits.OnesCount64(v) != 1 {
				r.unknown(what, n)
			}
			out |= uint32(v)
			continue
		}
		if n == "" {
			r.unknown(what, n)
			continue
		}
		out |= 1 << r.index(what, n, names)
	}
	return out
}

func (r *reader) dev(text string) uint32 {
	a, b, ok := strings.Cut(text, ":")
	major, err1 := strconv.ParseUint(a, 10, 12)
	minor, err2 := strconv.ParseUint(b, 10, 20)
	if !ok || err1 != nil || err2 != nil {
		r.unknown("dev", text)
	}
	return uint32(major<<20 | minor)
}

func (r *reader) mode(name *string) record.Lock {
	switch or(name, "") {
	case "shared":
		return record.LockShared
	case "exclusive":
		return record.LockExclusive
	case "":
		return record.LockUnknown
	}
	r.unknown("lock", *name)
	return record.LockUnknown
}

// iomapType reads a type by its name or, for one that has none, by its number.
func (r *reader) iomapType(text string) uint16 {
	for i := range uint16(len(iomapTypes)) {
		if IomapType(i) == text {
			return i
		}
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || IomapType(uint16(n)) != text {
		r.unknown("type", text)
	}
	return uint16(n)
}

func (r *reader) lookup(l jsonLookup) Lookup {
	out := Lookup{Pass: l.Pass - 1, Lblk: l.Lblk, Len: l.Len, Flags: l.Flags, Ret: l.Ret}
	switch l.State {
	case model.Written.String():
		out.State, out.MFlags = model.Written, model.MapMapped
	case model.Unwritten.String():
		out.State, out.MFlags = model.Unwritten, model.MapUnwritten
	case model.Delayed.String():
		out.State, out.MFlags = model.Delayed, model.MapDelayed
	case model.Hole.String():
		out.State = model.Hole
	case model.LookupError.String():
		out.State = model.LookupError
	default:
		r.unknown("state", l.State)
	}
	if l.Pass < 1 {
		r.unknown("pass", strconv.Itoa(l.Pass))
	}
	return out
}

func (r *reader) mapping(m jsonMapping) observe.Mapping {
	out := observe.Mapping{AllocFlags: m.AllocFlags, Overwrite: m.Overwrite}
	if m.LookupFlags != nil && m.LookupRet != nil {
		out.LookedUp, out.LookupFlags, out.LookupRet = true, *m.LookupFlags, *m.LookupRet
	}
	if m.Pos == nil || m.Len == nil {
		out.Err = r.errno(m.Type)
		return out
	}
	out.Offset, out.Length = *m.Pos, *m.Len
	out.Type, out.Flags = r.iomapType(m.Type), uint16(r.bits("flags of a mapping", m.Flags, iomapFlagNames[:]))
	return out
}

// errno reads an error by its name or its number.
func (r *reader) errno(text string) int {
	for no, name := range errnoNames {
		if text == "-"+name {
			return -int(no)
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n >= 0 {
		r.unknown("error", text)
	}
	return n
}

func (r *reader) facts(j *jsonFacts) Facts {
	f := Facts{
		Blkbits: uint8(bits.TrailingZeros64(j.Blocksize)), Pos: j.Pos, Len: j.Len, ISize: j.ISize,
		Align: optOf(j.Align), InFlight: optOf(j.InFlight), ModRet: optOf(j.ModifiedRet), DioFlags: j.DioFlags,
		Modified: record.Fmod(r.index("modified", or(j.Modified, ""), fmodNames[:])),
		Ops:      record.Ops(r.index("ops", or(j.Ops, ""), opsNames[:])), SubmitRet: j.SubmitRet, Queued: j.Queued, Completed: j.Completed,
	}
	if bits.OnesCount64(j.Blocksize) != 1 {
		r.unknown("blocksize", strconv.FormatUint(j.Blocksize, 10))
	}
	for _, c := range j.Checks {
		p := observe.Pass{
			Lock: r.mode(c.Lock), Pos: c.Pos, Count: c.Len, ISize: c.ISize, IDisksize: c.IDisksize,
			Flags: uint16(r.bits("flags of the checks", c.Flags, passFlagNames[:])),
		}
		if c.Align != nil {
			p.Align, p.Flags = *c.Align, p.Flags|record.PassAlign
		}
		f.Checks = append(f.Checks, p)
	}
	if b := j.Buffered; b != nil {
		f.Buffered = Some(observe.Buffered{
			Pos: b.Pos, Len: b.Len, Drained: b.Drained, Copied: b.Copied, CopyLock: r.mode(b.Lock), CopyDio: b.InFlight,
			Refused: uint16(r.bits("refused", b.Refused, refusalNames[:])),
		})
	}
	return f
}

func callers() []string {
	var out []string
	for c := range record.Caller(record.NumCallers) {
		out = append(out, c.String())
	}
	return out
}

func causes() []string {
	var out []string
	for c := range record.SleepCause(record.NumSleepCauses) {
		out = append(out, c.String())
	}
	return out
}

func phases() []string {
	var out []string
	for p := record.PhaseCheck; p <= record.PhaseBuffered; p++ {
		out = append(out, (&observe.Sleep{Phase: p}).PhaseName())
	}
	return out
}

func optOf[T any](p *T) Opt[T] {
	if p == nil {
		return Opt[T]{}
	}
	return Some(*p)
}

func or[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}
