package decode_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// twins are two judges of one stream; only the first keeps verdicts.
type twins struct {
	t         *testing.T
	got, want *judge.Judge
	gotOne    *judge.Verdict // on the record that was fed last, if it gave one
	wantOne   *judge.Verdict
	gotSeen   *observe.Observation // that it was about
	wantSeen  *observe.Observation
	writes    uint64
	raw       []byte
}

func newTwins(t *testing.T, opts judge.Options) *twins {
	w := &twins{t: t}
	opts.Seen = func(o *observe.Observation, v *judge.Verdict) { w.gotSeen, w.gotOne = plain(o), v }
	w.got = judge.New(opts)
	opts.Seen = func(o *observe.Observation, v *judge.Verdict) { w.wantSeen, w.wantOne = plain(o), v }
	opts.Anew = true
	w.want = judge.New(opts)
	return w
}

// plain is a copy of o in which empty lists are nil.
func plain(o *observe.Observation) *observe.Observation {
	c := o.Clone()
	c.Passes, c.Mappings, c.Zeroed = some(c.Passes), some(c.Mappings), some(c.Zeroed)
	c.Waits, c.Sleeps = some(c.Waits), some(c.Sleeps)
	for i := range c.Passes {
		c.Passes[i].Lookups = some(c.Passes[i].Lookups)
	}
	return c
}

func some[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// feedRaw gives both one raw record and compares what they say of it.
func (w *twins) feedRaw(raw []byte) {
	w.gotOne, w.wantOne, w.gotSeen, w.wantSeen = nil, nil, nil, nil
	if err := w.got.Feed(raw); (err == nil) != (w.want.Feed(raw) == nil) {
		w.t.Fatal(err)
	}
	if !sameVerdict(w.gotOne, w.wantOne) {
		w.t.Fatalf("got  %+v\nwant %+v\nof %x", w.gotOne, w.wantOne, raw)
	}
	if !reflect.DeepEqual(w.gotSeen, w.wantSeen) {
		w.t.Fatalf("got  %+v\nwant %+v\nof %x", w.gotSeen, w.wantSeen, raw)
	}
}

// feed gives both one write, and its completion.
func (w *twins) feed(rec *record.Write) {
	w.writes++
	rec.ID, rec.Ino, rec.T0 = w.writes, 1+w.writes%16, 1000+w.writes*1_000_000
	w.raw = rec.Append(w.raw[:0])
	w.feedRaw(w.raw)
	if rec.Ret == -529 {
		c := record.Complete{ID: rec.ID, T: rec.T0 + 5000, Ret: int64(rec.Len0)}
		if w.writes%3 == 0 {
			c.Ret = -5
		}
		w.raw = c.Append(w.raw[:0])
		w.feedRaw(w.raw)
	}
}

// end compares what both learned and counted.
func (w *twins) end() {
	w.t.Helper()
	w.got.Flush()
	w.want.Flush()
	if got, want := w.got.Stats(), w.want.Stats(); got != want {
		w.t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got, want := w.got.Detector().Evidence(), w.want.Detector().Evidence(); !slices.Equal(got, want) {
		w.t.Errorf("got  %q\nwant %q", got, want)
	}
}

func sameVerdict(a, b *judge.Verdict) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Variant == b.Variant && a.Missing == b.Missing &&
		slices.Equal(a.Why(), b.Why()) && a.Rules == b.Rules && a.Hazards == b.Hazards &&
		slices.Equal(a.Overlaps, b.Overlaps) && (a.Expected == nil) == (b.Expected == nil) &&
		(a.Expected == nil || *a.Expected == *b.Expected)
}

// sameVerdicts judges a stream with and without what is kept of earlier verdicts.
func sameVerdicts(t *testing.T, opts judge.Options, each func(feed func(*record.Write))) {
	t.Helper()
	w := newTwins(t, opts)
	each(w.feed)
	w.end()
}

// TestKnownVerdicts: the verdict that was kept is the one that would be given anew,
// for every write to every small file, at other places and in other files, and for
// writes that differ from them in one field of their record.
func TestKnownVerdicts(t *testing.T) {
	static := model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.Yes}
	for _, v := range model.Variants() {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			writes := smallWorld(v)
			if len(writes) < 2000 {
				t.Fatalf("only %d writes", len(writes))
			}
			sameVerdicts(t, judge.Options{Variant: v}, moved(writes))
			sameVerdicts(t, judge.Options{Variant: v}, changed(writes, 53))
			sameVerdicts(t, judge.Options{Evidence: static}, moved(writes))
			sameVerdicts(t, judge.Options{}, changed(writes, 211))
			sameVerdicts(t, judge.Options{Variant: v, Unprobed: record.StageDrain | record.StageLookup | record.StageZero}, changed(writes, 211))
		})
	}
}

// TestKnownApart: the first write agrees and is known; the second is like it but for
// one thing, and is not the same.
func TestKnownApart(t *testing.T) {
	const rest = "\nfmod kiocb\ndio %[1]s\nmap %[2]d 8192 mapped\nreturn 8192"
	write := func(pos, entrySize, passSize int64, lock string) *record.Write {
		text := fmt.Sprintf("entry pos=%[2]d len=8192 isize=%[3]d\npass %[1]s isize=%[4]d"+rest, lock, pos, entrySize, passSize)
		return &parseScript(t, text).w
	}
	const size, end = 1 << 50, int64(model.MaxBlocks) << 12
	for _, c := range []struct {
		name          string
		first, second *record.Write
		want          judge.Kind // of the second
	}{
		{"alike", write(0, size, size, "shared"), write(1<<30, 2*size, 2*size, "shared"), judge.Agree},
		{"i_size moved", write(0, size, 2*size, "exclusive"), write(0, size, size, "exclusive"), judge.Slower},
		{"i_size in the blocks", write(0, size, size, "shared"), write(0, 4096, 4096, "shared"), judge.Unsafe},
		{"behind the last block", write(0, size, size, "shared"), write(end-4096, size, size, "shared"), judge.Undecided},
	} {
		w := newTwins(t, judge.Options{Variant: model.Linux73})
		for range 2 {
			if w.feed(c.first); w.wantOne.Kind != judge.Agree {
				t.Fatalf("%s: the first: %s: %q", c.name, w.wantOne.Kind, w.wantOne.Why())
			}
		}
		if w.feed(c.second); w.wantOne.Kind != c.want {
			t.Errorf("%s: the second: %s: %q", c.name, w.wantOne.Kind, w.wantOne.Why())
		}
	}
}

// TestKnownOverlaps: what a write did together with another is not said of the next
// of the same facts, to a file of its own.
func TestKnownOverlaps(t *testing.T) {
	for _, block := range blocks(t, "overlaps") {
		for _, v := range model.Variants() {
			w := newTwins(t, judge.Options{Variant: v})
			id := uint64(1000)
			for alone := range 3 {
				writes := parseScripts(t, block)
				slices.Reverse(writes) // the culprit is judged first
				for _, s := range writes {
					if alone > 0 {
						id++
						s.w.ID, s.w.Ino = id, id
						if s.c != nil {
							s.c.ID = id
						}
					}
					for _, raw := range s.raw() {
						w.feedRaw(raw)
					}
				}
			}
			w.end()
		}
	}
}

// moved are the writes at the start of their file and far behind it, in a file that
// grows with them and in one that is far larger; some of them twice.
func moved(writes []record.Write) func(feed func(*record.Write)) {
	return func(feed func(*record.Write)) {
		for _, blocks := range []int64{0, 1 << 30} {
			for i := range writes {
				w := writes[i]
				shift(&w, blocks<<w.Blkbits)
				feed(&w)
				if i%2 == 0 {
					feed(&w)
				}
				sizes(&w, int64(w.ISize0)+1<<20)
				feed(&w)
			}
		}
	}
}

// changed are some of the writes, and after each the same with one field changed.
func changed(writes []record.Write, every int) func(feed func(*record.Write)) {
	return func(feed func(*record.Write)) {
		for i := 0; i < len(writes); i += every {
			w := writes[i]
			feed(&w)
			for n := 0; ; n++ {
				w := writes[i]
				if !change(&w, n) {
					break
				}
				feed(&w)
			}
		}
	}
}

// change changes one field of w, another for each n, and reports whether there is one.
func change(w *record.Write, n int) bool {
	head := []func(){
		func() { w.KiFlags ^= model.IocbNowait }, func() { w.KiFlags ^= model.IocbAppend }, func() { w.KiFlags ^= model.IocbAtomic },
		func() { w.Pos0 += 512 }, func() { w.Pos0 += 1 << w.Blkbits }, func() { w.Len0 += 512 }, func() { w.Len0 -= 256 },
		func() { w.ISize0 += 512 }, func() { w.ISize0 = w.Pos0 }, func() { w.ISize0 = w.Pos0 + uint64(w.Len0) }, func() { w.ISize0 += 1 << 30 },
		func() { sizes(w, int64(w.Pos0)) }, func() { sizes(w, int64(w.Pos0)+int64(w.Len0)) },
		func() { w.Ret = -11 }, func() { w.Ret = -5 }, func() { w.Ret = -529 }, func() { w.Ret -= 512 }, func() { w.Ret = int32(w.Len0) },
		func() { w.Blkbits++ }, func() { w.Caller = record.CallerSync }, func() { w.Caller = record.CallerLibaio }, func() { w.Caller = record.CallerUnknown },
		func() { w.Lock ^= 3 }, func() { w.DioFlags ^= 1 }, func() { w.DioOps ^= 3 }, func() { w.Fmod ^= 3 },
		func() { wholeAlign(w, 0) }, func() { wholeAlign(w, 256) }, func() { withoutZeroing(w) },
	}
	if n < len(head) {
		head[n]()
		return true
	}
	n -= len(head)
	if n < 16 {
		w.Stages ^= 1 << n
		return true
	}
	n -= 16
	const perStep = 34
	if n >= perStep*w.NSteps {
		return false
	}
	s := &w.Steps[n/perStep]
	switch n %= perStep; {
	case n == 0:
		s.Lock ^= 3
	case n < 9:
		s.Aux ^= 1 << (n - 1)
	default:
		n -= 9
		by := [...]uint64{1, 1 << 9, 1 << w.Blkbits, 1 << 36, 1 << 40, 1 << 43}[n%6]
		switch n / 6 {
		case 0:
			s.A ^= by
		case 1:
			s.B ^= by
		case 2:
			s.C ^= uint32(by | by>>20)
		case 3:
			s.D ^= uint32(by | by>>32)
		default:
			s.Kind = record.StepZero
		}
	}
	return true
}

// wholeAlign says that the iov_iter at entry had another alignment than in the checks.
func wholeAlign(w *record.Write, bits uint32) {
	w.Steps[w.NSteps] = record.Step{Kind: record.StepAlign, Aux: record.AlignEntry, C: bits}
	w.NSteps++
}

// withoutZeroing makes w one that zeroed nothing.
func withoutZeroing(w *record.Write) {
	w.Stages &^= record.StageZero
	for i := range w.NSteps {
		if s := &w.Steps[i]; s.Kind == record.StepZero {
			s.Kind = record.StepWait
		}
	}
}

// shift moves a write, and all that it met in its file, by a number of bytes.
func shift(w *record.Write, by int64) {
	w.Pos0 += uint64(by)
	w.ISize0 += uint64(by)
	for i := range w.NSteps {
		switch s := &w.Steps[i]; s.Kind {
		case record.StepPass:
			s.A += uint64(by)
			s.B += uint64(by)
		case record.StepDisksize, record.StepZero:
			s.A += uint64(by)
		case record.StepMap:
			switch {
			case s.Aux&record.MapFailed != 0:
			case s.Aux&record.MapLookup != 0:
				s.A += uint64(by >> w.Blkbits)
			default:
				s.A += uint64(by)
			}
		case record.StepLookup:
			s.C += uint32(by >> w.Blkbits)
		}
	}
}

// sizes gives the file another i_size; i_disksize keeps its distance.
func sizes(w *record.Write, isize int64) {
	by := uint64(isize) - w.ISize0
	w.ISize0 += by
	for i := range w.NSteps {
		switch s := &w.Steps[i]; s.Kind {
		case record.StepPass:
			s.B += by
		case record.StepDisksize:
			s.A += by
		}
	}
}

// smallWorld is the record of every write of 512-byte steps to every file of three
// small blocks, as v makes it.
func smallWorld(v model.Variant) []record.Write {
	const block = 1024
	var out []record.Write
	var p model.Outcome
	for layout := range 27 {
		text := string([]byte{"WUH"[layout%3], "WUH"[layout/3%3], "WUH"[layout/9%3]}) + "HHH"
		extents, err := model.ParseExtents(text)
		if err != nil {
			panic(err)
		}
		for pos := int64(0); pos < 2*block; pos += 512 {
			for n := int64(512); n <= 2*block+512; n += 512 {
				for kind := range 16 {
					in := model.NewInode(10, []int64{3 * block, pos + n, pos + n - 512, 2*block + 512}[kind%4], extents)
					in.Nosec, in.Stale = kind != 5, kind%3 == 0
					if kind > 11 {
						in.IDisksize = max(0, in.ISize-block)
					}
					w := model.Write{Pos: pos, Len: n, Async: kind/4%2 == 1}
					if kind%7 == 2 {
						w.Buffer = 256
					}
					if kind/8%2 == 1 {
						w.Flags = model.IocbNowait
					}
					if err := model.Predict(&p, &w, in, v); err != nil {
						continue
					}
					if rec, ok := recordOf(&p, &w, in, text); ok {
						out = append(out, rec)
					}
				}
			}
		}
	}
	return out
}

// recordOf is the record that the probes make of a predicted write. It reports false
// for one that goes buffered.
func recordOf(p *model.Outcome, write *model.Write, in *model.Inode, layout string) (record.Write, bool) {
	w := record.Write{
		Stages: record.StageEntry | record.StageReturn | record.StageAlign | record.StageLock, Latency: 100_000,
		Pos0: uint64(write.Pos), Len0: uint32(write.Len), ISize0: uint64(in.ISize), KiFlags: write.Flags, Blkbits: in.Blkbits,
		Tgid: 1, Tid: 1, Caller: record.CallerSync, Ret: int32(p.Result), NrSegs: 1,
	}
	if write.Async {
		w.Caller = record.CallerLibaio
	}
	if p.Queued {
		w.Ret = -529
	}
	add := func(stage record.Stages, s record.Step) {
		w.Stages |= stage
		s.TUs = uint32(w.NSteps)
		w.Steps[w.NSteps] = s
		w.NSteps++
	}
	for i := range p.Passes {
		pass := &p.Pass[i]
		s := record.Step{
			Kind: record.StepPass, Lock: observe.LockOf(pass.Mode), Aux: record.PassExtents | record.PassAlign,
			A: uint64(write.Pos), B: uint64(in.ISize), C: uint32(write.Len), D: uint32(write.Len) | write.Buffer,
		}
		if in.Nosec {
			s.Aux |= record.PassNosec
		}
		if in.IDisksize != in.ISize {
			s.Aux |= record.PassDisksize
		}
		add(record.StagePass, s)
		w.Passes++
		if in.IDisksize != in.ISize {
			add(0, record.Step{Kind: record.StepDisksize, A: uint64(in.IDisksize)})
		}
		for j := range min(pass.N, model.MaxQueries) {
			q, flags := pass.Queries[j], map[byte]uint64{'W': model.MapMapped, 'U': model.MapUnwritten}[layout[pass.Queries[j].Lblk]]
			add(record.StageLookup, record.Step{
				Kind: record.StepLookup, C: q.Lblk, D: q.Len,
				A: uint64(uint32(pass.Rets[j])) | flags<<32, B: uint64(uint32(pass.Rets[j])) | uint64(q.Flags)<<32,
			})
		}
	}
	dio := p.End == model.EndDio
	if dio || p.End == model.EndN4 || p.End == model.EndN3 && !p.Variant.Has(model.UnalignedShared) {
		w.Stages |= record.StageFmod
		w.Fmod = record.Fmod(p.Modifier)
	}
	if !dio {
		return w, p.End != model.EndBuffered && p.End != model.EndN0
	}
	w.Stages |= record.StageDIO
	w.Lock, w.DioOps = observe.LockOf(p.Mode), record.OpsIomap
	if p.Overwrite {
		w.DioOps = record.OpsOverwrite
	}
	if p.ForceWait == model.Yes {
		w.DioFlags = model.DioForceWait
	}
	if p.Drain == model.Yes {
		add(record.StageDrain, record.Step{Kind: record.StepDrain})
	}
	typ := uint32(model.IomapMapped)
	for _, m := range p.Mappings {
		s := record.Step{Kind: record.StepMap, A: uint64(m.Lblk) << in.Blkbits, B: uint64(m.Len) << in.Blkbits,
			C: uint32(m.Type) | uint32(m.Flags)<<16, D: m.Alloc}
		if m.Err != 0 {
			s.Aux, s.A, s.B = record.MapFailed, uint64(m.Err), 0
		}
		typ = s.C
		add(record.StageBegin, s)
	}
	for _, z := range p.Zeroed {
		add(record.StageZero, record.Step{Kind: record.StepZero, Lock: w.Lock, A: uint64(z.Pos), B: uint64(z.Len), C: 1, D: typ})
	}
	return w, p.Ended != model.SubmitFallback
}
