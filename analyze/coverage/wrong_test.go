package coverage_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// What the writes of each recorded kernel would have shown. Nearly all of them are repeated by
// the sketch of the kernel that made them.
func TestNoticedInTraces(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(paths) != 10 {
		t.Fatal(paths, err)
	}
	var table strings.Builder
	table.WriteString("| --- | --: | --: | --: | --: |\n")
	for _, path := range paths {
		r := cover(t, strings.TrimSuffix(filepath.Base(path), ".e4d"))[0]
		c := r.Conditions
		if c == nil {
			fmt.Fprintf(&table, "| `%s` | no list | | | |\n", filepath.Base(path))
			continue
		}
		hidden := len(c.Rows) - c.Of
		fmt.Fprintf(&table, "| `%s` | %d | %d | %d | %d of %d |\n", filepath.Base(path), c.Noticed, c.Of, hidden, c.Other, c.Repeated+c.Other)
		if c.Repeated+c.Other != r.Writes || r.Disagree == 0 && (c.Other*20 > r.Writes || c.Noticed*3 < c.Of*2) {
			t.Errorf("%s: %d of %d, by %d of %d writes", path, c.Noticed, c.Of, c.Repeated, r.Writes)
		}
		for _, row := range c.Rows {
			if (row.State == coverage.Noticed) != (row.First > 0) || row.First > r.Writes+r.Disagree+r.Open {
				t.Errorf("%s: %+v", path, row)
			}
		}
	}
	testkit.Section(t, "../../docs/coverage.md", "| trace | noticed | of | not by a write's verdict | writes that tell nothing |", table.String())
}

// wrongKernels are the recorded kernels that decide wrongly, and what is wrong with each.
var wrongKernels = map[string]sketch.Fault{
	"wrong-tail-unchecked":   {Condition: "tail-partial", Way: "never"},
	"wrong-always-exclusive": {Condition: "zeroing-beyond", Way: "always"},
}

// What a recording of the right kernel claims, the wrong one keeps: the same workload on it
// disagrees, in the very writes that the sketch with that fault makes.
func TestWrongKernelsAreNoticed(t *testing.T) {
	right := cover(t, "linux-7.3")[0].Conditions
	for name, fault := range wrongKernels {
		i := slices.IndexFunc(right.Rows, func(r coverage.Condition) bool { return r.Fault == fault.String() })
		if right.Rows[i].State != coverage.Noticed {
			t.Errorf("%s: %+v", name, right.Rows[i])
		}
		disagree, repeated, writes := 0, 0, writesOf(t, name)
		for _, w := range writes {
			if !w.v.Kind.Disagrees() {
				continue
			}
			disagree++
			if coverage.Repeats(w.o, model.Linux73, fault) {
				repeated++
			}
		}
		if disagree == 0 || repeated < disagree {
			t.Errorf("%s: the sketch repeats %d of the %d writes that disagree", name, repeated, disagree)
		}
	}
}

// What a probe that was not attached would have shown is not claimed, nor anything of writes that
// disagree.
func TestNothingUnseenIsNoticed(t *testing.T) {
	writes := writesOf(t, "linux-7.3")
	all := noticedBy(writes, 0, nil)
	drains := []string{"drain/never", "drain/always", "drain/inverted"}
	unprobed := noticedBy(writes, record.StageDrain, nil)
	for _, f := range drains {
		if !slices.Contains(all, f) || slices.Contains(unprobed, f) {
			t.Errorf("%s: noticed %v, without the probe of inode_dio_wait %v", f, slices.Contains(all, f), slices.Contains(unprobed, f))
		}
	}
	if got := noticedBy(writes, 0, func(v *judge.Verdict) { v.Kind = judge.Differs }); len(got) > 0 {
		t.Errorf("writes that disagree show %v", got)
	}
	for _, f := range unprobed {
		if !slices.Contains(all, f) {
			t.Errorf("%s is noticed only without a probe", f)
		}
	}
}

// noticedBy are the faults that writes show, once their verdicts were changed.
func noticedBy(writes []judged, unprobed record.Stages, change func(*judge.Verdict)) (out []string) {
	c := coverage.Coverage{Unprobed: unprobed}
	for _, w := range writes {
		v := w.v.Clone()
		if change != nil {
			change(v)
		}
		c.Add(w.o, v)
	}
	for _, r := range c.Reports()[0].Conditions.Rows {
		if r.State == coverage.Noticed {
			out = append(out, r.Fault)
		}
	}
	return out
}

// A write whose shape came before adds nothing, whatever its place in the file; one of another
// shape may.
func TestShapes(t *testing.T) {
	writes := writesOf(t, "linux-7.3")
	once := noticedBy(writes, 0, nil)
	moved := slices.Clone(writes)
	for _, w := range moved {
		o := w.o
		by := int64(2<<o.Blkbits) * 1000
		o.Pos0, o.ISize0 = o.Pos0+by, o.ISize0+by
		for i := range o.Passes {
			p := &o.Passes[i]
			p.Pos, p.ISize, p.IDisksize = p.Pos+by, p.ISize+by, p.IDisksize+by
			for j := range p.Lookups {
				p.Lookups[j].Lblk += uint32(by >> o.Blkbits)
			}
		}
		for i := range o.Mappings {
			o.Mappings[i].Offset += by
		}
		for i := range o.Zeroed {
			o.Zeroed[i].Pos += by
		}
		if o.Buffered != nil {
			o.Buffered.Pos += by
		}
	}
	if got := noticedBy(moved, 0, nil); !slices.Equal(got, once) {
		t.Errorf("at another place: %d faults, before %d", len(got), len(once))
	}
	for i, w := range writesOf(t, "linux-7.3") {
		if w.o.Pos0 >= int64(2<<w.o.Blkbits) && coverage.ShapeOf(w.o) != coverage.ShapeOf(moved[i].o) {
			t.Errorf("write %d has another shape elsewhere: %+v", i, w.o)
		}
	}
}

// What would not have been noticed is told by function and condition, and a kernel without a list
// is said to have none.
func TestNoticedText(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"linux-7.3", "linux-6.12"} {
		r := cover(t, name)
		r[0].Points = nil
		if err := coverage.WriteText(&b, r); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Golden(t, "noticed.txt", b.String())
}

// Writes of ever new shapes cost a bounded part of the time: beyond the first ones, one in so
// many is tried, and the others are said to tell nothing.
func TestManyShapes(t *testing.T) {
	w := writesOf(t, "linux-7.3")[0]
	var c coverage.Coverage
	const n = 20000
	for i := range n {
		w.o.Flags = w.o.Flags&0xfff | uint32(i)<<12 // bits that decide nothing
		c.Add(w.o, w.v)
	}
	got := c.Conditions(model.Linux73)
	if got.Repeated+got.Other != n || got.Repeated < 4096 || got.Repeated > 4096+n/16+1 || got.Noticed == 0 {
		t.Errorf("%d tried, %d not, %d noticed", got.Repeated, got.Other, got.Noticed)
	}
}
