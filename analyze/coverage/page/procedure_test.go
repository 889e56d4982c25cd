package page

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// variants are all, and 7.3 with each of the patches that were not merged.
func variants() []model.Variant {
	all := model.Variants()
	for n := 6; n <= 8; n++ {
		all = append(all, model.Linux73.WithPatch(n, true))
	}
	return all
}

// Every line of a variant's procedure stands for points that there are, no point stands there
// twice, and what a write can reach stands there.
func TestProcedure(t *testing.T) {
	for _, v := range variants() {
		points := coverage.None(v).Points
		lines := procedureOf(v, points)
		var seen []int
		for i, l := range lines {
			switch {
			case l.kind == goes && len(l.points) != 1, l.kind == tests && len(l.points) < 2 && l.text != "blocks are asked for":
				t.Errorf("%s: %q stands for %d points", v, l.text, len(l.points))
			case l.text == "", l.kind == begins && l.depth != 0:
				t.Errorf("%s: line %d is %+v", v, i, l)
			case l.kind == goes && slices.Contains(seen, l.points[0]):
				t.Errorf("%s: %q stands there twice", v, l.text)
			case l.kind == goes:
				seen = append(seen, l.points[0])
			}
		}
		for _, i := range others(lines, points) {
			if points[i].State != coverage.Unreachable {
				t.Errorf("%s: no line for %+v", v, points[i])
			}
		}
	}
}

// The lines stand in the order in which the model asks, and below the answers on which the
// model comes to them: for every write, and each of the two passes that it may make.
func TestOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	points := coverage.None(model.Linux73).Points // those of others are in other states
	for _, v := range variants() {
		lines := procedureOf(v, points)
		lineOf := map[string]int{} // by what a step says
		for i, l := range lines {
			if l.kind == goes {
				p := points[l.points[0]]
				lineOf[p.Condition+": "+p.Way] = i
			}
		}
		nested := 0
		var out model.Outcome
		for range 5_000 {
			w, in := random(r)
			if model.Predict(&out, &w, in, v) != nil {
				continue
			}
			last, pass := -1, uint8(0)
			passed := map[int]bool{}
			for _, s := range out.Steps() {
				i, known := lineOf[keyOf(s)]
				if !known {
					continue
				}
				if s.Pass != pass {
					pass, last = s.Pass, -1
				}
				if i <= last {
					t.Fatalf("%s: %s comes after %q", v, s, lines[last].text)
				}
				last, passed[i] = i, true
				for _, above := range waysAbove(lines, i) {
					nested++
					if !passed[above] {
						t.Fatalf("%s: %s stands below %q, which the write did not take", v, s, lines[above].text)
					}
				}
			}
		}
		if nested < 1000 {
			t.Errorf("%s: only %d steps stand below another", v, nested)
		}
	}
}

// keyOf is what the point of a step is called.
func keyOf(s model.Step) string {
	if end := s.EndedAt(); end != model.EndUnknown {
		return "NOWAIT ends the write: " + end.Text()
	}
	return model.Way{ID: s.ID, Answer: s.Answer}.Condition() + ": " + s.Answer.String()
}

// waysAbove are the ways below which line i stands.
func waysAbove(lines []line, i int) (out []int) {
	for depth := lines[i].depth; i >= 0; i-- {
		if lines[i].depth < depth {
			depth = lines[i].depth
			if lines[i].kind == goes {
				out = append(out, i)
			}
		}
	}
	return out
}

// random is a write to an inode of up to four blocks.
func random(r *rand.Rand) (model.Write, *model.Inode) {
	layout := ""
	for range 1 + r.IntN(4) {
		layout += string("WUHD"[r.IntN(4)])
	}
	x, err := model.ParseExtents(layout)
	if err != nil {
		panic(err)
	}
	rarely := func() bool { return r.IntN(8) == 0 }
	size := int64(len(layout)) << 12
	in := model.NewInode(12, size-int64(r.IntN(3))*512, x)
	in.Nosec, in.Stale, in.Busy = !rarely(), rarely(), rarely()
	if rarely() {
		in.Direct.Journal = model.Yes
	}
	if rarely() {
		in.ISizeAtGuess = 1 << 40
	}
	if rarely() {
		in.IDisksize = 0
	}
	w := model.Write{Pos: r.Int64N(size>>9+1) << 9, Len: r.Int64N(size>>9) << 9, Async: r.IntN(2) == 0}
	if r.IntN(2) == 0 {
		w.Flags = model.IocbNowait
	}
	return w, in
}

// What the procedures look like.
func TestProcedureText(t *testing.T) {
	var b strings.Builder
	points := coverage.None(model.Linux73).Points
	for _, v := range []model.Variant{model.Linux61, model.Linux72, model.Linux73} {
		fmt.Fprintf(&b, "== %s\n", v)
		lines := procedureOf(v, points)
		for _, l := range lines {
			text := strings.Repeat("    ", l.depth) + l.text
			if l.fn != "" {
				text += "   <" + l.fn + ">"
			}
			b.WriteString(text + "\n")
		}
		for _, i := range others(lines, points) {
			fmt.Fprintf(&b, "no line: %s: %s\n", points[i].Condition, points[i].Way)
		}
	}
	testkit.Golden(t, "procedure.txt", b.String())
}
