package storm

import (
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// apart is the distance of what changes beside the writers from their blocks, so that
// no page holds bytes of both, bytes.
const apart = 64 << 10

// fallback fills holes of an inode without extents, which goes through the page
// cache, while direct writes to its other blocks are in flight.
func fallback(g *generator) []scene {
	next := scene{name: "next to mapped blocks", noExtents: true}
	const blocks = perRound
	n := g.rounds(2, perRound)
	acts := layout(workload.Hole, int64(n*blocks)*g.bs)
	for r := range n {
		ws := g.writers()
		for b := range blocks {
			p := piece{off: int64(r*blocks+b) * g.bs, len: g.bs}
			if b%2 == 0 {
				acts = append(acts, act{opWritten, p.off, p.len})
			} else if g.sector < g.bs && b%4 == 1 {
				p.len = g.cut()
			}
			// Odd and even blocks to all writers in turn.
			ws[(b/2*3+b%2)%Writers].add(p)
		}
		next.rounds = append(next.rounds, round{writers: ws})
	}
	next.rounds[0].before = acts
	return []scene{next, fallbackParts(g)}
}

// fallbackParts are several writers to the parts of blocks that are holes. The first
// one makes the block, and those after it may write to it directly while another is
// still on its way to the page cache. Only patch 2 makes that safe.
func fallbackParts(g *generator) scene {
	sc := scene{name: "parts of a hole", noExtents: true, partial: true, skip: g.whole()}
	if sc.skip != "" {
		return sc
	}
	parts := int(min(4, g.bs/g.sector))
	blocks := perRound / parts
	n := g.rounds(2, perRound)
	for r := range n {
		ws := g.writers()
		for b := range blocks {
			at := int64(r*blocks+b) * g.bs
			for i, k := range g.Perm(parts) {
				from, to := g.part(k, parts), g.part(k+1, parts)
				ws[(b*parts+i)%Writers].add(piece{off: at + from, len: to - from})
			}
		}
		sc.rounds = append(sc.rounds, round{writers: ws})
	}
	sc.rounds[0].before = layout(workload.Hole, int64(n*blocks)*g.bs)
	return sc
}

// part is where part k of a block in so many parts begins, bytes.
func (g *generator) part(k, parts int) int64 {
	return g.bs * int64(k) / int64(parts) / g.sector * g.sector
}

// unsafeParts says why the bytes of a scene are not promised on an inode that can
// take writes through the page cache, or nothing.
func unsafeParts(sc *scene, v model.Variant) string {
	if !sc.partial || v.Has(model.DrainFallback) {
		return ""
	}
	return "variant " + v.String() + " does not promise patch 2: a block of which one part is written through the page cache may lose another"
}

// resize changes i_size, allocates and punches where no writer writes, meanwhile.
func resize(g *generator) []scene {
	sc := scene{name: "behind the writers", partial: true, skip: g.whole()}
	if sc.skip != "" {
		return []scene{sc}
	}
	const blocks = perRound * 2 / 3
	n := g.rounds(1, perRound)
	// The first bytes are for punching, then the blocks of the writers.
	base := int64(apart)
	end := base + (int64(n*blocks)*g.bs+apart-1)/apart*apart
	least := end + apart
	acts := []act{{op: opTruncate, off: least + apart}, {opWritten, 0, base / 2}}
	for r := range n {
		ws := g.writers()
		for b := range blocks {
			start := base + int64(r*blocks+b)*g.bs
			switch b % 3 {
			case 0:
				acts = append(acts, act{opWritten, start, g.bs})
			case 1:
				acts = append(acts, act{opAllocate, start, g.bs})
			}
			if b%2 == 0 {
				ws[b%Writers].add(piece{off: start, len: g.bs})
				continue
			}
			cut := g.cut()
			ws[b%Writers].add(piece{off: start, len: cut})
			ws[(b+2)%Writers].add(piece{off: start + cut, len: g.bs - cut})
		}
		sc.rounds = append(sc.rounds, round{writers: ws, meanwhile: g.resizing(base, least)})
	}
	sc.rounds[0].before = acts
	return []scene{sc}
}

// resizing changes a file below base/2 and at least and beyond; i_size ends where it
// began.
func (g *generator) resizing(base, least int64) []act {
	var acts []act
	beyond := func() int64 { return least + g.Int64N(4*apart/g.sector)*g.sector }
	for range 6 {
		acts = append(acts, act{op: opTruncate, off: beyond()})
		switch g.IntN(3) {
		case 0:
			acts = append(acts, act{opAllocate, beyond(), apart})
		case 1:
			acts = append(acts, act{opPunch, least, apart})
		default:
			acts = append(acts, act{opPunch, g.Int64N(base/4/g.sector) * g.sector, base / 4})
		}
	}
	return append(acts, act{op: opTruncate, off: least + apart})
}

// appenders append records of different lengths at once. What they ask for as
// position is often not where i_size is.
func appenders(g *generator) []scene {
	unit := max(g.sector, g.bs/8)
	const records = perRound / 2
	n := g.rounds(2, records)
	var out []scene
	for _, s := range []struct {
		name  string
		start int64
	}{{"from the start", 0}, {"inside a block", unit}} {
		sc := scene{name: s.name, appends: true}
		for range n {
			ws := g.writers()
			for i, k := range g.Perm(records) {
				w := &ws[i%Writers]
				p := piece{off: g.Int64N(int64(records)) * g.bs, len: int64(k+1) * unit}
				if w.engine == workload.Pwrite || i%Writers%3 == 0 {
					w.append = true
				} else {
					p.flags = unix.RWF_APPEND
				}
				w.add(p)
			}
			sc.rounds = append(sc.rounds, round{writers: ws})
		}
		sc.rounds[0].before = []act{{op: opTruncate, off: s.start}}
		out = append(out, sc)
	}
	return out
}

// extendingOverwriters are four writers that write behind i_size and move it, beside
// four that overwrite well inside it. Each round ends with i_size at the end of a
// block.
func extendingOverwriters(g *generator) []scene {
	const inside, beyond = 32, 24
	sc := scene{name: "two ends", partial: true}
	n := g.rounds(1, inside+beyond*4/3)
	for r := range n {
		ws := g.writers()
		for b := range inside {
			p := piece{off: int64(b) * g.bs, len: g.bs, shift: g.shift()}
			if g.sector < g.bs && b%2 == 1 {
				p.len = g.cut()
			}
			ws[b%4].add(p)
		}
		for b := range beyond {
			start := int64(inside+1+r*beyond+b) * g.bs
			if g.sector >= g.bs || b%3 != 0 {
				ws[4+b%4].add(piece{off: start, len: g.bs})
				continue
			}
			cut := g.cut()
			ws[4+b%4].add(piece{off: start, len: cut})
			ws[4+(b+1)%4].add(piece{off: start + cut, len: g.bs - cut})
		}
		sc.rounds = append(sc.rounds, round{writers: ws})
	}
	sc.rounds[0].before = layout(workload.Written, (inside+1)*g.bs)
	return []scene{sc}
}
