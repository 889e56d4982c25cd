package validate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// witness is the right kernel. Of each write of a scenario it takes the faults with which check
// would disagree, as all of the file is known here, and gives what the tracer would see to coverage.
type witness struct {
	simSketch
	t     *testing.T
	v     model.Variant
	cover *coverage.Coverage
	truth map[sketch.Fault]bool
}

func (k witness) attempt(f *simFile, w *simWrite) *observe.Observation {
	clear(k.Asked)
	o := k.simSketch.attempt(f, w)
	ver := judge.Compare(o, k.v)
	if ver.Kind != judge.Agree {
		k.t.Errorf("%s: %s: %q", k.v, ver.Kind, ver.Why())
	}
	k.cover.Add(o, ver)
	for fault := range k.Asked {
		if !k.truth[fault] {
			k.truth[fault] = judge.Compare(kernelOf(k.v, fault).attempt(f.clone(), w), k.v).Kind.Disagrees()
		}
	}
	return o
}

// noticed is in which scenarios check would notice each fault, and in which coverage says so of
// the writes of the right kernel.
func noticed(t *testing.T, v model.Variant) (truth, claimed map[sketch.Fault][]string) {
	t.Helper()
	truth, claimed = map[sketch.Fault][]string{}, map[sketch.Fault][]string{}
	scs := builtinScenarios(t)
	for i := range scs {
		k := witness{kernelOf(v, sketch.Fault{}), t, v, new(coverage.Coverage), map[sketch.Fault]bool{}}
		k.Asked = map[sketch.Fault]bool{}
		simulate(t, &scs[i], k, v.String())
		for f, is := range k.truth {
			if !is {
				continue
			}
			truth[f] = append(truth[f], scs[i].Name)
		}
		c := k.cover.Conditions(v)
		if c.Other > 0 {
			t.Errorf("%s: %s: %d writes are not repeated", v, scs[i].Name, c.Other)
		}
		for _, r := range c.Rows {
			if f := faultOf(r.Fault); r.State == coverage.Noticed {
				claimed[f] = append(claimed[f], scs[i].Name)
			}
		}
	}
	return truth, claimed
}

func faultOf(name string) sketch.Fault {
	condition, way, _ := strings.Cut(name, "/")
	return sketch.Fault{Condition: condition, Way: way}
}

// TestNoticedIsTrue: what coverage says that writes would have shown, check shows, and the other
// way round. What it does not say is in the golden, with the scenarios.
func TestNoticedIsTrue(t *testing.T) {
	for _, v := range sketched() {
		truth, claimed := noticed(t, v)
		var b strings.Builder
		all, said := 0, 0
		for _, r := range sketch.Of(v) {
			if len(truth[r.Fault]) > 0 == (r.Hidden(v) && !r.Untold()) || len(claimed[r.Fault]) > 0 == r.Hidden(v) {
				t.Errorf("%s: %s: check notices it in %v, coverage tells so of %v, and CONDITIONS.md has the contrary", v, r.Fault, truth[r.Fault], claimed[r.Fault])
			}
			for _, sc := range claimed[r.Fault] {
				if !slices.Contains(truth[r.Fault], sc) {
					t.Errorf("%s: the writes of %s are said to show %s, and do not", v, sc, r.Fault)
				}
			}
			less := slices.DeleteFunc(slices.Clone(truth[r.Fault]), func(sc string) bool { return slices.Contains(claimed[r.Fault], sc) })
			all, said = all+len(truth[r.Fault]), said+len(claimed[r.Fault])
			if len(less) > 0 {
				fmt.Fprintf(&b, "%s: %d of %d, not %s\n", r.Fault, len(claimed[r.Fault]), len(truth[r.Fault]), strings.Join(less, ", "))
			}
		}
		for f := range truth {
			if !slices.ContainsFunc(sketch.Of(v), func(r *sketch.Row) bool { return r.Fault == f }) {
				t.Errorf("%s: check notices %s, and it is no row of this kernel", v, f)
			}
		}
		fmt.Fprintf(&b, "all: %d of %d\n", said, all)
		testkit.Golden(t, "noticed-"+v.String()+".txt", b.String())
	}
}

// generated is a file of random blocks, and a write to it.
func generated(r *rand.Rand) (*simFile, *simWrite) {
	yes := func(n int) bool { return r.IntN(n) == 0 }
	f := newSimFile(4096)
	kinds := []byte("WUHD")
	if f.indirect = yes(8); f.indirect {
		kinds = []byte("WH")
	}
	for len(f.state) < 6 {
		s := kinds[r.IntN(len(kinds))]
		for range 1 + r.IntN(3) {
			f.cached[int64(len(f.state))] = s == 'D'
			f.state = append(f.state, s)
		}
	}
	unit := []int64{1, 512, 4096}[r.IntN(3)]
	pos := r.Int64N(6*4096/unit) * unit
	w := &Write{Pos: pos, Segs: []int{int((1 + r.Int64N(3*4096/unit)) * unit)}, Limit: -1, Fresh: -1, Buf: r.IntN(8) * 512 * r.IntN(2)}
	if yes(4) {
		w.Segs = append(w.Segs, 512+r.IntN(3)*1792)
	}
	end := pos + int64(w.Len())
	f.size = []int64{end, end + 1, end - 1, pos, r.Int64N(8 * 4096), 9 * 4096, 9 * 4096}[r.IntN(7)]
	if f.disk = f.size; yes(4) {
		f.disk = max(0, min(f.size, []int64{end, end - 1, pos, r.Int64N(f.size + 1)}[r.IntN(4)]))
	}
	if yes(8) {
		w.Flags |= unix.RWF_APPEND
	}
	if yes(8) {
		w.Limit = max(0, end-r.Int64N(4096))
	}
	f.nosec, f.cold = !yes(8), yes(8)
	return f, &simWrite{Write: w, nowait: yes(3), async: yes(2), stale: yes(4)}
}

// TestNoticedWhateverWasNotSeen: what coverage says of one write to a file of which it saw a
// part is so on that file, whatever the other part is.
func TestNoticedWhateverWasNotSeen(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 3))
	said, untold, repeated := 0, 0, 0
	for n := range 1500 {
		v := []model.Variant{model.Linux73, model.SeriesV2, model.Patch3}[n%3]
		f, w := generated(r)
		k := kernelOf(v, sketch.Fault{})
		k.Asked = map[sketch.Fault]bool{}
		o := k.attempt(f, w)
		var c coverage.Coverage
		c.Add(o, judge.Compare(o, v))
		got := c.Conditions(v)
		repeated += int(got.Repeated)
		for _, row := range got.Rows {
			fault := faultOf(row.Fault)
			if !k.Asked[fault] {
				continue
			}
			wrong := kernelOf(v, fault).attempt(f, w)
			switch is := judge.Compare(wrong, v).Kind.Disagrees(); {
			case row.State != coverage.Noticed && is:
				untold++
			case row.State == coverage.Noticed:
				said++
				if !is {
					t.Errorf("%s: %s: said of %+v to %s, size %d %d\n%+v\n%+v", v, fault, w.Write, f, f.size, f.disk, o, wrong)
				}
			}
		}
	}
	if said < 10000 || repeated < 1000 || untold*10 > said {
		t.Errorf("%d said, %d not, of %d writes", said, untold, repeated)
	}
	t.Logf("%d said, %d not, of %d writes", said, untold, repeated)
}
