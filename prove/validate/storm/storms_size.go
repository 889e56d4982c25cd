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
	const blocks = perRound
	rounds := g.rounds(2, perRound)
	next := scene{name: "next to mapped blocks", noExtents: true, before: layout(workload.Hole, int64(rounds*blocks)*g.bs)}
	next.play(rounds, g.writers, func(n int, r *round) {
		for b := range blocks {
			p := piece{off: int64(n*blocks+b) * g.bs, len: g.bs}
			if b%2 == 0 {
				next.before = append(next.before, act{opWritten, p.off, p.len})
			} else if g.sector < g.bs && b%4 == 1 {
				p.len = g.cut()
			}
			// Odd and even blocks to all writers in turn.
			r.writers[(b/2*3+b%2)%Writers].add(p)
		}
	})
	return []scene{next, fallbackParts(g)}
}

// fallbackParts are several writers to the parts of blocks that are holes. The first
// one makes the block, and those after it may write to it directly while another is
// still on its way to the page cache. Only patch 2 makes that safe.
func fallbackParts(g *generator) scene {
	parts := int(min(4, g.bs/g.sector))
	blocks := perRound / parts
	rounds := g.rounds(2, perRound)
	sc := scene{name: "parts of a hole", noExtents: true, partial: true, skip: g.whole(), before: layout(workload.Hole, int64(rounds*blocks)*g.bs)}
	sc.play(rounds, g.writers, func(n int, r *round) {
		for b := range blocks {
			at := int64(n*blocks+b) * g.bs
			for i, k := range g.Perm(parts) {
				from, to := g.part(k, parts), g.part(k+1, parts)
				r.writers[(b*parts+i)%Writers].add(piece{off: at + from, len: to - from})
			}
		}
	})
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
	const blocks = perRound * 2 / 3
	rounds := g.rounds(1, perRound)
	// The first bytes are for punching, then the blocks of the writers.
	base := int64(apart)
	end := base + (int64(rounds*blocks)*g.bs+apart-1)/apart*apart
	least := end + apart
	sc := scene{
		name: "behind the writers", partial: true, skip: g.whole(),
		before: []act{{op: opTruncate, off: least + apart}, {opWritten, 0, base / 2}},
	}
	sc.play(rounds, g.writers, func(n int, r *round) {
		for b := range blocks {
			start := base + int64(n*blocks+b)*g.bs
			switch b % 3 {
			case 0:
				sc.before = append(sc.before, act{opWritten, start, g.bs})
			case 1:
				sc.before = append(sc.before, act{opAllocate, start, g.bs})
			}
			w := &r.writers[b%Writers]
			if b%2 == 0 {
				w.add(piece{off: start, len: g.bs})
				continue
			}
			w.split(&r.writers[(b+2)%Writers], start, g.cut(), g.bs)
		}
		r.meanwhile = g.resizing(base, least)
	})
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
	rounds := g.rounds(2, records)
	var out []scene
	for _, s := range []struct {
		name  string
		start int64
	}{{"from the start", 0}, {"inside a block", unit}} {
		sc := scene{name: s.name, appends: true, before: []act{{op: opTruncate, off: s.start}}}
		sc.play(rounds, g.writers, func(_ int, r *round) {
			for i, k := range g.Perm(records) {
				w := &r.writers[i%Writers]
				p := piece{off: g.Int64N(int64(records)) * g.bs, len: int64(k+1) * unit}
				if w.engine == workload.Pwrite || i%Writers%3 == 0 {
					w.append = true
				} else {
					p.flags = unix.RWF_APPEND
				}
				w.add(p)
			}
		})
		out = append(out, sc)
	}
	return out
}

// extendingOverwriters are four writers that write behind i_size and move it, beside
// four that overwrite well inside it. Each round ends with i_size at the end of a
// block.
func extendingOverwriters(g *generator) []scene {
	const inside, beyond = 32, 24
	rounds := g.rounds(1, inside+beyond*4/3)
	sc := scene{name: "two ends", partial: true, before: layout(workload.Written, (inside+1)*g.bs)}
	sc.play(rounds, g.writers, func(n int, r *round) {
		for b := range inside {
			p := piece{off: int64(b) * g.bs, len: g.bs, shift: g.shift()}
			if g.sector < g.bs && b%2 == 1 {
				p.len = g.cut()
			}
			r.writers[b%4].add(p)
		}
		for b := range beyond {
			start := int64(inside+1+n*beyond+b) * g.bs
			w := &r.writers[4+b%4]
			if g.sector >= g.bs || b%3 != 0 {
				w.add(piece{off: start, len: g.bs})
				continue
			}
			w.split(&r.writers[4+(b+1)%4], start, g.cut(), g.bs)
		}
	})
	return []scene{sc}
}
