package races

import (
	"iter"
	"slices"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// family is a set of scenarios that is enumerated to the end.
type family struct {
	name    string
	text    string
	writers int
	each    func(Format) iter.Seq[*Scenario]
}

// families lists them all. Each is bounded so that all of them together take
// seconds.
func families() []family {
	return []family{
		{"pairs", "two async writes, two blocks of two sectors", 2, pairs},
		{"block", "two writes, sync or async, one block of four sectors", 2, oneBlock},
		{"stripe", "two async writes, three blocks of two sectors, one over all partly", 2, stripe},
		{"append", "two async writes, one or both with O_APPEND", 2, appends},
		{"nosec", "two writes, S_NOSEC clear, one block of two sectors", 2, nosec},
		{"odd", "two async writes, one from a buffer that is not aligned", 2, odd},
		{"reader", "two async writes and a reader of the page cache", 2, reader},
		{"dirty", "two async writes, dirty pages of a buffered writer before them", 2, dirtyPages},
		{EOFTailScenario, "an async write that ends at i_size, an aligned one that extends", 2, eofTail},
		{"three", "three async writes, one block of two sectors", 3, three},
		{"three-blocks", "three async writes inside i_size, two blocks of two sectors", 3, threeBlocks},
	}
}

// EOFTailScenario is the name of the one scenario that shows class EOFTail.
const EOFTailScenario = "eof-tail"

// FamilyNames lists the names of the families, and what each holds.
func FamilyNames() [][2]string {
	var out [][2]string
	for _, f := range families() {
		out = append(out, [2]string{f.name, f.text})
	}
	return out
}

// layout is a file before the writes.
type layout struct {
	blocks []model.BlockState
	isize  int
}

// layouts enumerates files of n blocks of spb sectors: every i_size, and every
// kind of every block. Behind i_size a block is a hole, or unwritten
// (FALLOC_FL_KEEP_SIZE), never written.
func layouts(f Format, n, spb int) []layout {
	var out []layout
	for isize := 0; isize <= n*spb; isize++ {
		for code := range pow(3, n) {
			blocks := make([]model.BlockState, n)
			ok := true
			for b := range blocks {
				blocks[b] = model.BlockState(code % 3)
				code /= 3
				ok = ok && !(blocks[b] == model.Written && b*spb >= isize) &&
					!(blocks[b] == model.Unwritten && f == Indirect)
			}
			if ok {
				out = append(out, layout{blocks, isize})
			}
		}
	}
	return out
}

func pow(x, n int) int {
	r := 1
	for range n {
		r *= x
	}
	return r
}

// writes enumerates all runs of sectors below n, async; and sync if asked.
func writes(n int, sync bool) []Write {
	var out []Write
	for pos := range n {
		for end := pos + 1; end <= n; end++ {
			out = append(out, Write{Pos: pos, Len: end - pos, Async: true})
			if sync {
				out = append(out, Write{Pos: pos, Len: end - pos})
			}
		}
	}
	return out
}

// over puts each pair of writes, in one order only, over each layout. The writers
// are alike, so the order does not matter.
func over(tmpl Scenario, ls []layout, a, b []Write) iter.Seq[*Scenario] {
	return func(yield func(*Scenario) bool) {
		for _, l := range ls {
			for i, x := range a {
				for j, y := range b {
					if at := slices.Index(b, x); at >= 0 && j < at && slices.Index(a, y) >= 0 && slices.Index(a, y) < i {
						continue
					}
					sc := tmpl
					sc.Blocks, sc.ISize, sc.Writes = l.blocks, l.isize, []Write{x, y}
					if !yield(&sc) {
						return
					}
				}
			}
		}
	}
}

const (
	twoSectors  = sectorBits + 1 // log2 of a block of two sectors
	fourSectors = sectorBits + 2
)

func pairs(f Format) iter.Seq[*Scenario] {
	w := writes(4, false)
	return over(Scenario{Family: "pairs", Format: f, Blkbits: twoSectors}, layouts(f, 2, 2), w, w)
}

func oneBlock(f Format) iter.Seq[*Scenario] {
	w := writes(4, true)
	return over(Scenario{Family: "block", Format: f, Blkbits: fourSectors}, layouts(f, 1, 4), w, w)
}

func stripe(f Format) iter.Seq[*Scenario] {
	ls := slices.DeleteFunc(layouts(f, 3, 2), func(l layout) bool { return l.isize != 6 })
	long := []Write{{Pos: 1, Len: 4, Async: true}}
	return over(Scenario{Family: "stripe", Format: f, Blkbits: twoSectors}, ls, long, writes(6, false))
}

func appends(f Format) iter.Seq[*Scenario] {
	a := []Write{{Len: 1, Async: true, Append: true}, {Len: 2, Async: true, Append: true}}
	b := append(slices.Clone(a), writes(4, false)...)
	return over(Scenario{Family: "append", Format: f, Blkbits: twoSectors}, layouts(f, 2, 2), a, b)
}

func nosec(f Format) iter.Seq[*Scenario] {
	w := writes(2, true)
	return over(Scenario{Family: "nosec", Format: f, Blkbits: twoSectors, Insecure: true}, layouts(f, 1, 2), w, w)
}

func odd(f Format) iter.Seq[*Scenario] {
	w := writes(2, false)
	o := slices.Clone(w)
	for i := range o {
		o[i].Odd = true
	}
	return over(Scenario{Family: "odd", Format: f, Blkbits: twoSectors}, layouts(f, 1, 2), o, append(o, w...))
}

func reader(f Format) iter.Seq[*Scenario] {
	w := writes(4, false)
	ls := slices.DeleteFunc(layouts(f, 2, 2), func(l layout) bool { return l.isize < 3 })
	return over(Scenario{Family: "reader", Format: f, Blkbits: twoSectors, Reader: true}, ls, w, w)
}

func dirtyPages(f Format) iter.Seq[*Scenario] {
	ls := slices.DeleteFunc(layouts(f, 2, 2), func(l layout) bool { return l.isize < 3 })
	w := writes(4, false)
	return func(yield func(*Scenario) bool) {
		for _, dirty := range [][]bool{{true, false}, {false, true}} {
			tmpl := Scenario{Family: "dirty", Format: f, Blkbits: twoSectors, Dirty: dirty}
			for sc := range over(tmpl, ls, w, w) {
				if !yield(sc) {
					return
				}
			}
		}
	}
}

// eofTail is the smallest scenario of class EOFTail: A ends at i_size inside a
// written block, B covers the whole block and extends.
func eofTail(f Format) iter.Seq[*Scenario] {
	l := layout{blocks: []model.BlockState{model.Written}, isize: 1}
	return over(Scenario{Family: EOFTailScenario, Format: f, Blkbits: twoSectors}, []layout{l},
		[]Write{{Pos: 0, Len: 1, Async: true}}, []Write{{Pos: 0, Len: 2, Async: true}})
}

func three(f Format) iter.Seq[*Scenario] {
	return triples(Scenario{Family: "three", Format: f, Blkbits: twoSectors}, layouts(f, 1, 2), writes(2, false))
}

func threeBlocks(f Format) iter.Seq[*Scenario] {
	ls := slices.DeleteFunc(layouts(f, 2, 2), func(l layout) bool { return l.isize != 4 })
	return triples(Scenario{Family: "three-blocks", Format: f, Blkbits: twoSectors}, ls, writes(4, false))
}

// triples puts each three of the writes, in one order only, over each layout.
func triples(tmpl Scenario, ls []layout, w []Write) iter.Seq[*Scenario] {
	return func(yield func(*Scenario) bool) {
		for _, l := range ls {
			for i := range w {
				for j := i; j < len(w); j++ {
					for k := j; k < len(w); k++ {
						sc := tmpl
						sc.Blocks, sc.ISize, sc.Writes = l.blocks, l.isize, []Write{w[i], w[j], w[k]}
						if !yield(&sc) {
							return
						}
					}
				}
			}
		}
	}
}
