package random

import (
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Sizes of what is generated.
const (
	maxRuns      = 7
	maxRunBlocks = 4
	minWrites    = 4 // of a case, beside those that make the layout
	maxWrites    = 10
	maxSegs      = 4
)

// Generate makes case number of a seed, for a file system. It depends on nothing
// else.
func Generate(seed uint64, number int, fs workload.FSInfo) *Case {
	g := &generator{
		Rand: rand.New(rand.NewPCG(seed, uint64(number))),
		c:    &Case{Seed: seed, Number: number},
		bs:   int64(fs.BlockSize), sec: int64(fs.Sector),
	}
	g.layout()
	for range minWrites + g.IntN(maxWrites-minWrites+1) {
		if g.chance(20) {
			g.between()
		}
		g.write()
	}
	return g.c
}

type generator struct {
	*rand.Rand
	c       *Case
	bs, sec int64
	size    int64 // i_size as it is expected to be
	blocks  int64 // that the layout describes
	noext   bool
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) add(s Step) { g.c.Steps = append(g.c.Steps, s) }

// grow notes that i_size is at least end.
func (g *generator) grow(end int64) { g.size = max(g.size, end) }

// below is a number from 0 to n-1 in steps of unit; 0 when there is no other.
func (g *generator) below(n, unit int64) int64 {
	if n <= unit {
		return 0
	}
	return g.Int64N((n+unit-1)/unit) * unit
}

// layout makes the file's blocks: runs of written, unwritten, hole and delayed
// blocks, each by one of the ways in which it can come about.
func (g *generator) layout() {
	if g.chance(15) {
		g.noext = true
		g.add(Step{Op: NoExtents})
	}
	if g.chance(6) {
		// Nothing but a size: the first write finds S_NOSEC clear.
		g.blocks = 1 + g.Int64N(8)
		g.truncate(g.blocks*g.bs - g.below(g.bs, g.sec)*g.Int64N(2))
		return
	}
	runs := make([]run, 1+g.IntN(maxRuns))
	for i := range runs {
		runs[i] = run{off: g.blocks * g.bs, state: g.state(), len: (1 + g.Int64N(maxRunBlocks)) * g.bs}
		g.blocks += runs[i].len / g.bs
	}
	g.allocate(runs)
	for _, r := range runs {
		if r.state == workload.Written {
			g.written(r)
		}
	}
	g.setSize()
	if x := g.IntN(100); x < 50 {
		g.add(Step{Op: Drop})
	} else if x < 65 {
		g.add(Step{Op: Sync})
	}
	for _, r := range runs {
		if r.state == workload.Delayed {
			g.buffered(r.off, r.len)
		}
	}
	if g.chance(10) {
		g.add(Step{Op: Unprime})
	}
}

// run is some blocks of one state, bytes.
type run struct {
	off, len int64
	state    workload.BlockState
}

func (g *generator) state() workload.BlockState {
	x := g.IntN(100)
	switch {
	case x < 38:
		return workload.Written
	case x < 70 && !g.noext:
		return workload.Unwritten
	case x < 90:
		return workload.Hole
	}
	return workload.Delayed
}

// allocate makes what fallocate makes: all at once with the holes punched, or
// run by run.
func (g *generator) allocate(runs []run) {
	if g.noext {
		return
	}
	keep := g.chance(20)
	alloc := func(off, n int64) {
		if keep {
			g.add(Step{Op: KeepSize, Off: off, Len: n})
			return
		}
		g.add(Step{Op: Fallocate, Off: off, Len: n})
		g.grow(off + n)
	}
	if g.chance(40) {
		alloc(0, g.blocks*g.bs)
		for _, r := range runs {
			if r.state == workload.Hole || r.state == workload.Delayed {
				g.add(Step{Op: Punch, Off: r.off, Len: r.len})
			}
		}
		return
	}
	for _, r := range runs {
		if r.state == workload.Unwritten {
			alloc(r.off, r.len)
		}
	}
}

// written makes a written run: by direct writes, or through the page cache.
func (g *generator) written(r run) {
	if g.chance(30) {
		g.buffered(r.off, r.len)
		g.add(Step{Op: Sync})
		return
	}
	g.add(Step{Op: Write, Off: r.off, Len: r.len, Segs: []int{int(r.len)}, Engine: workload.Pwrite, Class: "layout"})
	g.grow(r.off + r.len)
}

func (g *generator) buffered(off, n int64) {
	g.add(Step{Op: Buffered, Off: off, Len: n})
	g.grow(off + n)
}

func (g *generator) truncate(n int64) {
	g.size = max(n, 0)
	g.add(Step{Op: Truncate, Len: g.size})
}

// setSize moves i_size: to the end of the layout, or into a block.
func (g *generator) setSize() {
	whole := g.blocks * g.bs
	switch x := g.IntN(100); {
	case x < 30:
		if g.size < whole {
			g.truncate(whole)
		}
	case x < 50:
		g.truncate(whole - g.below(g.bs, g.sec))
	case x < 55:
		g.truncate(whole - g.below(g.bs, 1)) // inside a sector
	case x < 62:
		g.truncate(whole + g.below(2*g.bs, g.sec))
	}
}

// between changes the file between two writes.
func (g *generator) between() {
	at := g.Int64N(g.blocks+1) * g.bs
	n := (1 + g.Int64N(3)) * g.bs
	switch x := g.IntN(100); {
	case x < 25:
		g.add(Step{Op: Read, Off: min(at, g.size), Len: n})
	case x < 45:
		g.buffered(at+g.below(g.bs, 7), 1+g.Int64N(n))
	case x < 60:
		g.add(Step{Op: Punch, Off: at, Len: n})
	case x < 70:
		g.add(Step{Op: Drop})
	case x < 75:
		g.add(Step{Op: Sync})
	case x < 83:
		g.add(Step{Op: Unprime})
	case x < 92:
		g.truncate(at + g.below(g.bs, g.sec))
	case !g.noext:
		g.add(Step{Op: Fallocate, Off: at, Len: n})
		g.grow(at + n)
	}
}

// write makes a judged write.
func (g *generator) write() {
	s := Step{Op: Write, Engine: g.engine(), Flags: g.flags()}
	var pos, length string
	s.Off, pos = g.position()
	s.Len, length = g.length(s.Off)
	if s.Flags&unix.RWF_APPEND != 0 {
		pos = "append"
	}
	if g.chance(2) {
		s.Len, length = s.Len+1, "odd" // the device cannot take it
	}
	s.Class = pos + " " + length
	s.Segs = []int{int(s.Len)}
	if g.chance(40) {
		s.Buf = int(g.below(g.bs, g.sec))
	}
	if length != "odd" && g.chance(25) {
		s.Segs = g.segments(s.Len)
	}
	s.Engine = g.able(s.Engine, &s)
	if s.Flags&unix.RWF_NOWAIT != 0 {
		s.Fresh = g.chance(60)
	} else if at := s.at(g.size); (at|s.Len)%g.sec == 0 {
		g.grow(at + s.Len)
	}
	g.add(s)
}

func (g *generator) engine() workload.EngineName {
	switch x := g.IntN(100); {
	case x < 35:
		return workload.Pwrite
	case x < 60:
		return workload.Pwritev2
	case x < 80:
		return workload.Libaio
	case x < 92:
		return workload.IOUring
	case x < 96:
		return workload.IOUringSQThr
	}
	return workload.IOUringFixed
}

// leastPage is the smallest that a page is, bytes.
const leastPage = 4096

// able is the path, or one like it that can make the write. Registered memory comes
// to ext4 as pages, so that in blocks larger than a page every write is unaligned.
func (g *generator) able(e workload.EngineName, s *Step) workload.EngineName {
	switch {
	case e == workload.Pwrite && (s.Flags != 0 || len(s.Segs) > 1):
		return workload.Pwritev2
	case e == workload.IOUringFixed && (len(s.Segs) > 1 || g.bs > leastPage):
		return workload.IOUring
	}
	return e
}

func (g *generator) flags() int {
	flags := 0
	for _, f := range []struct{ percent, flag int }{{20, unix.RWF_NOWAIT}, {5, unix.RWF_APPEND}, {6, unix.RWF_DSYNC}} {
		if g.chance(f.percent) {
			flags |= f.flag
		}
	}
	return flags
}

// position is a multiple of the sector, and the name of its class.
func (g *generator) position() (int64, string) {
	sectors := func(n int64) int64 { return max(n-n%g.sec, 0) }
	block := g.Int64N(max(g.blocks, 1)) * g.bs
	switch x := g.IntN(100); {
	case x < 40:
		return block, "block"
	case x < 65:
		return block + g.below(g.bs, g.sec), "in-block"
	case x < 72:
		return block + g.bs - g.sec, "last-sector"
	case x < 79:
		return sectors(g.size), "i_size"
	case x < 84:
		return sectors(g.size - g.sec), "before-i_size"
	case x < 92:
		return g.size - g.size%g.bs, "block-of-i_size"
	case x < 96:
		return sectors(g.size) + g.below(2*g.bs, g.sec), "beyond"
	}
	return (g.size/g.bs + 1 + g.Int64N(2)) * g.bs, "beyond-block"
}

// length is a multiple of the sector, never 0, and the name of its class.
func (g *generator) length(pos int64) (int64, string) {
	toEnd := g.size - pos
	switch x := g.IntN(100); {
	case x < 12:
		return g.sec, "sector"
	case x < 27:
		return g.sec + g.below(g.bs, g.sec), "part"
	case x < 47:
		return g.bs, "one-block"
	case x < 65:
		return (2 + g.Int64N(5)) * g.bs, "blocks"
	case x < 80:
		return g.bs + g.sec + g.below(5*g.bs, g.sec), "blocks-and-part"
	case x < 90 && toEnd > 0 && toEnd%g.sec == 0:
		return toEnd, "to-i_size"
	case x < 95:
		return g.bs - pos%g.bs, "to-block-end"
	}
	return max(toEnd-toEnd%g.sec, 0) + g.sec + g.below(g.bs, g.sec), "over-i_size"
}

// segments cuts n bytes into pieces that are multiples of the sector.
func (g *generator) segments(n int64) []int {
	var out []int
	for n > g.sec && len(out) < maxSegs-1 {
		unit := g.sec
		if n > g.bs && g.chance(40) {
			unit = g.bs
		}
		piece := unit + g.below(n-unit, unit)
		if piece >= n {
			break
		}
		out = append(out, int(piece))
		n -= piece
	}
	return append(out, int(n))
}
