package advice

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const (
	ms      = 1_000_000
	latency = ms // of each write
	block   = 4096
	size    = 1 << 30 // of the file
)

// made makes writes. The zero values are those of an aligned write that is shared on 7.3.
type made struct {
	c       *Counter
	variant model.Variant
	n       uint64
	now     uint64
}

func newMade(v model.Variant) *made { return &made{c: New(), variant: v, now: 1} }

// write is a direct write of one pass: exclusive, or shared.
func (m *made) write(pos, length int64, lock record.Lock) *observe.Observation {
	m.n++
	m.now += 2 * latency
	flags := record.PassNosec | record.PassExtents | record.PassAlign
	return &observe.Observation{
		Time: m.now, ID: m.n, Request: m.n, Try: 1, Pid: 7, Tid: 7, Dev: 8 << 20, Ino: 12, Blkbits: 12,
		Pos0: pos, Len0: length, ISize0: size, Align0: uint32(length) & 0x1ffff, Align0Known: true,
		Passes: []observe.Pass{{Lock: lock, Pos: pos, Count: length, ISize: size, IDisksize: size, Align: uint32(length) & 0x1ffff, Flags: flags}},
		Dio:    true, Lock: lock, Completed: true, LatencyNs: latency, Ret: length, SubmitRet: length,
	}
}

// add gives a write to the counter, with what the model says of it.
func (m *made) add(o *observe.Observation, reason model.Reason) {
	m.c.Add(o, &judge.Verdict{Kind: judge.Agree, Variant: m.variant, Reason: reason})
}

// shared are n writes that lose nothing.
func (m *made) shared(n int) {
	for range n {
		m.add(m.write(0, block, record.LockShared), model.ReasonAligned)
	}
}

// waited lets o wait for a holder.
func waited(o *observe.Observation, ns uint64, holder observe.Part) *observe.Observation {
	holder.Ns = ns
	o.WaitNs, o.LatencyNs = ns, o.LatencyNs+ns
	o.Waits = []observe.Wait{{Ns: ns, Lock: o.Lock, Parts: []observe.Part{holder}}}
	return o
}

// found adds a lookup of the first block.
func found(o *observe.Observation, state uint32, blocks int32) *observe.Observation {
	p := &o.Passes[0]
	p.Lookups = []observe.Lookup{{Lblk: uint32(p.Pos >> 12), Len: uint32((p.Pos+p.Count-1)>>12-p.Pos>>12) + 1, Ret: blocks, MFlags: state}}
	return o
}

// exclusive is a write for a reason that costs by itself.
func (m *made) exclusive(reason model.Reason) *observe.Observation {
	switch reason {
	case model.ReasonHead:
		return found(m.write(512, 512, record.LockExclusive), model.MapUnwritten, 1)
	case model.ReasonTail:
		return found(m.write(block, 512, record.LockExclusive), model.MapUnwritten, 1)
	case model.ReasonExtending:
		return m.write(size, block, record.LockExclusive)
	}
	return m.write(0, block, record.LockExclusive)
}

// each entry is made by n writes, behind which others wait so long.
var makers = map[string]func(m *made, n int, wait uint64){
	"zeroing": func(m *made, n int, wait uint64) { m.queue(model.ReasonHead, n, wait, nil) },
	"unaligned-unwritten": func(m *made, n int, wait uint64) {
		m.queue(model.ReasonHead, n, wait, func(o *observe.Observation) { found(o, 0, 0) })
	},
	"tail-unwritten": func(m *made, n int, wait uint64) { m.queue(model.ReasonTail, n, wait, nil) },
	"extending":      func(m *made, n int, wait uint64) { m.queue(model.ReasonExtending, n, wait, nil) },
	"appenders": func(m *made, n int, wait uint64) {
		m.queue(model.ReasonExtending, n, wait, func(o *observe.Observation) { o.Flags, o.Tid = model.IocbAppend, 7+uint32(m.n%3) })
	},
	"nowait-timestamps": func(m *made, n int, wait uint64) {
		for range n {
			o := m.write(0, block, record.LockShared)
			o.Flags, o.Stages, o.Dio, o.FmodKnown, o.FmodRet, o.Ret, o.SubmitRet = model.IocbNowait, record.StageFmod, false, true, model.EAGAIN, model.EAGAIN, model.EAGAIN
			o.LatencyNs = 1000
			m.add(o, model.ReasonTimestamps)
			next := m.write(0, block, record.LockShared)
			next.Request, next.Try, next.Time = o.Request, 2, o.Time+o.LatencyNs+wait
			m.add(next, model.ReasonAligned)
		}
	},
	"nosec": func(m *made, n int, wait uint64) {
		for i := range n + 1 { // the first one of an inode is none
			w := wait
			if i == 0 {
				w = 0
			}
			m.queue(model.ReasonNosec, 1, w, nil)
		}
	},
	"fallback": func(m *made, n int, wait uint64) {
		for range n {
			o := m.write(0, block, record.LockUnknown)
			o.Dio, o.Passes = false, nil
			o.Buffered = &observe.Buffered{Len: block, Copied: true, CopyLock: record.LockExclusive, Refused: record.BufFacts | record.PassJournal}
			m.add(o, model.ReasonJournal)
		}
	},
	"readers-beside": func(m *made, n int, wait uint64) {
		for range n {
			o := m.exclusive(model.ReasonExtending)
			m.add(waited(o, wait, observe.Part{Cause: observe.CauseHeld, Mode: record.LockShared, Actor: observe.Actor{Op: record.HoldRead.String()}}), model.ReasonExtending)
		}
	},
	"fallocate-beside": func(m *made, n int, wait uint64) {
		for range n {
			o := m.write(0, block, record.LockShared)
			m.add(waited(o, wait, observe.Part{Cause: observe.CauseHeld, Mode: record.LockExclusive, Actor: observe.Actor{Op: "fallocate:punch-hole"}}), model.ReasonAligned)
		}
	},
	"kernel-patch": func(m *made, n int, wait uint64) {
		m.variant = model.Linux72
		m.queue(model.ReasonNotOver, n, wait, func(o *observe.Observation) {
			o.Len0, o.Passes[0].Count = 2*block, 2*block
			found(o, model.MapMapped, 1) // and the other block is in another extent
		})
	},
}

// queue makes writes that are exclusive, and shared ones that wait behind them.
func (m *made) queue(reason model.Reason, n int, wait uint64, change func(*observe.Observation)) {
	for range n {
		o := m.exclusive(reason)
		if change != nil {
			change(o)
		}
		m.add(o, reason)
		if wait > 0 {
			behind := m.write(0, block, record.LockShared)
			m.add(waited(behind, wait, observe.Part{Cause: observe.CauseHeld, Mode: record.LockExclusive, Actor: observe.Actor{Op: observe.OpWrite, ID: o.ID}}), model.ReasonAligned)
		}
	}
}

func idsOf(list []export.Advice) (out []string) {
	for i := range list {
		out = append(out, list[i].ID)
	}
	return out
}

// Each entry is said first when it makes many writes that others wait for, and not at all
// when it makes few, or when what is lost is little.
func TestEntries(t *testing.T) {
	for i := range catalogue {
		e := &catalogue[i]
		id := ids[e.cause]
		t.Run(id, func(t *testing.T) {
			by := makers[id]
			for _, c := range []struct {
				what         string
				n, shared    int
				wait         uint64
				said         bool
				onlyByItself bool // of entries that cost though nobody waits, there is advice here
			}{
				{what: "many, and others wait", n: 100, shared: 100, wait: 5 * ms, said: true},
				{what: "just enough", n: leastWrites, shared: 100, wait: 5 * ms, said: true},
				{what: "too few", n: leastWrites - 1, shared: 1, wait: 5 * ms},
				{what: "little of the time and of the writes", n: 20, shared: 1000, wait: ms / 10},
				{what: "nobody waits", n: 100, shared: 100, onlyByItself: true},
				{what: "nobody waits, and it is a small part", n: 100, shared: 1000},
				{what: "absent", shared: 1000},
			} {
				m := newMade(model.Linux73)
				by(m, c.n, c.wait)
				m.shared(c.shared)
				want := c.said || c.onlyByItself && e.alone
				got := m.c.Findings(nil)
				if !want && slices.Contains(idsOf(got), id) || want && (len(got) == 0 || got[0].ID != id) {
					t.Errorf("%s: advice %v, wanted %v", c.what, idsOf(got), want)
				}
				if c.what == "absent" && len(got) > 0 {
					t.Errorf("advice %v for shared writes", idsOf(got))
				}
			}
		})
	}
}

// What is said of each entry, as check writes it; for older kernels where they get another
// advice.
func TestTexts(t *testing.T) {
	var b strings.Builder
	for i := range catalogue {
		id, before := ids[catalogue[i].cause], ""
		for _, v := range []model.Variant{model.Linux73, model.Linux72, model.Linux61} {
			m := newMade(v)
			makers[id](m, 100, 5*ms)
			m.shared(100)
			text := strings.Join(export.AdviceLines(m.c.Findings(nil)), "\n")
			if text != before {
				fmt.Fprintf(&b, "== %s on %s\n%s\n", id, m.variant, text)
			}
			before = text
		}
	}
	testkit.Golden(t, "texts.txt", b.String())
}

// The first write to an inode finds S_NOSEC cleared: a thousand new files are no habit.
func TestNosecOnce(t *testing.T) {
	m := newMade(model.Linux73)
	for i := range 1000 {
		o := m.exclusive(model.ReasonNosec)
		o.Ino = uint64(100 + i)
		m.add(o, model.ReasonNosec)
	}
	if got := m.c.Findings(nil); len(got) > 0 {
		t.Errorf("advice %v for the first write of each file", idsOf(got))
	}
}

// Who is in the way is blamed: an exclusive write that waits for a read does not count that
// for itself, one that waits for nobody who is known does.
func TestBlame(t *testing.T) {
	m := newMade(model.Linux73)
	makers["readers-beside"](m, 50, ms)
	if got := m.c.Findings(nil); len(got) != 1 || got[0].ID != "readers-beside" || got[0].TimeLost != 50*ms {
		t.Errorf("advice %+v, wanted 50 ms behind reads alone", got)
	}
	for range 50 {
		m.add(waited(m.exclusive(model.ReasonExtending), ms/2, observe.Part{}), model.ReasonExtending)
	}
	if got := m.c.Findings(nil); len(got) != 2 || got[1].ID != "extending" || got[1].TimeLost != 25*ms {
		t.Errorf("advice %+v, wanted 25 ms of the appends' own waits, too", got)
	}
}

// Who waits in a queue behind fallocate, which itself waits for shared writes, waits for it.
func TestBlameQueued(t *testing.T) {
	m := newMade(model.Linux73)
	for range 30 {
		before := m.write(0, block, record.LockShared)
		m.add(before, model.ReasonAligned)
		queued := observe.Part{Cause: observe.CauseQueued, Actor: observe.Actor{Op: "fallocate"}, Behind: []observe.Link{{Actor: observe.Actor{Op: observe.OpWrite, ID: before.ID}}}}
		m.add(waited(m.write(0, block, record.LockShared), ms, queued), model.ReasonAligned)
	}
	if got := m.c.Findings(nil); len(got) != 1 || got[0].ID != "fallocate-beside" || got[0].TimeLost != 30*ms {
		t.Errorf("advice %+v, wanted 30 ms behind fallocate", got)
	}
}

// A read that is queued behind an exclusive write counts, when its file has writes.
func TestReadsQueued(t *testing.T) {
	m := newMade(model.Linux73)
	makers["readers-beside"](m, 30, ms)
	h := observe.Hold{Kind: record.HoldRead, Dev: 8 << 20, Ino: 12, QueuedNs: 7 * ms}
	m.c.Hold(&h)
	h.Ino = 13
	m.c.Hold(&h)
	if got := m.c.Findings(nil); len(got) == 0 || got[0].TimeLost != 37*ms {
		t.Errorf("advice %+v, wanted 37 ms", got)
	}
}

// What NOWAIT refuses because the exclusive lock is needed is lost by the cause of that.
func TestRefusedForCause(t *testing.T) {
	m := newMade(model.Linux73)
	for range 30 {
		o := m.write(size, block, record.LockExclusive)
		o.Flags, o.Dio, o.Ret, o.SubmitRet, o.LatencyNs = model.IocbNowait, false, model.EAGAIN, model.EAGAIN, 1000
		m.add(o, model.ReasonExtending)
		next := m.exclusive(model.ReasonExtending)
		next.Request, next.Try, next.Time = o.Request, 2, o.Time+1000+3*ms
		m.add(next, model.ReasonExtending)
	}
	got := m.c.Findings(nil)
	if len(got) != 1 || got[0].ID != "extending" || got[0].TimeLost != 90*ms || got[0].Of != 30 {
		t.Errorf("advice %+v, wanted 90 ms of 30 writes", got)
	}
}

// Nothing is said of writes that the kernel did not make as the model says, or that are not
// whole: the verdict tells of them.
func TestOtherVerdicts(t *testing.T) {
	m := newMade(model.Linux73)
	for _, k := range []judge.Kind{judge.Undecided, judge.Slower, judge.Differs, judge.Unsafe} {
		for range 100 {
			m.c.Add(m.exclusive(model.ReasonHead), &judge.Verdict{Kind: k, Variant: model.Linux73, Reason: model.ReasonHead})
		}
	}
	for range 100 {
		o := m.exclusive(model.ReasonHead)
		o.Incomplete = "lost"
		m.add(o, model.ReasonHead)
		m.c.Add(m.exclusive(model.ReasonHead), nil)
	}
	if got := m.c.Findings(nil); len(got) > 0 {
		t.Errorf("advice %v", idsOf(got))
	}
}

// There are five at most, those that lose the most first, and a counter that starts anew has
// none.
func TestRanked(t *testing.T) {
	m := newMade(model.Linux73)
	for i := range catalogue {
		if id := ids[catalogue[i].cause]; id != "kernel-patch" {
			makers[id](m, 100, uint64(5+i)*ms)
		}
	}
	got := m.c.Findings(nil)
	if len(got) != most || !slices.IsSortedFunc(got, func(a, b export.Advice) int { return int(b.TimeLost) - int(a.TimeLost) }) {
		t.Errorf("advice %v", idsOf(got))
	}
	m.c.Anew()
	if got := m.c.Findings(nil); got == nil || len(got) > 0 {
		t.Errorf("advice %v of nothing; it is looked for, so that it is not nil", got)
	}
}

// Where waits are not recorded, it is not said that nobody waited.
func TestBlind(t *testing.T) {
	m := newMade(model.Linux73)
	m.c.NoWaits = true
	m.c.Anew()
	makers["zeroing"](m, 100, 0)
	got := m.c.Findings(nil)
	if len(got) != 1 || strings.Contains(got[0].Sentence, "nobody") || !strings.Contains(got[0].Sentence, "it is not known whether anybody waited") {
		t.Errorf("advice %+v", got)
	}
}

// The first block of an unaligned write of 6.1 is told from its mapping: fallocated when a
// lookup found it, though blocks are asked for; a hole when the lookup found nothing; and where no
// lookup was seen it is not said which.
func TestOfOldKernels(t *testing.T) {
	for ret, want := range map[int32]string{1: "zeroing", 0: "unaligned-unwritten", -1: "unaligned-unwritten"} {
		m := newMade(model.Linux61)
		for range 100 {
			o := m.write(512, 512, record.LockExclusive)
			o.Mappings = []observe.Mapping{{Length: block, Type: model.IomapUnwritten, AllocFlags: 0x9, LookedUp: ret >= 0, LookupRet: ret}}
			m.add(o, model.ReasonUnaligned)
		}
		got := m.c.Findings(nil)
		if !slices.Equal(idsOf(got), []string{want}) || strings.HasSuffix(got[0].Why, "is a hole") != (ret == 0) {
			t.Errorf("lookup found %d: advice %+v, wanted %s", ret, got, want)
		}
	}
}

// The memory does not grow with the trace: files beyond the bound are counted together.
func TestBounded(t *testing.T) {
	m := newMade(model.Linux73)
	for i := range 2 * maxFiles {
		o := m.exclusive(model.ReasonHead)
		o.Ino = uint64(100 + i)
		m.add(o, model.ReasonHead)
	}
	got := m.c.Findings(nil)
	if len(m.c.files) != maxFiles || len(got) != 1 || got[0].Writes != 2*maxFiles || got[0].Files != maxFiles+1 {
		t.Errorf("%d files, advice %+v", len(m.c.files), got)
	}
}

// A write that was counted takes no memory, unless the model has to be asked about it.
func TestAddAllocatesNothing(t *testing.T) {
	m := newMade(model.Linux73)
	o, v := m.exclusive(model.ReasonHead), &judge.Verdict{Kind: judge.Agree, Variant: m.variant, Reason: model.ReasonHead}
	if n := testing.AllocsPerRun(100, func() { m.c.Add(o, v) }); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}
