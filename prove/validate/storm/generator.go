package storm

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// generator holds what the plan of a storm follows from.
type generator struct {
	*rand.Rand
	bs, sector int64 // bytes
	writes     int   // of the storm, about
}

// largeBlock is the block size above which a storm makes half as many writes, as each
// writes so much more, bytes.
const largeBlock = 16 << 10

// newGenerator makes the plan of a storm independent of which others run.
func newGenerator(seed uint64, name string, fs workload.FSInfo) *generator {
	writes := DefaultWrites
	if fs.BlockSize > largeBlock {
		writes /= 2
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return &generator{
		Rand: rand.New(rand.NewPCG(seed, h.Sum64())), bs: int64(fs.BlockSize), sector: int64(fs.Sector),
		writes: writes,
	}
}

// rounds is how many rounds of n writes each of some scenes gets.
func (g *generator) rounds(scenes, n int) int { return max(1, g.writes/scenes/n) }

// cut is a place inside a block at which it is divided: the middle, or any sector.
func (g *generator) cut() int64 {
	if g.IntN(2) == 0 && g.bs/2%g.sector == 0 {
		return g.bs / 2
	}
	return g.sector * (1 + g.Int64N(g.bs/g.sector-1))
}

// whole says why blocks cannot be divided, or nothing.
func (g *generator) whole() string {
	if g.sector >= g.bs {
		return fmt.Sprintf("direct writes of a part of a block are not possible: sectors of %d bytes, blocks of %d", g.sector, g.bs)
	}
	return ""
}

// submission is a submission path and how many writes are submitted together on it.
type submission struct {
	engine workload.EngineName
	depth  int
}

// writers are eight tasks with the submission paths mixed, in any order.
func (g *generator) writers() []writer {
	paths := [Writers]submission{
		{workload.Pwrite, 1}, {workload.Libaio, 4}, {workload.IOUring, 4}, {workload.Pwritev2, 1},
		{workload.Libaio, 16}, {workload.IOUring, 8}, {workload.Pwrite, 1}, {workload.Libaio, 8},
	}
	g.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	return crew(paths[:]...)
}

func crew(paths ...submission) []writer {
	var out []writer
	for _, p := range paths {
		out = append(out, writer{engine: p.engine, depth: p.depth})
	}
	return out
}

// shift is memory that is not aligned to blocks, now and then.
func (g *generator) shift() int {
	if g.IntN(6) > 0 || g.sector >= g.bs {
		return 0
	}
	return int(g.sector)
}

// layout gives a file of size bytes blocks of one state.
func layout(state workload.BlockState, size int64) []act {
	acts := []act{{op: opTruncate, off: size}}
	switch state {
	case workload.Unwritten:
		acts = append(acts, act{op: opAllocate, len: size})
	case workload.Written:
		acts = append(acts, act{op: opWritten, len: size})
	}
	return acts
}

// states are those that blocks can have before a round, with their names.
var states = [...]struct {
	state workload.BlockState
	name  string
}{{workload.Unwritten, "unwritten"}, {workload.Hole, "hole"}, {workload.Written, "written"}}
