package coverage

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// A set has room for all points, and none stands there twice.
func TestPoints(t *testing.T) {
	if len(points) > 64*len(set{}) {
		t.Fatalf("%d points", len(points))
	}
	for i, p := range points {
		if p.fn == "" || p.condition == "" || p.way == "" || p.way == "unknown" {
			t.Errorf("point %d says %+v", i, p)
		}
		if k := slices.Index(points, p); k != i {
			t.Errorf("%+v stands there twice", p)
		}
	}
}

// What a direct write can reach under each variant: the list is a golden, so that a change to
// the model or to the points shows here.
func TestReachable(t *testing.T) {
	sets := map[string]set{}
	for _, v := range model.Variants() {
		sets[v.String()] = reachable(v)
	}
	var b strings.Builder
	for i, p := range points {
		var by []string
		for _, v := range model.Variants() {
			if s := sets[v.String()]; s.has(i) {
				by = append(by, v.String())
			}
		}
		who := strings.Join(by, " ")
		switch len(by) {
		case len(model.Variants()):
			who = "all"
		case 0:
			who = "NONE"
		}
		fmt.Fprintf(&b, "%s: %s: %s\n\t%s\n", p.fn, p.condition, p.way, who)
		if len(by) == 0 {
			t.Errorf("no variant reaches %+v", p)
		}
	}
	testkit.Golden(t, "reachable.txt", b.String())
}

// No other write reaches more: layouts of up to eight blocks, block sizes, positions and facts by
// chance, all variants and 7.3 with each of the patches 6 to 8.
func TestReachableIsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, v := range append(model.Variants(), model.Linux73.WithPatch(6, true), model.Linux73.WithPatch(7, true), model.Linux73.WithPatch(8, true)) {
		can := reachable(v)
		var out model.Outcome
		for range 30_000 {
			w, in, layout := random(r)
			if model.Predict(&out, &w, in, v) != nil {
				continue
			}
			s := ofOutcome(&out, in.Start(&w))
			for i := range points {
				if s.has(i) && !can.has(i) {
					t.Fatalf("%s: %+v, blocks %s, inode %+v reaches %+v", v, w, layout, *in, points[i])
				}
			}
		}
	}
}

func random(r *rand.Rand) (model.Write, *model.Inode, string) {
	const letters = "WUHD"
	layout := ""
	for range 1 + r.IntN(8) {
		layout += string(letters[r.IntN(4)])
	}
	x, err := model.ParseExtents(layout)
	if err != nil {
		panic(err)
	}
	yes := func(oneIn int) bool { return r.IntN(oneIn) == 0 }
	blkbits := uint8(10 + r.IntN(7))
	size := int64(len(layout)) << blkbits
	in := model.NewInode(blkbits, size, x)
	if yes(2) {
		in.ISize = r.Int64N(size + 1)
		in.IDisksize, in.ISizeAtGuess = in.ISize, in.ISize
	}
	if yes(4) {
		in.IDisksize = r.Int64N(in.ISize + 1)
	}
	if yes(4) {
		in.ISizeAtGuess = r.Int64N(2*size + 1)
	}
	in.Indirect, in.Nosec, in.Stale, in.Busy, in.Cached, in.InvalidateFails = yes(4), !yes(4), yes(8), yes(8), yes(8), yes(8)
	if yes(4) {
		in.Cache = model.CacheCold
	}
	if yes(16) {
		in.Direct.Journal = model.Yes
	}
	unit := int64(512)
	if yes(2) {
		unit = 1 << blkbits
	}
	w := model.Write{Pos: r.Int64N(size/unit+1) * unit, Len: r.Int64N(size/unit+2) * unit, Async: yes(2)}
	if yes(2) {
		w.Flags |= model.IocbNowait
	}
	if yes(8) {
		w.Flags |= model.IocbAppend
	}
	if yes(4) {
		w.Buffer = 512
	}
	return w, in, layout
}

// The share is of what can be reached, and 100 % is all of it.
func TestShare(t *testing.T) {
	n := (&Coverage{}).of(model.Linux73)
	can, all := reachable(model.Linux73), 0
	for i := range points {
		if can.has(i) {
			n.taken[i] = 1
			all++
		}
	}
	n.writes = 1
	if r := n.report(); r.Share != 1 || r.Percent() != "100 %" || r.Taken != all || r.Reachable != all {
		t.Errorf("%d of %d: %g", r.Taken, r.Reachable, r.Share)
	}
	for i := range points {
		if can.has(i) {
			n.taken[i] = 0
			break
		}
	}
	if r := n.report(); r.Share == 1 || r.Percent() == "100 %" {
		t.Errorf("one is missing, and it says %s", r.Percent())
	}
	// What a real write takes can be reached, whatever the cases say.
	other := slices.IndexFunc(points, func(p point) bool { return p.fn == "ext4_overwrite_io" })
	n.taken[other] = 1
	if r := n.report(); r.Points[other].State != Taken || r.Reachable != all+1 {
		t.Errorf("%+v of %d", r.Points[other], r.Reachable)
	}
}

func BenchmarkReachable(b *testing.B) {
	for b.Loop() {
		reachable(model.Linux73)
	}
}
