package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/report"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// write is a row of a write to a written block that was shared and waited for nothing.
func write(path string, at, latency uint64) export.Row {
	return export.Row{
		TimeNs: at, Path: path, Caller: record.CallerSync, Len: 4096, ListsKnown: true,
		Unaligned: export.Some(false), Extending: export.Some(false), Lock: export.Some(export.Shared), Passes: export.Some(1),
		Ret: export.Some[int64](4096), WaitNs: export.Some[uint64](0), LatencyNs: export.Some(latency),
		Mappings: []observe.Mapping{{Length: 4096, Type: model.IomapMapped}},
		Verdict:  export.Some(judge.Agree), Reason: "aligned, inside i_size",
	}
}

// load is a workload that is simulated: writers that write one after the other, on a disk that
// is faster and slower by turns.
type load struct {
	writers   int
	latency   float64 // ns
	wander    float64 // how much slower or faster the disk is, of its logarithm
	exclusive float64 // share of the writes
	length    uint64  // ns
}

// steady is a load of one second or so.
var steady = load{writers: 4, latency: 1e6, wander: 0.1, exclusive: 0.3, length: 1.2e9}

// side simulates a recording of it.
func (l load) side(rng *rand.Rand) *Side {
	const step, phi = 10e6, 0.8 // the disk changes every 10 ms, and remembers
	var disk []float64
	x := l.wander * rng.NormFloat64()
	for range l.length/step + 2 {
		disk = append(disk, x)
		x = phi*x + l.wander*math.Sqrt(1-phi*phi)*rng.NormFloat64()
	}
	s := &Side{}
	next := make([]uint64, l.writers)
	for {
		w := 0
		for i := range next {
			if next[i] < next[w] {
				w = i
			}
		}
		if next[w] >= l.length {
			return s
		}
		took := uint64(l.latency * math.Exp(disk[next[w]/step]+0.2*rng.NormFloat64()))
		r := write("/db", 1e9+next[w], took)
		if rng.Float64() < l.exclusive {
			r.Lock, r.Reason = export.Some(export.Exclusive), "not overwrite"
		}
		s.Add(&r, Chosen)
		next[w] += took
	}
}

var options = Options{Level: 0.95, Least: 0.05, Seed: 1}

// changes counts the pairs of simulated runs in which a change is found.
func changes(t *testing.T, a, b load, pairs int) (n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 12))
	for range pairs {
		if Compare(a.side(rng), b.side(rng), options).Changed() {
			n++
		}
	}
	return n
}

// Two runs of one kernel differ by what each of them differs from itself: in at least 19 of
// 20 pairs no change is found, though the disk wanders by 10 %.
func TestOneKernel(t *testing.T) {
	const pairs = 40
	if n := changes(t, steady, steady, pairs); n > pairs/20 {
		t.Errorf("a change is found in %d of %d pairs of the same load", n, pairs)
	}
}

// A real change is found: 20 % slower, and 20 points more exclusive.
func TestRealChange(t *testing.T) {
	const pairs = 20
	slower, excluded := steady, steady
	slower.latency *= 1.2
	excluded.exclusive += 0.2
	for name, b := range map[string]load{"20 % slower": slower, "20 points more exclusive": excluded} {
		if n := changes(t, steady, b, pairs); n < pairs*19/20 {
			t.Errorf("%s: found in %d of %d pairs", name, n, pairs)
		}
	}
}

// The same rows and the same seed give the same report.
func TestSameSeed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := steady.side(rng), steady.side(rng)
	text := func(seed uint64) string {
		o := options
		o.Seed = seed
		return output(t, Compare(a, b, o).WriteText)
	}
	if one := text(1); one != text(1) || one == text(2) {
		t.Error("the seed does not decide")
	}
}

func output(t *testing.T, form func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := form(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// oddSides have all kinds of classes: one that changed, one that has another folder in B,
// one with few writes, some on one side only; names of all kinds; something lost.
func oddSides() (a, b *Side) {
	a = &Side{Name: "before.e4d", Facts: []report.Fact{{Name: "kernel", Value: "7.2 amd64"}, {Name: "host", Value: "\x1b[31m<b>"}}}
	b = &Side{Name: "after.e4d", Facts: []report.Fact{{Name: "kernel", Value: "7.3 amd64"}, {Name: "host", Value: "\x1b[31m<b>"}, {Name: "ext4 on 8:0", Value: "/dev/sda on /mnt"}}}
	a.Summary.Variant, b.Summary.Variant = "linux-7.2", "linux-7.3"
	b.Missing = []string{"chunk 7 is damaged"}
	for i := range uint64(400) {
		at := 1e9 + i*5e6
		slow := write("/mnt/<db>\x1b[1m", at, 4e6+i%7*1e5)
		slow.Lock, slow.Passes, slow.Reason = export.Some(export.Exclusive), export.Some(2), "not overwrite"
		slow.WaitNs = export.Some(3e6 + i%5*1e5)
		slow.Unaligned, slow.Len = export.Some(true), 2048
		a.Add(&slow, Chosen)
		fast := write("/mnt/<db>\x1b[1m", 1e9+i*12e5, 1e6+i%7*1e4)
		fast.Unaligned, fast.Len = export.Some(true), 1536
		b.Add(&fast, Chosen)
		if i%2 == 0 {
			moved := write("/old/log", at, 1e6+i%9*1e4)
			a.Add(&moved, Chosen)
			moved.Path = "/new/log"
			b.Add(&moved, Chosen)
			nowait := write("/mnt/aio", at, 5e5)
			nowait.Caller, nowait.KiFlags = record.CallerIOUring, export.KiNowait
			if i%8 == 0 {
				nowait.Refused, nowait.Ret, nowait.Mappings, nowait.Lock = export.Some(observe.Point(1)), export.Some[int64](-11), nil, export.Some(export.NoLock)
			}
			a.Add(&nowait, Chosen)
			b.Add(&nowait, Chosen)
		}
		if i < 5 {
			few := write("/mnt/few", at, 1e6)
			few.Mappings[0] = observe.Mapping{Length: 4096, Type: model.IomapUnwritten}
			a.Add(&few, Chosen)
			b.Add(&few, Chosen)
			unknown := write("/mnt/few", at, 1e6)
			unknown.ListsKnown = false
			a.Add(&unknown, Chosen)
		}
	}
	only := write("", 2e9, 1e6)
	only.Ino, only.Dev = 12, 8<<20
	a.Add(&only, Chosen)
	hole := write("/mnt/new", 2e9, 1e6)
	hole.Mappings[0].Flags, hole.Extending = model.IomapFNew, export.Some(true)
	hole.KiFlags = export.KiDSync
	b.Add(&hole, Chosen)
	return a, b
}

func TestOdd(t *testing.T) {
	a, b := oddSides()
	r := Compare(a, b, options)
	text, page := output(t, r.WriteText), output(t, r.WriteHTML)
	testkit.Golden(t, "odd.txt", text)
	testkit.Golden(t, "odd.html", page)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(output(t, r.WriteJSON)), "", " "); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "odd.json", pretty.String())
	if strings.ContainsAny(text+page, "\x1b") {
		t.Error("control characters reach the output")
	}
	if strings.Contains(page, "<b>") || strings.Contains(page, "://") || strings.Contains(page, "<script") {
		t.Error("the page holds a name as markup, or refers to something outside")
	}
	if r.Proven() {
		t.Error("something is missing, and it is called proven")
	}
}

// Where nothing can be compared, that is said, and nothing is proven.
func TestNothing(t *testing.T) {
	side := func(path string, n uint64) *Side {
		s := &Side{}
		for i := range n {
			r := write(path, 1e9+i*1e6, 5e5)
			s.Add(&r, Chosen)
		}
		return s
	}
	for want, r := range map[string]*Report{
		"nothing could be compared: 0 writes of A and 0 of B":                                                                          Compare(&Side{}, &Side{}, options),
		"nothing could be compared: 0 writes of A and 9 of B":                                                                          Compare(&Side{}, side("/a", 9), options),
		"no class could be compared: A has 1 class, B has 1 class, and no class is in both; of all writes together throughput ×1.00 (": Compare(side("/a", 90), side("/b", 90), options),
		"nothing could be compared: in no class are there writes in so many windows of time that one":                                  Compare(side("/a", 3), side("/a", 3), options),
	} {
		if got := r.Sentence(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if r.Proven() || r.Changed() {
			t.Errorf("%q is called proven or changed", want)
		}
		_ = output(t, r.WriteText) + output(t, r.WriteHTML) + output(t, r.WriteJSON)
	}
}

// A class is what was asked for and met: what the kernel decided is no part of it.
func TestClass(t *testing.T) {
	one := write("/db", 1, 1)
	same, _ := classOf(&one)
	for name, change := range map[string]func(*export.Row){
		"lock":    func(r *export.Row) { r.Lock, r.Passes = export.Some(export.Exclusive), export.Some(2) },
		"lookups": func(r *export.Row) { r.Lookups = []export.Lookup{{Ret: 1, State: model.Written}} },
		"reason":  func(r *export.Row) { r.Reason = "other" },
		"latency": func(r *export.Row) { r.LatencyNs = export.Some[uint64](9) },
		"length":  func(r *export.Row) { r.Len = 4000 },
	} {
		r := write("/db", 1, 1)
		if change(&r); func() Class { c, _ := classOf(&r); return c }() != same {
			t.Errorf("another %s makes another class", name)
		}
	}
	for name, change := range map[string]func(*export.Row){
		"file":      func(r *export.Row) { r.Path = "/x" },
		"caller":    func(r *export.Row) { r.Caller = record.CallerLibaio },
		"nowait":    func(r *export.Row) { r.KiFlags = export.KiNowait },
		"sync":      func(r *export.Row) { r.KiFlags = export.KiDSync },
		"unaligned": func(r *export.Row) { r.Unaligned = export.Some(true) },
		"extending": func(r *export.Row) { r.Extending = export.Some(true) },
		"length":    func(r *export.Row) { r.Len = 4097 },
		"state":     func(r *export.Row) { r.Mappings[0].Type = model.IomapUnwritten },
		"more":      func(r *export.Row) { r.Summed = []observe.Summed{{Type: model.IomapUnwritten}} },
		"failed":    func(r *export.Row) { r.Mappings = nil },
	} {
		r := write("/db", 1, 1)
		if change(&r); func() Class { c, _ := classOf(&r); return c }() == same {
			t.Errorf("another %s makes no other class", name)
		}
	}
}

// What was there before the write is told from what the mapping and the lookup inside it say.
func TestState(t *testing.T) {
	for _, c := range []struct {
		m    observe.Mapping
		want State
	}{
		{observe.Mapping{Type: model.IomapMapped}, Written},
		{observe.Mapping{Type: model.IomapUnwritten}, Unwritten},
		{observe.Mapping{Type: model.IomapUnwritten, Flags: model.IomapFNew, AllocFlags: 1}, Hole},
		{observe.Mapping{Type: model.IomapMapped, Flags: model.IomapFNew}, Hole},
		{observe.Mapping{Type: model.IomapMapped, AllocFlags: 1, LookedUp: true, LookupRet: 2}, Unwritten},
		{observe.Mapping{Type: model.IomapMapped, AllocFlags: 1, LookedUp: true}, Hole},
		{observe.Mapping{Err: -5}, NotMet},
	} {
		r := write("/db", 1, 1)
		r.Mappings[0] = c.m
		if got := stateOf(&r); got != c.want {
			t.Errorf("%+v: %v, want %v", c.m, got, c.want)
		}
	}
}

// A file in another folder is found by its name, when no other has it.
func TestPairFiles(t *testing.T) {
	files := func(names ...string) map[string]float64 {
		out := map[string]float64{}
		for _, n := range names {
			out[n] = 1
		}
		return out
	}
	got := pairFiles(files("/a/db", "/a/log", "/a/x", "/both", "inode 7 on 8:0"), files("/b/db", "/b/log", "/c/log", "/both", "inode 8 on 8:0"))
	if len(got) != 1 || got["/b/db"] != "/a/db" {
		t.Errorf("%v", got)
	}
}

// Windows become twice as long as often as needed, and nothing gets lost.
func TestWindows(t *testing.T) {
	var s series
	const n = 5000
	for i := range uint64(n) {
		r := write("/db", 5e9+i*i*1000, 1e6)
		s.add(&r)
	}
	early := write("/db", 4e9, 1e6)
	s.add(&early)
	count := s.sum(func(w *window) float64 { return w.writes })
	if len(s.windows) > maxWindows || len(s.windows) < maxWindows/2 || count != n+1 {
		t.Errorf("%d windows with %v writes", len(s.windows), count)
	}
	times := s.times(func(w *window) bins { return w.latency })
	all := s.column(func(*window) float64 { return 1 })
	if got := times.quantile(0.5, all); math.Abs(got-1e6) > 0.04e6 {
		t.Errorf("half are at most %v ns", got)
	}
	if got := s.sum(func(w *window) float64 { return w.reasons["aligned, inside i_size"] }); got != n+1 {
		t.Errorf("%v reasons", got)
	}
}

// A write of which the end was not seen is neither written nor failed.
func TestNotEnded(t *testing.T) {
	s := &Side{}
	queued := write("/db", 1e9, 0)
	queued.Ret, queued.LatencyNs = export.Opt[int64]{}, export.Opt[uint64]{}
	s.Add(&queued, Chosen)
	inside := write("/db", 1e9, 0)
	inside.Inside = export.Some(record.InsideStage(1))
	s.Add(&inside, Chosen)
	w := s.all.windows[0]
	if s.chosen != 1 || w.writes != 1 || w.written != 0 || w.failed != 0 {
		t.Errorf("%d writes: %+v", s.chosen, w)
	}
}

func TestClassesAreBounded(t *testing.T) {
	s := &Side{}
	for i := range maxClasses + 3 {
		r := write(fmt.Sprintf("/f%d", i), uint64(i), 1)
		s.Add(&r, Chosen)
	}
	if len(s.classes) != maxClasses || s.more != 3 || s.proven() {
		t.Errorf("%d classes, %d more", len(s.classes), s.more)
	}
}

func TestWords(t *testing.T) {
	for v, want := range map[float64]string{0: "0 %", 1: "100 %", 0.0001: "<0.1 %", 0.9999: ">99.9 %", 0.5: "50.0 %"} {
		if got := percent(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.861: "0.86", 7.98: "7.98", 31.64: "31.6", 1234: "1,234", math.Inf(1): "1e6 and more"} {
		if got := times(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}
