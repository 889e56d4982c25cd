package decode

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestOverlaps runs testdata/overlaps: several writes separated by "--", in the
// order of their records, the verdict of each, and what was counted. The ids are
// 1, 2, …
//
//	overlaps variant=NAME
func TestOverlaps(t *testing.T) {
	datadriven.Walk(t, "testdata/overlaps", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var name string
			d.ScanArgs(t, "variant", &name)
			v, err := model.ParseVariant(name)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			j := NewJudge(Options{Variant: v, Seen: func(o *Observation, v *Verdict) {
				fmt.Fprintf(&b, "%d %s", o.ID, verdictText(v))
				for i := range v.Overlaps {
					if v.Overlaps[i].Kind.Rule() == 0 || len(v.Rules) == 0 {
						fmt.Fprintf(&b, "  not a rule, or not promised: %s\n", &v.Overlaps[i])
					}
				}
			}})
			for _, s := range parseScripts(t, d.Input) {
				feedJudge(t, j, s.raw()...)
			}
			j.Flush()
			b.WriteString(overlapsText(j.Stats().Overlaps))
			return b.String()
		})
	})
}

// parseScripts reads records that are separated by "--" and gives them the ids 1,
// 2, …
func parseScripts(t testing.TB, text string) []*script {
	var out []*script
	for i, part := range strings.Split(text, "--\n") {
		s := parseScript(t, part)
		s.w.ID = uint64(i + 1)
		if s.c != nil {
			s.c.ID = s.w.ID
		}
		out = append(out, s)
	}
	return out
}

func feedJudge(t testing.TB, j *Judge, raws ...[]byte) {
	t.Helper()
	for _, raw := range raws {
		if err := j.Feed(raw); err != nil {
			t.Fatal(err)
		}
	}
}

func overlapsText(s OverlapStats) string {
	if s == (OverlapStats{}) {
		return "no overlap\n"
	}
	return fmt.Sprintf("zeroed %d, unwaited %d, fallback %d, eof %d, evicted %d, unchecked %d\n",
		s.Zeroed, s.Unwaited, s.Fallback, s.EOFOverlaps, s.Evicted, s.Unchecked)
}

// TestCertainlyBefore: a step is at most 999 ns later than its time, and another CPU's
// clock at most 1000 ns behind.
func TestCertainlyBefore(t *testing.T) {
	for at, want := range map[uint64]bool{5000: false, 6000: false, 6999: false, 7000: true} {
		if got := certainlyBefore(5000, at+0); got != want {
			t.Errorf("5000 before %d: %v", at, got)
		}
	}
}

// pairs are the overlaps of a stream by the writes' ids, however it is ordered.
func pairs(t testing.TB, raws [][]byte) map[string]int {
	got := map[string]int{}
	j := NewJudge(Options{Variant: model.Linux73, Seen: func(o *Observation, v *Verdict) {
		checkVerdict(t.(*testing.T), o, v)
		for _, f := range v.Overlaps {
			got[fmt.Sprintf("%d: %d by %d at %d", f.Kind, f.Other.ID, f.By.ID, f.Pos)]++
		}
	}})
	feedJudge(t, j, raws...)
	j.Flush()
	return got
}

// streams are the records of every test of overlaps.
func streams(t testing.TB) [][][]byte {
	var out [][][]byte
	for _, block := range blocks(t, "overlaps") {
		var raws [][]byte
		for _, s := range parseScripts(t, block) {
			raws = append(raws, s.raw()...)
		}
		out = append(out, raws)
	}
	return out
}

// TestAnyOrder: the order of the records does not change what is found.
func TestAnyOrder(t *testing.T) {
	r, found := rand.New(rand.NewPCG(3, 4)), 0
	for _, raws := range streams(t) {
		want := pairs(t, raws)
		found += len(want)
		for range 30 {
			r.Shuffle(len(raws), func(i, j int) { raws[i], raws[j] = raws[j], raws[i] })
			if got := pairs(t, raws); !maps.Equal(got, want) {
				t.Errorf("found %v, in another order %v", want, got)
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d pairs in all tests", found)
	}
}

// TestLossyStream: without one of the records, or with steps missing from one of
// them, nothing is found that the whole stream does not show.
func TestLossyStream(t *testing.T) {
	for _, raws := range streams(t) {
		whole := pairs(t, raws)
		check := func(what string, part [][]byte) {
			for pair := range pairs(t, part) {
				if whole[pair] == 0 {
					t.Errorf("%s: found %s", what, pair)
				}
			}
		}
		for i := range raws {
			check("a record lost", slices.Concat(raws[:i], raws[i+1:]))
			var w record.Write
			if record.ParseWrite(raws[i], &w) != nil {
				continue
			}
			for w.NSteps > 0 {
				w.NSteps--
				w.StepsLost++
				cut := slices.Clone(raws)
				cut[i] = w.Append(nil)
				check("steps lost", cut)
				for pair := range pairs(t, cut) {
					if strings.Contains(pair, fmt.Sprintf(": %d by", w.ID)) || strings.Contains(pair, fmt.Sprintf("by %d at", w.ID)) {
						t.Errorf("an incomplete record was used: %s", pair)
					}
				}
			}
		}
	}
}

// overlapsOf feeds writes to an Overlaps of its own.
func overlapsOf(t testing.TB, v *Overlaps, text string, change func(*record.Write, *record.Complete)) []Overlap {
	t.Helper()
	s := parseScript(t, text)
	change(&s.w, s.c)
	var out []Overlap
	ob := NewObserver(func(o *Observation) { out = slices.Clone(v.Add(o, Conditions{})) })
	feed(t, ob, s.raw()...)
	return out
}

const (
	longFlight = "entry pos=0 len=4096 isize=16384 caller=libaio t0=900000\npass shared\nfmod kiocb\ndio shared\n" +
		"map 0 4096 unwritten at=5\nreturn -529 at=20\ncomplete 4096 at=400"
	badZeroing = "entry pos=512 len=1024 isize=16384 t0=1000000\npass exclusive\nlookup 0 1 = 1 unwritten\nfmod kiocb\n" +
		"dio exclusive wait\nmap 0 4096 unwritten at=10\nzero 0 512 exclusive unwritten count=2 at=12\n" +
		"zero 1536 2560 exclusive unwritten at=14\nreturn 1024 at=500"
	later = 10_000_000 // ns: long after both
)

// TestForgottenFlight: a write that was forgotten is not found; who may have
// overlapped with it is counted, and who did not is not.
func TestForgottenFlight(t *testing.T) {
	for extra, want := range map[int]OverlapStats{
		maxOverlapFlights - 1: {Zeroed: 1},
		maxOverlapFlights:     {Unchecked: 1},
		maxOverlapFlights + 1: {Unchecked: 1},
	} {
		v := NewOverlaps()
		overlapsOf(t, v, longFlight, func(w *record.Write, c *record.Complete) { w.ID, c.ID = 1, 1 })
		for i := range extra {
			overlapsOf(t, v, longFlight, func(w *record.Write, c *record.Complete) {
				w.ID, c.ID, w.T0, c.T = uint64(i+2), uint64(i+2), later, later+400_000
				w.Pos0, w.Steps[0].A = 8192, 8192
			})
		}
		want.Evicted = uint64(max(0, extra+1-maxOverlapFlights))
		if v.Stats.Evicted != want.Evicted {
			t.Errorf("after %d more: %+v", extra, v.Stats)
		}
		found := overlapsOf(t, v, badZeroing, func(w *record.Write, _ *record.Complete) { w.ID = 10_000 })
		// One that came later than all can be checked.
		overlapsOf(t, v, badZeroing, func(w *record.Write, _ *record.Complete) { w.ID, w.T0 = 10_001, 2*later })
		want.Evicted = uint64(max(0, extra+3-maxOverlapFlights)) // these two were direct writes, too
		if v.Stats != want || len(found) != int(want.Zeroed) {
			t.Errorf("after %d more: %+v, found %v", extra, v.Stats, found)
		}
	}
}

// TestForgottenZeroing is the same for zeroing that was forgotten.
func TestForgottenZeroing(t *testing.T) {
	for extra, want := range map[int]OverlapStats{
		maxOverlapActs - 1: {Zeroed: 1},
		maxOverlapActs:     {Evicted: 1, Unchecked: 1},
	} {
		v := NewOverlaps()
		for i := range uint64(extra + 1) {
			overlapsOf(t, v, badZeroing, func(w *record.Write, _ *record.Complete) { w.ID, w.T0 = i+1, w.T0+i*later })
		}
		overlapsOf(t, v, longFlight, func(w *record.Write, c *record.Complete) { w.ID, c.ID = 100, 100 })
		// A later one overlaps with none, and that is certain.
		overlapsOf(t, v, longFlight, func(w *record.Write, c *record.Complete) { w.ID, c.ID, w.T0, c.T = 101, 101, 100*later, 101*later })
		if v.Stats != want {
			t.Errorf("after %d more: %+v", extra, v.Stats)
		}
	}
}

// TestForgottenInode: an inode that was used least recently gives way, and is known to
// have been there.
func TestForgottenInode(t *testing.T) {
	v := NewOverlaps()
	for ino := range uint64(maxOverlapInodes + 1) {
		overlapsOf(t, v, longFlight, func(w *record.Write, c *record.Complete) { w.Ino, w.ID, c.ID = ino, ino, ino })
	}
	if len(v.slots) != maxOverlapInodes || len(v.index) != maxOverlapInodes || v.Stats.Evicted != 1 {
		t.Errorf("%d slots, %d in the index, %+v", len(v.slots), len(v.index), v.Stats)
	}
	overlapsOf(t, v, badZeroing, func(w *record.Write, _ *record.Complete) { w.Ino, w.ID = 0, 10_000 })
	if v.Stats.Unchecked != 1 || v.Stats.Zeroed != 0 {
		t.Errorf("the inode that was forgotten: %+v", v.Stats)
	}
	overlapsOf(t, v, badZeroing, func(w *record.Write, _ *record.Complete) { w.Ino, w.ID = maxOverlapInodes, 10_001 })
	if v.Stats.Zeroed != 1 {
		t.Errorf("an inode that is still there: %+v", v.Stats)
	}
}

// TestNotPlaced: a write without the times that it needs is counted, not guessed at.
func TestNotPlaced(t *testing.T) {
	for name, change := range map[string]func(*record.Write, *record.Complete){
		"no mapping":              func(w *record.Write, _ *record.Complete) { w.NSteps--; w.Stages &^= record.StageBegin },
		"a step after the return": func(w *record.Write, _ *record.Complete) { w.Latency = 1000 },
		"steps that wrapped":      func(w *record.Write, _ *record.Complete) { w.Latency = maxSubmitNs },
		"a time that overflows":   func(w *record.Write, c *record.Complete) { w.T0, c.T = maxTime, maxTime },
	} {
		v := NewOverlaps()
		overlapsOf(t, v, badZeroing, func(w *record.Write, _ *record.Complete) { w.ID = 100 })
		overlapsOf(t, v, longFlight, change)
		if want := (OverlapStats{Unchecked: 1}); v.Stats != want {
			t.Errorf("%s: %+v", name, v.Stats)
		}
	}
}

// TestSameWriteTwice: a stream that holds a write twice shows no overlap of it with
// itself.
func TestSameWriteTwice(t *testing.T) {
	v := NewOverlaps()
	for range 2 {
		if found := overlapsOf(t, v, badZeroing, func(*record.Write, *record.Complete) {}); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	}
}

// TestTooManyPieces: a write that zeroed more often than any can is not fully checked,
// and that is counted.
func TestTooManyPieces(t *testing.T) {
	text := strings.Replace(badZeroing, "return", strings.Repeat("zero 0 512 exclusive unwritten count=2 at=12\n", 4)+"return", 1)
	v := NewOverlaps()
	overlapsOf(t, v, text, func(*record.Write, *record.Complete) {})
	if v.Stats.Unchecked != 1 {
		t.Errorf("%+v", v.Stats)
	}
}

// TestManyFound: all pairs are counted, and the first few told of.
func TestManyFound(t *testing.T) {
	v := NewOverlaps()
	for i := range uint64(20) {
		overlapsOf(t, v, longFlight, func(w *record.Write, c *record.Complete) { w.ID, c.ID = i, i })
	}
	found := overlapsOf(t, v, badZeroing, func(w *record.Write, _ *record.Complete) { w.ID = 100 })
	if v.Stats.Zeroed != 20 || len(found) != maxOverlapsFound {
		t.Errorf("%d found, %+v", len(found), v.Stats)
	}
}

// TestHazardsAreCounted, by the number of the rule.
func TestHazardsAreCounted(t *testing.T) {
	j := NewJudge(Options{Variant: model.Base})
	text := "entry pos=0 len=4096 isize=16384\npass shared indirect\nlookup 0 1 = 0 hole\npass exclusive indirect\nlookup 0 1 = 0 hole\n" +
		"fmod file\ndio exclusive\nmap error=-15\nbuffered 0 4096\ncopy count=1\nreturn 4096"
	feedJudge(t, j, parseScript(t, text).raw()...)
	if s, want := j.Stats(), [lastRule + 1]uint64{5: 1}; s.Hazards != want || s.Kinds[Agree] != 1 {
		t.Errorf("%+v", s)
	}
}

// TestVerdictClone: a copy shares nothing with the verdict.
func TestVerdictClone(t *testing.T) {
	v := &Verdict{Why: []string{"a"}, Rules: []string{"R1"}, Hazards: []string{"R5"}, Overlaps: []Overlap{{Pos: 1}}, Expected: &Expected{Passes: 1}}
	c := v.Clone()
	v.Why[0], v.Rules[0], v.Hazards[0], v.Overlaps[0].Pos, v.Expected.Passes = "", "", "", 0, 0
	want := &Verdict{Why: []string{"a"}, Rules: []string{"R1"}, Hazards: []string{"R5"}, Overlaps: []Overlap{{Pos: 1}}, Expected: &Expected{Passes: 1}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
}

// BenchmarkOverlaps: one write each, to one file and to more files than are kept.
func BenchmarkOverlaps(b *testing.B) {
	var o *Observation
	ob := NewObserver(func(seen *Observation) { o = seen.Clone() })
	feed(b, ob, parseScript(b, longFlight).raw()...)
	for _, inodes := range []uint64{1, 2, 10 * maxOverlapInodes} {
		b.Run(fmt.Sprint(inodes), func(b *testing.B) {
			v := NewOverlaps()
			b.ReportAllocs()
			for i := uint64(0); b.Loop(); i++ {
				o.Ino, o.ID = i%inodes, i
				v.Add(o, Conditions{})
			}
		})
	}
}
