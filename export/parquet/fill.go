package parquet

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// filler makes rows of the file. What pointers and lists of a row point to is used
// again after reset.
type filler struct {
	ints     []int64
	small    []int32
	bools    []bool
	expected []expected
	buffered []buffered
	lookups  []lookup
	mappings []mapping
	zeroed   []zeroed
	sleeps   []sleep
	checks   []check

	// Names of sets of flags, and escaped texts. There are few of the former; the
	// latter are forgotten when they grow too many.
	names map[flagSet][]string
	safe  map[string]*string
}

// flagSet is a set of flags of one kind.
type flagSet struct {
	kind  flagKind
	flags uint32
}

type flagKind uint8

const (
	kindKi flagKind = iota
	kindIomap
	kindStage
	kindPass
	kindRefusal
)

const maxNames = 8192

func (f *filler) reset() {
	f.ints, f.small, f.bools, f.expected, f.buffered = f.ints[:0], f.small[:0], f.bools[:0], f.expected[:0], f.buffered[:0]
	f.lookups, f.mappings, f.zeroed, f.sleeps, f.checks = f.lookups[:0], f.mappings[:0], f.zeroed[:0], f.sleeps[:0], f.checks[:0]
}

// keep puts v into list and returns its place there.
func keep[T any](list *[]T, v T) *T {
	*list = append(*list, v)
	return &(*list)[len(*list)-1]
}

// tail returns the items of list from n on, on their own; never nil, which would be a
// null.
func tail[T any](list []T, n int) []T {
	if n == len(list) {
		return []T{}
	}
	return list[n:len(list):len(list)]
}

func number[T int | int64 | uint64 | uint32](f *filler, n export.Opt[T]) *int64 {
	if !n.Known {
		return nil
	}
	return keep(&f.ints, int64(n.V))
}

func (f *filler) bool(b export.Opt[bool]) *bool {
	if !b.Known {
		return nil
	}
	return keep(&f.bools, b.V)
}

// text escapes s; null when it is empty.
func (f *filler) text(s string) *string {
	if s == "" {
		return nil
	}
	if p, ok := f.safe[s]; ok {
		return p
	}
	if len(f.safe) >= maxNames {
		clear(f.safe)
	}
	safe := export.Safe(s)
	f.safe[s] = &safe
	return &safe
}

// texts escapes a list; null when unknown.
func (f *filler) texts(list []string, known bool) []string {
	if !known {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		if p := f.text(s); p != nil {
			out[i] = *p
		}
	}
	return out
}

func (f *filler) flags(kind flagKind, flags uint32) []string {
	key := flagSet{kind, flags}
	if names, ok := f.names[key]; ok {
		return names
	}
	var names []string
	switch kind {
	case kindKi:
		names = (&export.Row{KiFlags: flags}).FlagNames()
	case kindIomap:
		names = export.IomapFlags(uint16(flags))
	case kindStage:
		names = record.Stages(flags).Names()
	case kindPass:
		names = export.PassFlags(uint16(flags))
	case kindRefusal:
		names = export.Refusals(uint16(flags))
	}
	if len(f.names) >= maxNames {
		clear(f.names)
	}
	f.names[key] = names
	return names
}

func (f *filler) row(out *row, r *export.Row) {
	*out = row{
		TimeNs: int64(r.TimeNs), Pid: int32(r.Pid), Tid: int32(r.Tid), Dev: export.DevName(r.Dev), Ino: int64(r.Ino), Path: f.text(r.Path),
		Pos: r.Pos, Len: r.Len, Flags: f.flags(kindKi, r.KiFlags), Unaligned: f.bool(r.Unaligned), Extending: f.bool(r.Extending),
		Drained: f.bool(r.Drained), ForceWait: f.bool(r.ForceWait), FallbackBytes: number(f, r.FallbackBytes), Ret: number(f, r.Ret),
		WaitNs: number(f, r.WaitNs), LatencyNs: number(f, r.LatencyNs), Slept: f.bool(r.Slept),
		Variant: f.text(r.Variant), Rules: f.texts(r.Rules, r.Verdict.Known), Hazards: f.texts(r.Hazards, r.Verdict.Known),
		Why: f.texts(r.Why, r.Verdict.Known), Stages: f.flags(kindStage, uint32(r.Stages)), Incomplete: f.text(r.Incomplete), Truncated: r.Truncated,
	}
	if p := f.text(r.Comm); p != nil {
		out.Comm = *p
	}
	if r.Lock.Known {
		out.Lock = f.text(r.Lock.V.String())
	}
	if r.Passes.Known {
		out.Passes = keep(&f.small, int32(r.Passes.V))
	}
	if r.Verdict.Known {
		out.Verdict = f.text(r.Verdict.V.String())
		out.Expected = f.predicted(r)
	}
	if r.Caller != 0 {
		out.Caller = f.text(r.Caller.String())
	}
	f.lists(out, r)
	f.facts(&out.Facts, &r.Facts)
}

// lists fills what was seen of the write, in the order of the kernel.
func (f *filler) lists(out *row, r *export.Row) {
	if len(r.Lookups) > 0 || r.ListsKnown {
		n := len(f.lookups)
		for i := range r.Lookups {
			l := &r.Lookups[i]
			f.lookups = append(f.lookups, lookup{
				Lblk: int64(l.Lblk), Len: int64(l.Len), Ret: l.Ret, State: l.State.String(), Pass: int32(l.Pass) + 1, Flags: int64(l.Flags),
			})
		}
		out.Lookups = tail(f.lookups, n)
	}
	if len(r.Mappings) > 0 || r.ListsKnown {
		n := len(f.mappings)
		for i := range r.Mappings {
			f.mappings = append(f.mappings, f.mapping(&r.Mappings[i]))
		}
		out.Mappings = tail(f.mappings, n)
	}
	if len(r.Zeroed) > 0 || r.ListsKnown {
		n := len(f.zeroed)
		for i := range r.Zeroed {
			z := &r.Zeroed[i]
			f.zeroed = append(f.zeroed, zeroed{
				Pos: z.Pos, Len: z.Len, Lock: f.text(export.ModeName(z.Lock)), InFlight: int64(z.DioCount),
				Type: export.IomapType(z.Type), Flags: f.flags(kindIomap, uint32(z.Flags)),
			})
		}
		out.Zeroed = tail(f.zeroed, n)
	}
	if len(r.Sleeps) > 0 || r.Slept.Known {
		n := len(f.sleeps)
		for i := range r.Sleeps {
			s := &r.Sleeps[i]
			f.sleeps = append(f.sleeps, sleep{Cause: s.Cause.String(), Phase: s.PhaseName(), Ns: int64(s.Ns)})
		}
		out.Sleeps = tail(f.sleeps, n)
	}
}

func (f *filler) mapping(m *observe.Mapping) mapping {
	out := mapping{
		Type: export.IomapType(m.Type), Flags: f.flags(kindIomap, uint32(m.Flags)),
		Allocated: m.Allocated(), AllocFlags: int64(m.AllocFlags), Overwrite: m.Overwrite,
	}
	if m.Err != 0 {
		out.Type, out.Flags = export.Result(int64(m.Err)), nil
	} else {
		out.Pos, out.Len = keep(&f.ints, m.Offset), keep(&f.ints, m.Length)
	}
	if m.LookedUp {
		out.LookupFlags, out.LookupRet = keep(&f.ints, int64(m.LookupFlags)), keep(&f.ints, int64(m.LookupRet))
	}
	return out
}

func (f *filler) predicted(r *export.Row) *expected {
	if !r.Expected.Known {
		return nil
	}
	e := &r.Expected.V
	lock := export.ExpectedLock(*e)
	return keep(&f.expected, expected{
		Lock: lock.String(), Passes: int32(e.Passes), Drained: e.Drained,
		ForceWait: f.bool(export.Opt[bool]{V: e.ForceWait, Known: lock != export.NoLock}),
		Ret:       number(f, export.Opt[int64]{V: e.Ret, Known: e.Ret != 0}),
	})
}

func (f *filler) facts(out *facts, in *export.Facts) {
	*out = facts{
		Blocksize: 1 << in.Blkbits, Pos: in.Pos, Len: in.Len, ISize: in.ISize, Align: number(f, in.Align), InFlight: number(f, in.InFlight),
		Modified: f.text(export.FmodName(in.Modified)), ModifiedRet: number(f, in.ModRet), DioFlags: int32(in.DioFlags),
		Ops: f.text(export.OpsName(in.Ops)), SubmitRet: in.SubmitRet, Queued: in.Queued, Completed: in.Completed,
	}
	n := len(f.checks)
	for i := range in.Checks {
		p := &in.Checks[i]
		f.checks = append(f.checks, check{
			Lock: f.text(export.ModeName(p.Lock)), Pos: p.Pos, Len: p.Count, ISize: p.ISize, IDisksize: p.IDisksize,
			Align: number(f, export.Opt[uint32]{V: p.Align, Known: p.Flags&record.PassAlign != 0}), Flags: f.flags(kindPass, uint32(p.Flags)),
		})
	}
	out.Checks = tail(f.checks, n)
	if in.Buffered.Known {
		b := &in.Buffered.V
		out.Buffered = keep(&f.buffered, buffered{
			Pos: b.Pos, Len: b.Len, Drained: b.Drained, Copied: b.Copied, Lock: f.text(export.ModeName(b.CopyLock)),
			InFlight: int64(b.CopyDio), Refused: f.flags(kindRefusal, uint32(b.Refused)),
		})
	}
}
