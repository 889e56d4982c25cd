package model_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
	"github.com/ext4dio/ext4dio-trace/userspace-model/internal/walk"
)

// The model is compared here with package walk: a second implementation, written
// from what docs/kernel.md holds now alone, by somebody who had not read the model. The
// two share no code and not even the form of a layout.

// pair is one case in both forms.
type pair struct {
	in    walk.Input
	write model.Write
	inode model.Inode
	v     model.Variant
}

// flagBits of both forms.
func (p *pair) set() {
	in := &p.in
	in.Variant = p.v.Named().String()
	in.Patch6, in.Patch7, in.Patch8 = p.v.Has(model.CachedMissEagain), p.v.Has(model.NowaitCachedBegin), p.v.Has(model.NowaitCachedZeroing)
	p.write = model.Write{Pos: in.Pos, Len: in.Len, Buffer: in.Mem, Async: in.Async}
	for _, f := range [...]struct {
		on  bool
		bit uint32
	}{{in.Nowait, model.IocbNowait}, {in.Append, model.IocbAppend}, {in.Atomic, model.IocbAtomic}} {
		if f.on {
			p.write.Flags |= f.bit
		}
	}
	n := &p.inode
	n.Blkbits, n.ISize, n.IDisksize, n.ISizeAtGuess = uint8(in.Blkbits), in.ISize, in.Disksize, in.GuessISize
	n.Indirect, n.Nosec, n.DAX = in.Indirect, in.Nosec, in.Dax
	n.Direct = model.DirectFacts{
		Verity: model.No, Journal: model.AnswerOf(in.JournalData), Inline: model.AnswerOf(in.Inline),
		Encrypt: model.AnswerOf(in.Encrypted), InlineCrypt: model.AnswerOf(in.InlineCrypt),
	}
	n.Limits = model.Limits{
		Immutable: in.Immutable, Swapfile: in.Swapfile, Fsize: in.LimitFsize, MaxBytes: in.MaxBytes,
		BitmapBytes: in.BitmapMaxBytes, AtomicMin: in.AtomicMin, AtomicMax: in.AtomicMax, SectorSize: in.LBS,
	}
	n.Cache = model.CacheMerged
	if in.Cold {
		n.Cache = model.CacheCold
	}
	n.Busy, n.Stale, n.Cached, n.InvalidateFails = in.TrylockFails, in.Stale, in.PagesCached, in.InvalidateFails
	n.Shutdown, n.EmergencyRO = in.Shutdown, in.ReadOnly
}

// layout sets the blocks in both forms.
func (p *pair) layout(t testing.TB, blocks string) {
	x, err := model.ParseExtents(blocks)
	if err != nil {
		t.Fatal(err)
	}
	p.in.Blocks, p.inode.Extents = blocks, x
}

// ends are the ends of a write as package walk names them.
var ends = map[model.End]string{
	model.EndEntry: "entry", model.EndDAX: "entry", model.EndBuffered: "buffered", model.EndChecks: "checks",
	model.EndN0: "N0", model.EndN1: "N1", model.EndN2: "N2", model.EndN3: "N3", model.EndN4: "N4", model.EndDio: "dio",
}

func endOf(o *model.Outcome) string {
	switch o.Ended {
	case model.SubmitN5, model.SubmitN6:
		return o.Ended.String()
	}
	return ends[o.End]
}

func modeOf(m model.Mode) string {
	switch m {
	case model.Shared:
		return "SH"
	case model.Exclusive:
		return "EX"
	}
	return ""
}

// differs says in which field the two part, or nothing.
func differs(o *model.Outcome, w *walk.Outcome) string {
	dio := o.End == model.EndDio
	mode := ""
	if dio {
		mode = modeOf(o.Mode)
	}
	switch {
	case endOf(o) != w.End:
		return "end: " + endOf(o) + ", walk " + w.End
	case o.Result != w.Ret:
		return fmt.Sprintf("result: %d, walk %d", o.Result, w.Ret)
	case o.Passes != w.Passes:
		return fmt.Sprintf("passes: %d, walk %d", o.Passes, w.Passes)
	case mode != w.Mode:
		return "mode: " + mode + ", walk " + w.Mode
	case o.Passes > 0 && modeOf(o.Pass[0].Mode) != w.Guess:
		return "first lock: " + modeOf(o.Pass[0].Mode) + ", walk " + w.Guess
	case dio && (o.Drain == model.Yes) != w.Drain:
		return fmt.Sprintf("drain: %s, walk %v", o.Drain, w.Drain)
	case dio && (o.ForceWait == model.Yes) != w.ForceWait:
		return fmt.Sprintf("force wait: %s, walk %v", o.ForceWait, w.ForceWait)
	case dio && o.Extend != w.Orphan:
		return fmt.Sprintf("orphan: %v, walk %v", o.Extend, w.Orphan)
	case o.Overwrite != w.OverwriteOps:
		return fmt.Sprintf("overwrite ops: %v, walk %v", o.Overwrite, w.OverwriteOps)
	case w.Fmod != "" && o.Modifier.String() != w.Fmod:
		return "modified by " + o.Modifier.String() + ", walk " + w.Fmod
	case o.Queued != w.Queued:
		return fmt.Sprintf("queued: %v, walk %v", o.Queued, w.Queued)
	case len(o.Zeroed) != len(w.Zeroed):
		return fmt.Sprintf("zeroed: %v, walk %v", o.Zeroed, w.Zeroed)
	}
	for i, z := range o.Zeroed {
		if z.Pos != w.Zeroed[i].Pos || z.Len != w.Zeroed[i].Len {
			return fmt.Sprintf("zeroed: %v, walk %v", o.Zeroed, w.Zeroed)
		}
	}
	if why := differsLookups(o, w); why != "" {
		return why
	}
	return differsMappings(o, w)
}

func differsLookups(o *model.Outcome, w *walk.Outcome) string {
	for i := range o.Passes {
		p, want := &o.Pass[i], []walk.Lookup(nil)
		if i < len(w.Lookups) {
			want = w.Lookups[i]
		}
		same := p.N == len(want)
		for j := 0; same && j < p.N; j++ {
			q := p.Queries[j]
			same = walk.Lookup{Lblk: q.Lblk, Len: q.Len, Flags: q.Flags} == want[j]
		}
		if !same {
			return fmt.Sprintf("lookups of pass %d: %v, walk %v", i+1, p.Queries[:p.N], want)
		}
	}
	return ""
}

func differsMappings(o *model.Outcome, w *walk.Outcome) string {
	same := len(o.Mappings) == len(w.Mappings)
	for i := 0; same && i < len(w.Mappings); i++ {
		m, n := &o.Mappings[i], &w.Mappings[i]
		same = m.Err == n.Err && m.Alloc == n.Alloc
		if m.Err == 0 {
			same = same && m.Lblk == n.Lblk && m.Len == n.Len && (m.Type == model.IomapUnwritten) == (n.Type == "UNWRITTEN") &&
				(m.Flags&model.IomapFNew != 0) == n.New
		}
	}
	fallback := (w.Fallback != nil) == (o.Fallback.Len > 0 || o.End == model.EndBuffered)
	if fallback && w.Fallback != nil {
		fallback = o.Fallback == model.Range{Pos: w.Fallback.Pos, Len: w.Fallback.Len} && o.FallbackDrain == w.FallbackDrain
	}
	switch {
	case !same:
		return fmt.Sprintf("mappings: %+v, walk %+v", o.Mappings, w.Mappings)
	case !fallback:
		return fmt.Sprintf("fallback: %v drain %v, walk %v drain %v", o.Fallback, o.FallbackDrain, w.Fallback, w.FallbackDrain)
	}
	return ""
}

// comparison counts cases.
type comparison struct {
	t        *testing.T
	cases    atomic.Int64
	open     atomic.Int64 // not modelled, and so not decided
	failures atomic.Int64
	ends     [32]atomic.Int64 // by End and by SubmitEnd, to see that all are met
}

// check decides one case on both sides.
func (c *comparison) check(p *pair, out *model.Outcome) {
	p.set()
	c.cases.Add(1)
	why := ""
	if err := model.Predict(out, &p.write, &p.inode, p.v); err != nil {
		why = err.Error()
	} else if out.End == model.EndUnknown {
		why = "not decided: " + out.Missing
	} else if out.Ended == model.SubmitUnknown && p.in.Atomic {
		c.cases.Add(-1)
		c.open.Add(1)
	} else {
		w := walk.Walk(p.in)
		why = differs(out, &w)
	}
	c.ends[out.End].Add(1)
	c.ends[16+int(out.Ended)].Add(1)
	if why != "" && c.failures.Add(1) <= 10 {
		c.t.Errorf("%+v\n\t%s", p.in, why)
	}
}

// positions of a write's begin and end on three blocks of 4 KiB: block borders, and
// inside each block.
var positions = []int64{0, 512, 4096, 4608, 8192, 11776, 12288, 12800, 16384}

// layoutsOf are all files of three blocks of these states, with as few and as many
// mappings as there can be.
func layoutsOf(states string) []string {
	var out []string
	for _, a := range states {
		for _, b := range states {
			for _, c := range states {
				out = append(out, string([]rune{a, b, c}))
				if apart := border(a, b) + border(b, c); apart != "" {
					out = append(out, string(a)+border(a, b)+string(b)+border(b, c)+string(c))
				}
			}
		}
	}
	return out
}

// border is what can part two blocks of the same state: a hole is one.
func border(a, b rune) string {
	if a == b && a != 'H' {
		return "|"
	}
	return ""
}

// each calls f with every combination of the bits below n.
func each(n int, f func(bits int)) {
	for bits := range 1 << n {
		f(bits)
	}
}

func bit(bits, n int) bool { return bits>>n&1 != 0 }

// TestTwoImplementations compares model and walk over the whole finite space of the
// check phase and of what follows it: the states of head, middle and tail, how the
// blocks split into mappings, where the write begins and ends in its blocks,
// alignment of memory, i_size and i_disksize, the lockless guess, S_NOSEC, NOWAIT,
// asynchronous or not, inode format, and the variant.
func TestTwoImplementations(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the comparison of millions of cases takes half a minute")
	}
	c := &comparison{t: t}
	t.Run("space", func(t *testing.T) {
		for _, format := range []struct {
			name, states string
			indirect     bool
		}{{"extents", "WUHD", false}, {"block map", "WHD", true}} {
			for _, v := range model.Variants() {
				t.Run(format.name+"/"+v.String(), func(t *testing.T) {
					t.Parallel()
					c.space(t, v, format.indirect, layoutsOf(format.states))
				})
			}
		}
	})
	n := c.cases.Load()
	t.Logf("%d cases, %d differences", n, c.failures.Load())
	if n < 4_000_000 {
		t.Errorf("only %d cases", n)
	}
	for _, e := range []model.End{model.EndDio, model.EndN2, model.EndN3} {
		if c.ends[e].Load() == 0 {
			t.Errorf("no case ended at %s", e)
		}
	}
}

func (c *comparison) space(t *testing.T, v model.Variant, indirect bool, layouts []string) {
	var out model.Outcome
	p := pair{v: v}
	p.in = walk.Input{Blkbits: 12, Indirect: indirect}
	for _, blocks := range layouts {
		p.layout(t, blocks)
		for i, pos := range positions {
			for _, end := range positions[i+1:] {
				p.in.Pos, p.in.Len = pos, end-pos
				each(7, func(bits int) {
					in := &p.in
					in.ISize = []int64{12288, 11776}[bits&1]
					in.Disksize = min(in.ISize, []int64{in.ISize, 4096}[bits>>1&1])
					in.GuessISize = []int64{in.ISize, 0}[bits>>2&1]
					in.Nosec, in.Nowait, in.Async = bit(bits, 3), bit(bits, 4), bit(bits, 5)
					in.Mem = []uint32{0, 512}[bits>>6]
					c.check(&p, &out)
				})
			}
		}
	}
}

// TestTwoImplementationsRest compares what the first comparison leaves out, on
// fewer layouts: entry, ext4_should_use_dio, the write checks with appends and
// limits, timestamps, the page cache, a cold extent-status tree, a lock that is
// held, the device's sectors, atomic writes.
func TestTwoImplementationsRest(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the comparison of a million cases takes ten seconds")
	}
	c := &comparison{t: t}
	layouts := []string{"WWW", "W|WW", "UUU", "HHH", "WUW", "WHW", "UHW", "DWD"}
	t.Run("rest", func(t *testing.T) {
		for _, v := range oneByOne() {
			for _, theme := range themes {
				t.Run(v.String()+"/"+theme.name, func(t *testing.T) {
					t.Parallel()
					for _, blocks := range layouts {
						c.theme(t, v, blocks, theme.bits, theme.set)
					}
				})
			}
		}
	})
	t.Logf("%d cases, %d differences, and %d not modelled", c.cases.Load(), c.failures.Load(), c.open.Load())
	for e := model.EndDio; e <= model.EndDAX; e++ {
		if c.ends[e].Load() == 0 && e != model.EndModified {
			t.Errorf("no case ended at %s", e)
		}
	}
	for e := model.SubmitDone; e <= model.SubmitError; e++ {
		if c.ends[16+int(e)].Load() == 0 {
			t.Errorf("no submission ended at %s", e)
		}
	}
}

// oneByOne are all variants, and 7.3 with some of the patches 6 to 8.
func oneByOne() []model.Variant {
	out := model.Variants()
	for bits := 1; bits < 7; bits++ {
		v := model.Linux73
		for i := range 3 {
			v = v.WithPatch(6+i, bit(bits, i))
		}
		out = append(out, v)
	}
	return out
}

// themes are groups of facts that are switched together; the lowest three bits are
// NOWAIT, asynchronous and the block map.
var themes = []struct {
	name string
	bits int
	set  func(in *walk.Input, bits int) bool
}{
	{"entry", 5, func(in *walk.Input, bits int) bool {
		in.Shutdown, in.ReadOnly, in.Dax = bit(bits, 0), bit(bits, 1), bit(bits, 2)
		in.Immutable, in.Swapfile = bit(bits, 3), bit(bits, 4)
		return true
	}},
	{"direct", 5, func(in *walk.Input, bits int) bool {
		in.Inline, in.JournalData, in.Encrypted, in.InlineCrypt = bit(bits, 0), bit(bits, 1), bit(bits, 2), bit(bits, 3)
		in.Mem = uint32(bits>>4) << 9
		if in.Inline && in.Indirect {
			return false // cannot be
		}
		// Between 7.2 and 7.3 it is not known whether inline encryption is needed.
		open := in.Encrypted && !in.InlineCrypt && slices.Contains([]string{"base", "patch3", "patch4"}, in.Variant)
		return !open
	}},
	{"append", 5, func(in *walk.Input, bits int) bool {
		in.Append, in.Nosec = bit(bits, 0), bit(bits, 1)
		in.ISize = []int64{12288, 11776}[bits>>2&1]
		in.GuessISize = in.ISize
		in.Disksize = []int64{in.ISize, 4096}[bits>>3&1]
		in.Stale = bit(bits, 4)
		return true
	}},
	{"limits", 6, func(in *walk.Input, bits int) bool {
		in.LimitFsize = []int64{0, 4096, 8704, 1}[bits&3]
		in.MaxBytes = []int64{0, 9000}[bits>>2&1]
		in.BitmapMaxBytes = []int64{0, 8192}[bits>>3&1]
		in.Append, in.LBS = bit(bits, 4), []int64{0, 4096}[bits>>5]
		return true
	}},
	{"page cache", 5, func(in *walk.Input, bits int) bool {
		in.PagesCached, in.InvalidateFails, in.Stale, in.TrylockFails = bit(bits, 0), bit(bits, 1), bit(bits, 2), bit(bits, 3)
		in.Cold = bit(bits, 4)
		return true
	}},
	{"atomic", 5, func(in *walk.Input, bits int) bool {
		in.Atomic, in.PagesCached, in.InvalidateFails = bit(bits, 0), bit(bits, 1), bit(bits, 2)
		in.AtomicMin, in.AtomicMax = 4096, []int64{4096, 65536}[bits>>3&1]
		in.Cold = bit(bits, 4)
		return true
	}},
	{"guess", 4, func(in *walk.Input, bits int) bool {
		in.GuessISize = []int64{0, 1 << 40}[bits&1]
		in.Cold, in.Nosec, in.Stale = bit(bits, 1), bit(bits, 2), bit(bits, 3)
		return true
	}},
}

func (c *comparison) theme(t *testing.T, v model.Variant, blocks string, bits int, set func(*walk.Input, int) bool) {
	var out model.Outcome
	p := pair{v: v}
	for _, indirect := range []bool{false, true} {
		if indirect && slices.Contains([]byte(blocks), 'U') {
			continue
		}
		p.layout(t, blocks)
		for i, pos := range positions {
			for _, end := range append([]int64{pos}, positions[i+1:]...) {
				each(bits+2, func(all int) {
					p.in = walk.Input{
						Blkbits: 12, Blocks: blocks, Indirect: indirect, Pos: pos, Len: end - pos, Variant: v.String(),
						ISize: 12288, Disksize: 12288, GuessISize: 12288, Nosec: true,
						Nowait: bit(all, 0), Async: bit(all, 1),
					}
					if set(&p.in, all>>2) {
						c.check(&p, &out)
					}
				})
			}
		}
	}
}

// TestTwoImplementationsBlockSizes compares them for every block size, with
// positions around the blocks' borders and the 4096-block limit of an allocation.
func TestTwoImplementationsBlockSizes(t *testing.T) {
	c := &comparison{t: t}
	for _, v := range model.Variants() {
		for blkbits := uint(model.MinBlkbits); blkbits <= model.MaxBlkbits; blkbits++ {
			var out model.Outcome
			p := pair{v: v}
			for _, blocks := range []string{"W", "WUHW", "H"} {
				p.layout(t, blocks)
				bs := int64(1) << blkbits
				for _, pos := range []int64{0, 512, bs, bs + 512, 5000 * bs} {
					for _, n := range []int64{1, 512, bs - 512, bs, bs + 512, 3 * bs, 4096 * bs, 9000*bs + 512} {
						each(4, func(bits int) {
							size := []int64{4 * bs, 20000 * bs}[bits&1]
							p.in = walk.Input{
								Blkbits: blkbits, Blocks: blocks, Pos: pos, Len: n, ISize: size, Disksize: size, GuessISize: size,
								Nosec: true, Nowait: bit(bits, 1), Async: bit(bits, 2), Indirect: bit(bits, 3) && blocks != "WUHW",
							}
							c.check(&p, &out)
						})
					}
				}
			}
		}
	}
	t.Logf("%d cases, %d differences", c.cases.Load(), c.failures.Load())
}
