package races

import (
	"iter"
	"math"
	"slices"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// family is a set of scenarios that is enumerated to the end: each file, with each
// choice of one write for every writer.
type family struct {
	name  string
	text  string
	files func(Format) []Scenario // without writes
	// writes of each writer. The writers are alike, so the order does not matter: the
	// list of a writer begins with that of the one before it, if that is longer than
	// one write, and nobody takes a write that stands before that of the one before.
	writes [][]Write
}

// families lists them all. Each is bounded so that all of them together take
// seconds.
func families() []family {
	inTwo, inFour := writes(2, false), writes(4, false)
	syncToo := writes(2, true)
	odd := slices.Clone(inTwo)
	for i := range odd {
		odd[i].Odd = true
	}
	appends := []Write{{Len: 1, Async: true, Append: true}, {Len: 2, Async: true, Append: true}}
	long := []Write{{Pos: 1, Len: 4, Async: true}}
	plain := Scenario{Blkbits: twoSectors}
	return []family{
		{"pairs", "two async writes, two blocks of two sectors", files(plain, 2, 0), [][]Write{inFour, inFour}},
		{"block", "two writes, sync or async, one block of four sectors",
			files(Scenario{Blkbits: fourSectors}, 1, 0), [][]Write{writes(4, true), writes(4, true)}},
		{"stripe", "two async writes, three blocks of two sectors, one over all partly", files(plain, 3, 6), [][]Write{long, writes(6, false)}},
		{"append", "two async writes, one or both with O_APPEND", files(plain, 2, 0), [][]Write{appends, slices.Concat(appends, inFour)}},
		{"nosec", "two writes, S_NOSEC clear, one block of two sectors",
			files(Scenario{Blkbits: twoSectors, Insecure: true}, 1, 0), [][]Write{syncToo, syncToo}},
		{"odd", "two async writes, one from a buffer that is not aligned", files(plain, 1, 0), [][]Write{odd, slices.Concat(odd, inTwo)}},
		{"reader", "two async writes and a reader of the page cache",
			files(Scenario{Blkbits: twoSectors, Reader: true}, 2, 3), [][]Write{inFour, inFour}},
		{"dirty", "two async writes, dirty pages of a buffered writer before them", dirtied, [][]Write{inFour, inFour}},
		{EOFTailScenario, "an async write that ends at i_size, an aligned one that extends",
			halfBlock, [][]Write{{{Pos: 0, Len: 1, Async: true}}, {{Pos: 0, Len: 2, Async: true}}}},
		{"three", "three async writes, one block of two sectors", files(plain, 1, 0), [][]Write{inTwo, inTwo, inTwo}},
		{"three-blocks", "three async writes inside i_size, two blocks of two sectors", files(plain, 2, 4), [][]Write{inFour, inFour, inFour}},
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

// each enumerates the scenarios of a family.
func (f *family) each(format Format) iter.Seq[*Scenario] {
	return func(yield func(*Scenario) bool) {
		for _, sc := range f.files(format) {
			sc.Family, sc.Format = f.name, format
			if !f.choose(sc, 0, yield) {
				return
			}
		}
	}
}

// choose gives the next writer of sc each of its writes from first on.
func (f *family) choose(sc Scenario, first int, yield func(*Scenario) bool) bool {
	chosen := slices.Clip(sc.Writes)
	if len(chosen) == len(f.writes) {
		return yield(&sc)
	}
	for i, w := range f.writes[len(chosen)][first:] {
		sc.Writes = append(chosen, w)
		if !f.choose(sc, first+i, yield) {
			return false
		}
	}
	return true
}

// dirtied are files of two blocks, of which the first or the second has a dirty page.
func dirtied(f Format) []Scenario {
	return slices.Concat(files(Scenario{Blkbits: twoSectors, Dirty: []bool{true, false}}, 2, 3)(f),
		files(Scenario{Blkbits: twoSectors, Dirty: []bool{false, true}}, 2, 3)(f))
}

// halfBlock is the file of class EOFTail: A ends at i_size inside a written block, B
// covers the whole block and extends.
func halfBlock(Format) []Scenario {
	return []Scenario{{Blkbits: twoSectors, Blocks: []model.BlockState{model.Written}, ISize: 1}}
}

// files enumerates files of n blocks, otherwise like sc: every i_size from least on, and
// every kind of every block. Behind i_size a block is a hole, or unwritten
// (FALLOC_FL_KEEP_SIZE), never written.
func files(sc Scenario, n, least int) func(Format) []Scenario {
	spb := sc.perBlock()
	return func(f Format) []Scenario {
		var out []Scenario
		for sc.ISize = least; sc.ISize <= n*spb; sc.ISize++ {
			for code := range int(math.Pow(3, float64(n))) {
				sc.Blocks = make([]model.BlockState, n)
				ok := true
				for b := range sc.Blocks {
					kind := model.BlockState(code % 3)
					code /= 3
					ok = ok && !(kind == model.Written && b*spb >= sc.ISize) && !(kind == model.Unwritten && f == Indirect)
					sc.Blocks[b] = kind
				}
				if ok {
					out = append(out, sc)
				}
			}
		}
		return out
	}
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

const (
	twoSectors  = sectorBits + 1 // log2 of a block of two sectors
	fourSectors = sectorBits + 2
)
