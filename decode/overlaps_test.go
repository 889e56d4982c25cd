package decode_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
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
			j := judge.New(judge.Options{Variant: v, Seen: func(o *observe.Observation, v *judge.Verdict) {
				fmt.Fprintf(&b, "%d %s", o.ID, verdictText(v))
				for i := range v.Overlaps {
					if v.Overlaps[i].Kind.Rule() == 0 || v.Rules == 0 {
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

func feedJudge(t testing.TB, j *judge.Judge, raws ...[]byte) {
	t.Helper()
	for _, raw := range raws {
		if err := j.Feed(raw); err != nil {
			t.Fatal(err)
		}
	}
}

func overlapsText(s overlap.Stats) string {
	if s == (overlap.Stats{}) {
		return "no overlap\n"
	}
	return fmt.Sprintf("zeroed %d, unwaited %d, fallback %d, eof %d, evicted %d, unchecked %d\n",
		s.Zeroed, s.Unwaited, s.Fallback, s.EOFOverlaps, s.Evicted, s.Unchecked)
}

// pairs are the overlaps of a stream by the writes' ids, however it is ordered.
func pairs(t testing.TB, raws [][]byte) map[string]int {
	got := map[string]int{}
	j := judge.New(judge.Options{Variant: model.Linux73, Seen: func(o *observe.Observation, v *judge.Verdict) {
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
			if record.ParseWrite(raws[i], &w) != nil || w.Cut != 0 {
				continue
			}
			for w.NSteps > 0 {
				w.NSteps--
				w.StepsLost++
				cut := slices.Clone(raws)
				w.Cut = 0 // in order, as old records have them
				cut[i] = w.Append(nil)
				check("steps lost", cut)
				w.Cut = record.CutChecks
				cut[i] = w.Append(nil)
				for pair := range pairs(t, cut) {
					if strings.Contains(pair, fmt.Sprintf(": %d by", w.ID)) || strings.Contains(pair, fmt.Sprintf("by %d at", w.ID)) {
						t.Errorf("an incomplete record was used: %s", pair)
					}
				}
			}
		}
	}
}

// TestHazardsAreCounted, by the number of the rule.
func TestHazardsAreCounted(t *testing.T) {
	j := judge.New(judge.Options{Variant: model.Base})
	text := "entry pos=0 len=4096 isize=16384\npass shared indirect\nlookup 0 1 = 0 hole\npass exclusive indirect\nlookup 0 1 = 0 hole\n" +
		"fmod file\ndio exclusive\nmap error=-15\nbuffered 0 4096\ncopy count=1\nreturn 4096"
	feedJudge(t, j, parseScript(t, text).raw()...)
	if s, want := j.Stats(), [rules.Last + 1]uint64{5: 1}; s.Hazards != want || s.Kinds[judge.Agree] != 1 {
		t.Errorf("%+v", s)
	}
}
